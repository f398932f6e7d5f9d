import type { AllStreamSubscription, StreamSubscription } from '@eventstore/db-client';
import { until } from '../../support/until.js';
import { inRecordedWords } from './observe.js';

type AnySubscription = AllStreamSubscription | StreamSubscription;

/** What is written into the log of an event. */
export interface Followed {
  readonly streamId: string;
  readonly type: string;
  readonly data: unknown;
  readonly position?: { readonly commit: bigint; readonly prepare: bigint };
}

/** A subscription with everything it says, in order. */
export interface Follower {
  readonly subscription: AnySubscription;
  readonly log: readonly unknown[];
  readonly received: number;
  /** Whether an error has come. */
  readonly dropped: boolean;
  /** Adds a remark of the test to the log. */
  note(remark: string): void;
  /** Waits until `entry` is in the log. */
  saw(entry: string): Promise<void>;
  /** Waits for an error. */
  ended(): Promise<void>;
  /** From now on every event takes its consumer this many milliseconds. */
  slowDown(ms: number): void;
}

/** Follows `subscription`; an event is logged as `word` says, by default by its type. */
export function follow(
  subscription: AnySubscription,
  word: (event: Followed) => string = ({ type }) => type,
): Follower {
  const log: unknown[] = [];
  const counts = { received: 0, errors: 0 };
  for (const name of ['confirmation', 'caughtUp', 'end', 'finish', 'close'] as const) {
    subscription.on(name, () => log.push(name));
  }
  subscription.on('error', (error: Error) => {
    counts.errors += 1;
    log.push({ error: inRecordedWords(error) });
  });
  let slowness = 0;
  subscription.on('data', ({ event }: { readonly event?: Followed }) => {
    if (event === undefined) return;
    counts.received += 1;
    log.push(word(event));
    if (slowness === 0) return;
    subscription.pause();
    setTimeout(() => subscription.resume(), slowness);
  });
  return {
    subscription,
    log,
    get received() {
      return counts.received;
    },
    get dropped() {
      return counts.errors > 0;
    },
    note: (remark) => log.push(remark),
    saw: async (entry) => {
      await until(`${entry} after ${JSON.stringify(log)}`, () => log.includes(entry));
    },
    ended: async () => {
      await until('an error', () => counts.errors > 0);
    },
    slowDown: (ms) => {
      slowness = ms;
    },
  };
}
