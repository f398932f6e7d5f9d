import type { Clock, Instant } from '../src/server/clock.js';

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now: Instant;
  readonly #timers = new Set<{ readonly at: number; readonly act: () => void }>();

  /** @param wall milliseconds since 1970 */
  constructor(wall: number) {
    this.#now = { wall, steady: 0 };
  }

  now(): Instant {
    return this.#now;
  }

  after(ms: number, act: () => void): () => void {
    const timer = { at: this.#now.steady + ms, act };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass, and what is due happen in order. */
  advance(ms: number): void {
    const end = this.#now.steady + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#move(Math.max(next.at, this.#now.steady));
      next.act();
    }
    this.#move(end);
  }

  /** Sets the wall clock, as an operator does. */
  set(wall: number): void {
    this.#now = { ...this.#now, wall };
  }

  #move(steady: number): void {
    this.#now = { wall: this.#now.wall + steady - this.#now.steady, steady };
  }
}
