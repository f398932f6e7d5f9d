import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a fold may keep the event loop to itself, in milliseconds. */
const TURN_MS = 5;

/**
 * Lets others have the event loop while a long batch is folded: folding awaits nothing that is not there, so without
 * this a batch of a rebuild would make every read of the process wait for its end.
 */
export class EventLoopShare {
  #began = performance.now();

  /** Whether this turn took long enough: asked first where most steps are short, since each wait is a step of its own. */
  get isDue(): boolean {
    return performance.now() - this.#began >= TURN_MS;
  }

  /** Waits for the next turn of the event loop when this one took long enough. */
  async yieldIfDue(): Promise<void> {
    if (!this.isDue) return;
    await nextTurn();
    this.#began = performance.now();
  }
}
