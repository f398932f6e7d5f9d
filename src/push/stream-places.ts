import { randomInt } from 'node:crypto';
import { ProblemError } from '../http/problem.js';

/** Seconds after which one who found no place may try again: spread, so that they do not all come at once. */
const RETRY_SECONDS = { min: 2, max: 15 };

export interface StreamPlacesOptions {
  /** The settings `STREAMS_MAX` and `STREAMS_PER_USER`. */
  readonly max: number;
  readonly perUser: number;
}

/** Bounds how many streams and waits are open on one instance, of one user and in all. */
export class StreamPlaces {
  readonly #byUser = new Map<string, number>();
  #taken = 0;

  constructor(private readonly options: StreamPlacesOptions) {}

  /** How many are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes a place; returns what gives it back, once. @throws ProblemError `too_many_streams`, `streams_full` */
  take(userId: string): () => void {
    const { max, perUser } = this.options;
    const ofUser = this.#byUser.get(userId) ?? 0;
    const headers = retryLater();
    if (ofUser >= perUser) {
      throw new ProblemError('too_many_streams', `${perUser} of this user are open here.`, headers);
    }
    if (this.#taken >= max) throw new ProblemError('streams_full', `${max} are open here.`, headers);
    this.#taken += 1;
    this.#byUser.set(userId, ofUser + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#taken -= 1;
      const left = (this.#byUser.get(userId) ?? 1) - 1;
      if (left === 0) this.#byUser.delete(userId);
      else this.#byUser.set(userId, left);
    };
  }
}

/** A `retry-after` that differs from client to client. */
export function retryLater(): { readonly 'retry-after': string } {
  return { 'retry-after': String(randomInt(RETRY_SECONDS.min, RETRY_SECONDS.max + 1)) };
}
