import { randomInt } from 'node:crypto';
import { ProblemError } from '../http/problem.js';

/** Seconds after which one who found no place may try again: spread, so that they do not all come at once. */
const RETRY_SECONDS = { min: 2, max: 15 };

export interface StreamPlacesOptions {
  /** The settings `STREAMS_MAX` and `STREAMS_PER_USER`. */
  readonly max: number;
  readonly perUser: number;
}

/** Guards that hold streams of the feed by one key take no more than this part of all places, so that users find some. */
const FEEDS_OF_A_KEY = 0.2;

/** Bounds how many streams and waits are open on one instance: of one user, of the revocation feed by one key, and in all. */
export class StreamPlaces {
  readonly #byHolder = new Map<string, number>();
  #taken = 0;

  constructor(private readonly options: StreamPlacesOptions) {}

  /** How many are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes a place for a user; returns what gives it back, once. @throws ProblemError `too_many_streams`, `streams_full` */
  take(userId: string): () => void {
    return this.#take(`user ${userId}`, this.options.perUser, 'of this user');
  }

  /** The same for a stream of the revocation feed, opened by the key of `actor`. */
  takeFeed(actor: string): () => void {
    const most = Math.max(1, Math.floor(this.options.max * FEEDS_OF_A_KEY));
    return this.#take(`feed ${actor}`, most, 'of the feed by this key');
  }

  #take(holder: string, most: number, whose: string): () => void {
    const { max } = this.options;
    const held = this.#byHolder.get(holder) ?? 0;
    const headers = retryLater();
    if (held >= most) throw new ProblemError('too_many_streams', `${most} ${whose} are open here.`, headers);
    if (this.#taken >= max) throw new ProblemError('streams_full', `${max} are open here.`, headers);
    this.#taken += 1;
    this.#byHolder.set(holder, held + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#taken -= 1;
      const left = (this.#byHolder.get(holder) ?? 1) - 1;
      if (left === 0) this.#byHolder.delete(holder);
      else this.#byHolder.set(holder, left);
    };
  }
}

/** A `retry-after` that differs from client to client. */
export function retryLater(): { readonly 'retry-after': string } {
  return { 'retry-after': String(randomInt(RETRY_SECONDS.min, RETRY_SECONDS.max + 1)) };
}
