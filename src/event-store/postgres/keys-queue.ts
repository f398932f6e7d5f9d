import type { KeysAnswer } from '../stream-keys.js';

/** Streams of one statement. */
const STREAMS_PER_STATEMENT = 64;

interface Waiting {
  readonly stream: string;
  readonly resolve: (answer: KeysAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Gathers the looks of concurrent callers into few statements: one is under way at a time, and the next takes all that wait then. */
export class KeysQueue {
  #waiting: Waiting[] = [];
  #isUnderWay = false;

  /** `read` tells of each stream, in the order given. */
  constructor(private readonly read: (streams: readonly string[]) => Promise<readonly KeysAnswer[]>) {}

  /** @throws what `read` throws */
  ask(stream: string): Promise<KeysAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ stream, resolve, reject });
      this.#goOn();
    });
  }

  /** Waits for the end of the event loop's turn, so that all callers it wakes share a statement. */
  #goOn(): void {
    if (this.#isUnderWay || this.#waiting.length === 0) return;
    this.#isUnderWay = true;
    setImmediate(() => void this.#send());
  }

  /** Sends one statement; what goes wrong is told to those who wait for it, so this never rejects. */
  async #send(): Promise<void> {
    const batch = this.#waiting.splice(0, STREAMS_PER_STATEMENT);
    try {
      const answers = await this.read(batch.map(({ stream }) => stream));
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] ?? 'not_by_keys');
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.#isUnderWay = false;
    this.#goOn();
  }
}
