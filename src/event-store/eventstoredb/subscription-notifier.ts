import { kindOf } from './faults.js';
import type { LogClient, Subscription } from './log-client.js';
import { subscribeRequest } from './wire.js';

/** Milliseconds before a lost subscription is opened again: the first wait, doubled up to the last. */
const FIRST_REOPEN_MS = 50;
const LAST_REOPEN_MS = 2_000;

/**
 * Rings when there may be more to read: at once for appends of this process, and for those of others by a filtered live
 * subscription to `$all`, which is opened again by itself. Nothing is read from it: the server drops it whenever 32 events
 * wait (README of the measurements, 6), so a ring is a hint, and whoever needs certainty also polls.
 */
export class SubscriptionNotifier {
  readonly #rings = new Set<() => void>();
  #subscription: Subscription | null = null;
  #reopen: NodeJS.Timeout | null = null;
  #reopenMs = FIRST_REOPEN_MS;
  #isClosed = false;

  /** `onFault` hears why a subscription was lost, and of listeners that threw. */
  constructor(
    private readonly client: LogClient,
    private readonly prefix: string,
    private readonly onFault: (fault: unknown) => void,
  ) {}

  /** Calls `ring` from now on; returns the way to stop. */
  listen(ring: () => void): () => void {
    // A wrapper of its own, so that one function given twice is two listeners.
    const own = (): void => ring();
    this.#rings.add(own);
    if (this.#subscription === null && this.#reopen === null && !this.#isClosed) this.#open();
    return () => {
      this.#rings.delete(own);
    };
  }

  /** Something was appended by this process. */
  ring(): void {
    for (const ring of this.#rings) {
      try {
        ring();
      } catch (thrown) {
        this.onFault(thrown);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#rings.clear();
    if (this.#reopen !== null) clearTimeout(this.#reopen);
    this.#subscription?.cancel();
    this.#subscription = null;
  }

  #open(): void {
    this.#reopen = null;
    this.#subscription = this.client.subscribe(subscribeRequest(this.prefix), {
      onMessage: (message) => {
        if (message.hasConfirmation()) this.#reopenMs = FIRST_REOPEN_MS;
        // The confirmation rings too: something may have been appended while there was no subscription.
        if (message.hasConfirmation() || message.hasEvent()) this.ring();
      },
      onEnd: (fault) => this.#lost(fault),
    });
  }

  #lost(fault: unknown): void {
    this.#subscription = null;
    if (this.#isClosed) return;
    // Dropped as too slow (gRPC ABORTED): normal after a burst, and there is more to read.
    if (fault !== null && kindOf(fault) === 'timeout') {
      this.ring();
      this.#reopen = setTimeout(() => this.#open(), 0);
      return;
    }
    if (fault !== null) this.onFault(fault);
    this.#reopen = setTimeout(() => this.#open(), this.#reopenMs);
    this.#reopenMs = Math.min(this.#reopenMs * 2, LAST_REOPEN_MS);
  }
}
