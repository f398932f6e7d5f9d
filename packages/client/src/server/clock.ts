/** A moment by two clocks: one of them may be set back, the other may stand still while a machine is suspended. */
export interface Instant {
  /** Milliseconds since 1970. */
  readonly wall: number;
  /** Milliseconds of a clock that is never set. */
  readonly steady: number;
}

/** Where a guard takes its time from; tests have their own. */
export interface Clock {
  now(): Instant;
  /** Calls `act` after `ms`, unless what it returns is called before. */
  after(ms: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => ({ wall: Date.now(), steady: performance.now() }),
  after(ms, act) {
    const timer: unknown = setTimeout(act, ms);
    // In Node a timer of the guard keeps no process alive.
    if (isUnrefable(timer)) timer.unref();
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};

function isUnrefable(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer;
}

/** Milliseconds from `then` until `now`, by the clock that says more. */
export function elapsedMs(then: Instant, now: Instant): number {
  return Math.max(now.wall - then.wall, now.steady - then.steady);
}
