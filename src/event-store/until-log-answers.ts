import { setTimeout as pause } from 'node:timers/promises';
import { EventStoreUnavailableError } from './errors.js';
import type { EventStore } from './event-store.js';

/** Milliseconds between two tries, and between two lines that say so. */
const TRY_EVERY_MS = 1_000;
const SAY_EVERY_MS = 10_000;

export interface WaitForLog {
  /** Gets a line when the log does not answer, and then every ten seconds. */
  readonly say: (line: string) => void;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/**
 * Comes back once the log answers: a start while its store is away waits for it, however long that is.
 * @throws what the store throws when it does answer; the reason of the signal when it is aborted
 */
export async function untilLogAnswers(
  store: Pick<EventStore, 'head'>,
  { say, signal }: WaitForLog,
): Promise<void> {
  let saidAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    signal.throwIfAborted();
    try {
      await store.head();
      return;
    } catch (error) {
      if (!(error instanceof EventStoreUnavailableError)) throw error;
      if (performance.now() - saidAt >= SAY_EVERY_MS) {
        saidAt = performance.now();
        say(`the event store does not answer, the start waits for it: ${error.message}`);
      }
    }
    await pause(TRY_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
