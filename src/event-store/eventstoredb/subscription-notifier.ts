import { kindOf } from './faults.js';
import type { LogClient, Subscription } from './log-client.js';
import { subscribeRequest } from './wire.js';

/** Milliseconds before a lost subscription is opened again: the first wait, doubled up to the last. */
const FIRST_REOPEN_MS = 50;
const LAST_REOPEN_MS = 2_000;

/**
 * Notifies listeners when there may be more to read: at once of appends of this process, and of those of others by a filtered live
 * subscription to `$all`, which is opened again by itself. Nothing is read from it: the server drops it whenever 32 events
 * wait (README of the measurements, 6), so a notification is a hint: whoever needs certainty polls too.
 */
export class SubscriptionNotifier {
  readonly #listeners = new Set<() => void>();
  #subscription: Subscription | null = null;
  #reopen: NodeJS.Timeout | null = null;
  #reopenMs = FIRST_REOPEN_MS;
  #isClosed = false;

  /** `onFault` receives why a subscription was lost, and of listeners that threw. */
  constructor(
    private readonly client: LogClient,
    private readonly prefix: string,
    private readonly onFault: (fault: unknown) => void,
  ) {}

  /** Calls `listener` from now on; returns the way to stop. */
  listen(listener: () => void): () => void {
    // A wrapper of its own, so that one function given twice is two listeners.
    const own = (): void => listener();
    this.#listeners.add(own);
    if (this.#subscription === null && this.#reopen === null && !this.#isClosed) this.#open();
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Notifies every listener: something was appended by this process. */
  notify(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (thrown) {
        this.onFault(thrown);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    if (this.#reopen !== null) clearTimeout(this.#reopen);
    this.#subscription?.cancel();
    this.#subscription = null;
  }

  #open(): void {
    this.#reopen = null;
    this.#subscription = this.client.subscribe(subscribeRequest(this.prefix), {
      onMessage: (message) => {
        if (message.hasConfirmation()) this.#reopenMs = FIRST_REOPEN_MS;
        // The confirmation counts too: something may have been appended while there was no subscription.
        if (message.hasConfirmation() || message.hasEvent()) this.notify();
      },
      onEnd: (fault) => this.#lost(fault),
    });
  }

  #lost(fault: unknown): void {
    this.#subscription = null;
    if (this.#isClosed) return;
    // Dropped as too slow (gRPC ABORTED): normal after a burst, and there is more to read.
    if (fault !== null && kindOf(fault) === 'timeout') {
      this.notify();
      this.#reopen = setTimeout(() => this.#open(), 0);
      return;
    }
    if (fault !== null) this.onFault(fault);
    this.#reopen = setTimeout(() => this.#open(), this.#reopenMs);
    this.#reopenMs = Math.min(this.#reopenMs * 2, LAST_REOPEN_MS);
  }
}
