import { LRUCache } from 'lru-cache';

/** Failures that one address may have in one minute before it is told to wait. */
export const MAX_FAILURES_PER_MINUTE = 20;
const WINDOW_MS = 60_000;
/** Addresses remembered at most: a flood from many addresses must not fill the memory. */
const MAX_ADDRESSES = 20_000;

/** Counts failed attempts by address in windows of a minute. `now` is in milliseconds. */
export class FailureLimiter {
  private readonly windows = new LRUCache<string, { startedAt: number; failures: number }>({
    max: MAX_ADDRESSES,
  });

  constructor(private readonly now: () => number = Date.now) {}

  /** Notes a failure. Returns the whole seconds to wait when the address has had too many, else `null`. */
  fail(address: string): number | null {
    const now = this.now();
    const window = this.windows.get(address);
    if (window === undefined || now - window.startedAt >= WINDOW_MS) {
      this.windows.set(address, { startedAt: now, failures: 1 });
      return null;
    }
    window.failures += 1;
    if (window.failures <= MAX_FAILURES_PER_MINUTE) return null;
    return Math.ceil((window.startedAt + WINDOW_MS - now) / 1000);
  }
}
