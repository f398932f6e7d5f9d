import { createClient } from 'redis';
import { inTime } from '../observability/in-time.js';
import { BackOff } from './back-off.js';

const CONNECT_WITHIN_MS = 1_000;
const RECONNECT_EVERY_MS = 500;
/** Parts that the wait for an answer has, a timer each: where this process itself stood still, only one of them is over. */
const PARTS = 4;
/** Trouble that lasts is told this often. */
const TELL_EVERY_MS = 60_000;
/** Commands that wait for an answer; a server that is frozen must not fill the memory. */
const MOST_UNDER_WAY = 1_000;

type Client = ReturnType<typeof makeClient>;

/** A connection to Redis that is never waited for: who asks has an answer in time, or none. It comes back by itself. */
export class RedisConnection {
  readonly #client: Client;
  readonly #backOff = new BackOff();
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

  /**
   * The answer to `command`, `null` when it fails or takes longer than `ms` in which this process could have heard it; or at
   * once after a trouble, while Redis is left alone.
   */
  async ask<T>(command: (client: Client) => Promise<T>, ms: number): Promise<T | null> {
    const asked = performance.now();
    if (!this.#client.isReady || this.#backOff.isOn(asked)) return null;
    const answer = command(this.#client).then((value) => ({ value }));
    answer.catch((error: unknown) => this.#trouble(error, asked));
    for (let part = 0; part < PARTS; part += 1) {
      const known = await inTime(answer, ms / PARTS);
      if (known === null) continue;
      this.#backOff.wentWell(asked);
      return known.value;
    }
    this.#trouble(new Error('Redis did not answer in time'), asked);
    return null;
  }

  close(): void {
    this.#isClosed = true;
    this.#client.destroy();
  }

  /** What was asked at `asked` had trouble; by default the connection itself has, now. */
  #trouble(error: unknown, asked = performance.now()): void {
    if (this.#isClosed) return;
    const now = performance.now();
    this.#backOff.hadTrouble(asked, now);
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
