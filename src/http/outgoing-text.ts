import type { ServerResponse } from 'node:http';

/** Changes text on its way out. */
export interface OutgoingText {
  /** The text as it goes out; `null` where something must be looked up for it. */
  now(text: string): string | null;
  later(text: string): Promise<string>;
}

const changed = new WeakMap<ServerResponse, OutgoingText>();
/** Whether any text was ever changed in this process: a look into a weak map costs a hot route as much as the check of its key. */
let isUsed = false;

/** Has all text of this response changed as it goes out: replies, streams of events and of lines. */
export function changeText(response: ServerResponse, text: OutgoingText): void {
  isUsed = true;
  changed.set(response, text);
}

/** What changes the text of this response; `null` where nothing does. */
export function outgoingTextOf(response: ServerResponse): OutgoingText | null {
  return isUsed ? (changed.get(response) ?? null) : null;
}

/** Writes texts of an answer that goes on, in their order: what must be looked up holds back what comes after it. */
export class TextWriter {
  /** What is under way; `null` where everything went out. */
  #under: Promise<void> | null = null;

  constructor(private readonly response: ServerResponse) {}

  write(text: string): void {
    const outgoing = outgoingTextOf(this.response);
    const ready = outgoing === null ? text : this.#under === null ? outgoing.now(text) : null;
    if (outgoing === null || ready !== null) this.response.write(ready ?? text);
    else this.#after(async () => void this.response.write(await outgoing.later(text)));
  }

  end(): void {
    if (this.#under === null) this.response.end();
    else this.#after(async () => void this.response.end());
  }

  #after(work: () => Promise<void>): void {
    const under = (this.#under ?? Promise.resolve()).then(work).catch((error: Error) => {
      // A part must not be taken for the whole: who listens comes again.
      this.response.destroy(error);
    });
    this.#under = under;
    void under.then(() => {
      if (this.#under === under) this.#under = null;
    });
  }
}
