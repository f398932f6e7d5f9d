import type { Clock } from './environment.js';
import type { TenureError } from './errors.js';
import { accessChange, type Snapshot } from './snapshot.js';
import type { ClientState } from './state.js';

/** Pauses between the polls of a wait, in seconds: sixty in all. */
export const POLL_AFTER_SECONDS = [1, 2, 4, 8, 16, 29] as const;

export interface UpgradeOptions {
  /** The plan that was bought: waited for until the user has it, and no payment for it is awaited. */
  readonly plan?: string;
  /** What else is waited for, in place of `plan`. */
  readonly until?: (snapshot: Snapshot) => boolean;
  /**
   * What the user had before, where neither is given: waited for until there is more. Left out: what is known when the wait
   * begins.
   */
  readonly from?: Snapshot;
  readonly signal?: AbortSignal;
}

export type UpgradeState =
  | { readonly state: 'waiting' }
  | { readonly state: 'upgraded'; readonly snapshot: Snapshot; readonly isLate: boolean }
  /** Not within sixty seconds; what comes later still counts. `error` is why the last poll failed, if it did. */
  | { readonly state: 'timedOut'; readonly error: TenureError | null };

/** What a wait looks at. */
export interface UpgradeSource {
  getState(): ClientState;
  subscribe(listener: () => void): () => void;
  refetch(): Promise<Snapshot>;
}

/**
 * Waits for an upgrade: ends at once when it is there or is pushed, polls meanwhile, and says after the last poll that time is
 * over. It goes on listening then, so that a late upgrade is told, too. The function returned ends it.
 */
export function watchUpgrade(
  source: UpgradeSource,
  clock: Clock,
  options: Omit<UpgradeOptions, 'signal'>,
  listener: (state: UpgradeState) => void,
): () => void {
  const { plan, until } = options;
  let from = options.from ?? source.getState().snapshot ?? source.getState().lastKnown;
  let isOver = false;
  let isTimedOut = false;
  let cancelPoll = () => {};
  let unsubscribe = () => {};
  const end = () => {
    isOver = true;
    cancelPoll();
    unsubscribe();
  };
  const isReached = (snapshot: Snapshot): boolean => {
    if (until !== undefined) return until(snapshot);
    if (plan !== undefined) return snapshot.plan === plan && snapshot.pendingPayment?.plan !== plan;
    from ??= snapshot;
    return accessChange(from, snapshot) === 'upgraded';
  };
  const look = () => {
    const { snapshot, isExpired } = source.getState();
    if (isOver || snapshot === null || isExpired || !isReached(snapshot)) return;
    end();
    listener({ state: 'upgraded', snapshot, isLate: isTimedOut });
  };
  const begun = clock.now();
  const pollNext = (turn: number, dueMs: number) => {
    const seconds = POLL_AFTER_SECONDS[turn];
    if (seconds === undefined) return;
    const atMs = dueMs + seconds * 1_000;
    cancelPoll = clock.after(Math.max(0, begun + atMs - clock.now()), async () => {
      await source.refetch().catch(() => undefined);
      look();
      if (isOver) return;
      if (turn + 1 < POLL_AFTER_SECONDS.length) return pollNext(turn + 1, atMs);
      isTimedOut = true;
      listener({ state: 'timedOut', error: source.getState().error });
    });
  };
  listener({ state: 'waiting' });
  unsubscribe = source.subscribe(look);
  look();
  if (!isOver) pollNext(0, 0);
  else unsubscribe();
  return end;
}

/** How a wait ended. `later` comes when an upgrade does after all, and never when none does. */
export type UpgradeResult =
  | { readonly outcome: 'upgraded'; readonly snapshot: Snapshot }
  | {
      readonly outcome: 'timedOut';
      readonly error: TenureError | null;
      readonly later: Promise<Snapshot>;
    }
  | { readonly outcome: 'aborted' };

/** `watchUpgrade` as a promise, which is never rejected. Its signal ends the listening after the time-out, too. */
export function waitForUpgrade(
  source: UpgradeSource,
  clock: Clock,
  { signal, ...options }: UpgradeOptions,
): Promise<UpgradeResult> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve({ outcome: 'aborted' });
    let comesLate: (snapshot: Snapshot) => void = () => {};
    const stop = watchUpgrade(source, clock, options, (now) => {
      if (now.state === 'upgraded') {
        signal?.removeEventListener('abort', abort);
        comesLate(now.snapshot);
        resolve({ outcome: 'upgraded', snapshot: now.snapshot });
      } else if (now.state === 'timedOut') {
        const later = new Promise<Snapshot>((upgraded) => {
          comesLate = upgraded;
        });
        resolve({ outcome: 'timedOut', error: now.error, later });
      }
    });
    const abort = () => {
      stop();
      resolve({ outcome: 'aborted' });
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}
