import { LRUCache } from 'lru-cache';

/** The greatest second (Unix) that Stripe named on a stream, and how many of its events are of it. */
export interface NewestSecond {
  readonly second: number;
  readonly events: number;
}

/** The fold of a stream up to its last known event. `revision` is −1 and `hash` the genesis for an empty stream. */
export interface Fold<State> {
  readonly state: State;
  readonly revision: number;
  readonly hash: string;
  readonly position: string | null;
  readonly newest: NewestSecond | null;
}

/** Folds in memory, by stream. */
export type KeptFolds<State> = LRUCache<string, Fold<State>>;

/** What the fold of a stream takes without the keys of its events, its name included; bytes, measured: 640 to 660. */
const FOLD_BYTES = 650;
/** What the key of each event takes in it; bytes, measured: 75 to 90. */
const KEY_BYTES = 90;

/**
 * An empty memory for folds, of so many bytes at most: beyond it those are dropped that were not used for the longest time.
 * One that is larger by itself has it alone, because reading so long a stream for each command would cost far more.
 */
export function keptFolds<State>(bytes: number): KeptFolds<State> {
  return new LRUCache({
    maxSize: bytes,
    sizeCalculation: ({ revision }) => Math.min(bytes, FOLD_BYTES + (revision + 1) * KEY_BYTES),
  });
}

/** The newest second of a stream, with one more event of `second`; `null` is an event of which Stripe named none. */
export function withSecond(newest: NewestSecond | null, second: number | null): NewestSecond | null {
  if (second === null || (newest !== null && second < newest.second)) return newest;
  return { second, events: second === newest?.second ? newest.events + 1 : 1 };
}
