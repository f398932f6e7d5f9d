import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a fold may keep the event loop to itself, in milliseconds. */
const TURN_MS = 5;

/**
 * Lets others have the event loop while a long batch is folded: folding awaits nothing that is not there, so without
 * this a batch of a rebuild would make every read of the process wait for its end.
 */
export class EventLoopShare {
  #began = performance.now();

  /** Waits for the next turn of the event loop when this one took long enough. */
  async yieldIfDue(): Promise<void> {
    if (performance.now() - this.#began < TURN_MS) return;
    await nextTurn();
    this.#began = performance.now();
  }
}
