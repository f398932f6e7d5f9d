import { readFile } from 'node:fs/promises';

const MB = 1_024;

/** What a suite at the soak's size cost, told in one line at its end; at the size of `npm test` nothing is told. */
export class Cost {
  readonly #began = performance.now();

  constructor(
    private readonly what: string,
    private readonly isSoak: boolean,
  ) {}

  /** @param calls requests that Stripe got @param more what else there is to say */
  tell(calls: number, ...more: readonly string[]): void {
    if (!this.isSoak) return;
    const seconds = ((performance.now() - this.#began) / 1_000).toFixed(0);
    const memory = `${(process.resourceUsage().maxRSS / MB).toFixed(0)} MB at most for the test, its services and its Stripe`;
    process.stdout.write(
      `${[`${this.what}: ${seconds} s`, `${calls} calls to Stripe`, memory, ...more].join('; ')}\n`,
    );
  }
}

/** The most memory that a process that still runs has had, in MB; `null` where the system does not say (Linux: proc(5), `VmHWM`). */
export async function mostMemoryOf(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Math.round(Number(kilobytes) / MB);
}
