import { createClient } from 'redis';
import { inTime } from '../observability/in-time.js';

const CONNECT_WITHIN_MS = 1_000;
const RECONNECT_EVERY_MS = 500;
/** After a fault, or an answer that came late, Redis is left alone for so long: readers ask the database at once. */
const LEFT_ALONE_MS = 200;
/** Trouble that lasts is told this often. */
const TELL_EVERY_MS = 60_000;
/** Commands that wait for an answer; a server that is frozen must not fill the memory. */
const MOST_UNDER_WAY = 1_000;

type Client = ReturnType<typeof makeClient>;

/** A connection to Redis that is never waited for: who asks has an answer in time, or none. It comes back by itself. */
export class RedisConnection {
  readonly #client: Client;
  #leftAloneUntil = 0;
  #tellFrom = 0;
  #isClosed = false;

  /** `onTrouble` hears, once a minute at most, that Redis does not do what it should. */
  constructor(
    url: string,
    private readonly onTrouble: (error: unknown) => void,
  ) {
    this.#client = makeClient(url);
    this.#client.on('error', (error: unknown) => this.#trouble(error));
    this.#client.connect().catch((error: unknown) => this.#trouble(error));
  }

  /** The answer to `command`, `null` when it fails or takes longer than `ms`. */
  async ask<T>(command: (client: Client) => Promise<T>, ms: number): Promise<T | null> {
    if (!this.#client.isReady || performance.now() < this.#leftAloneUntil) return null;
    const answer = command(this.#client);
    answer.catch((error: unknown) => this.#trouble(error));
    const known = await inTime(
      answer.then((value) => ({ value })),
      ms,
    );
    if (known === null) this.#trouble(new Error('Redis did not answer in time'));
    return known?.value ?? null;
  }

  close(): void {
    this.#isClosed = true;
    this.#client.destroy();
  }

  #trouble(error: unknown): void {
    if (this.#isClosed) return;
    const now = performance.now();
    this.#leftAloneUntil = now + LEFT_ALONE_MS;
    if (now < this.#tellFrom) return;
    this.#tellFrom = now + TELL_EVERY_MS;
    this.onTrouble(error);
  }
}

function makeClient(url: string) {
  return createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MOST_UNDER_WAY,
    socket: { connectTimeout: CONNECT_WITHIN_MS, reconnectStrategy: () => RECONNECT_EVERY_MS },
  });
}
