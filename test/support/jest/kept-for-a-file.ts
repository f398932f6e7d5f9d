const endings: (() => Promise<void>)[] = [];

/** For what a module of the support keeps from one test to the next: `end` is called whenever a test file has ended. */
export function atEndOfFile(end: () => Promise<void>): void {
  endings.push(end);
}

/** Set up by Jest for each test file. */
export default function setUpFile(): void {
  afterAll(async () => {
    for (const end of endings) await end();
  });
}
