import { APART_MS } from '../../src/database/server-clock.js';

/**
 * The clock of a service, which a test moves on instead of waiting: what is to end at `end` does not end before that, however
 * slow the machine is. It stays so near to the database's that the service believes it.
 */
export class AdvancingClock {
  /** How far it can be moved on, in milliseconds; one step is left for what passes between two looks at both clocks. */
  static readonly MOST_MS = APART_MS - 5_000;
  #aheadMs = 0;

  /** Unix milliseconds, wherever it is given to. */
  readonly now = (): number => Date.now() + this.#aheadMs;

  /** A whole second, in Unix milliseconds, that comes when the clock is moved on, and as late as can be. */
  get end(): number {
    return Math.floor((Date.now() + AdvancingClock.MOST_MS) / 1_000) * 1_000;
  }

  /** Moves it on. */
  advance(): void {
    this.#aheadMs = AdvancingClock.MOST_MS;
  }
}
