import { type Connection, TenureAnswerError } from './requests.js';
import type { FeedState, RevocationMemory } from './revocation-memory.js';
import { type FeedPosition, RevocationPages } from './revocation-pages.js';
import { followStream } from './revocation-stream.js';

/** The end of the feed is asked for so often, at most: an answer to it is what shows that nothing is missing. */
const ASK_EVERY_MS = 5_000;
/** The same while no stream tells what is new. */
const ASK_WITHOUT_STREAM_MS = 1_000;
/** Pauses before the stream is opened again, doubled after each failure, and spread. */
const REOPEN_MS = { least: 250, most: 10_000 };

/** A stream that was refused is asked for again after this, whatever `Retry-After` says: pages go on meanwhile. */
const MOST_REFUSED_MS = 300_000;

export interface RevocationFeedOptions {
  readonly connection: Connection;
  readonly memory: RevocationMemory;
  readonly maxStaleMs: number;
  /** Work that is also done whenever the feed was read, such as to read keys. */
  readonly besides: () => Promise<void>;
  /** Hears why something could not be read; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
  /** A random number between 0 and 1. */
  readonly random: () => number;
}

/**
 * Keeps a memory level with the revocation feed: its stream tells what is new at once, and a page, asked for every few seconds,
 * shows that the memory is level, whatever a proxy does with streams.
 */
export class RevocationFeed {
  readonly #closed = new AbortController();
  readonly #position: FeedPosition = { cursor: null, resets: 0 };
  readonly #pages: RevocationPages;
  #streaming = new AbortController();
  #isStreamLive = false;

  constructor(private readonly options: RevocationFeedOptions) {
    const { connection, memory } = options;
    this.#pages = new RevocationPages(connection, memory, this.#position, () => {
      this.#streaming.abort(new Error('the feed was reset'));
    });
  }

  get state(): FeedState {
    const { connection, memory, maxStaleMs } = this.options;
    return memory.state(connection.clock.now(), maxStaleMs);
  }

  /** Whether the feed was last asked in vain. */
  get hasFailed(): boolean {
    return this.#pages.hasFailed;
  }

  /** Reads to the end, once; rejects as `RevocationPages.readToEnd`. */
  read(): Promise<void> {
    return this.#pages.readToEnd(this.#closed.signal);
  }

  /** Follows the feed until `close`. */
  follow(): void {
    void this.#ask();
    void this.#stream();
  }

  close(): void {
    this.#closed.abort(new Error('the guard was closed'));
    this.#streaming.abort(this.#closed.signal.reason);
  }

  async #ask(): Promise<void> {
    const { maxStaleMs, besides } = this.options;
    while (!this.#closed.signal.aborted) {
      await this.#try(async () => {
        await this.read();
        await besides();
      });
      const usual = this.#isStreamLive ? ASK_EVERY_MS : ASK_WITHOUT_STREAM_MS;
      await this.#pause(this.#spread(Math.min(usual, maxStaleMs / 4)));
    }
  }

  async #stream(): Promise<void> {
    const { connection, memory } = this.options;
    let pause = REOPEN_MS.least;
    while (!this.#closed.signal.aborted) {
      // The stream goes on where pages have come to: a day of lines is read faster by them.
      if (this.#position.cursor === null) await this.#try(() => this.read());
      if (this.#position.cursor === null) {
        await this.#pause(this.#spread(REOPEN_MS.least));
        continue;
      }
      this.#streaming = new AbortController();
      let asked: number | null = null;
      let refusedForMs = 0;
      await this.#try(async () => {
        const parts = { connection, memory, position: this.#position, pages: this.#pages };
        try {
          asked = await followStream(parts, this.#streaming.signal, () => {
            this.#isStreamLive = true;
            pause = REOPEN_MS.least;
          });
        } catch (error) {
          if (error instanceof TenureAnswerError) refusedForMs = error.retryAfterMs ?? 0;
          throw error;
        }
      });
      this.#isStreamLive = false;
      await this.#pause(Math.min(refusedForMs, MOST_REFUSED_MS) + this.#spread(asked ?? pause));
      pause = Math.min(pause * 2, REOPEN_MS.most);
    }
  }

  async #try(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!this.#closed.signal.aborted) this.options.onTrouble(error);
    }
  }

  /** A time between three quarters of one and all of it. */
  #spread(ms: number): number {
    return ms * (0.75 + this.options.random() / 4);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#closed;
      if (signal.aborted) return resolve();
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.options.connection.clock.after(ms, done);
      signal.addEventListener('abort', done);
    });
  }
}
