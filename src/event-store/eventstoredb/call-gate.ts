import { NotSentError } from './faults.js';

/**
 * Lets so many calls through at once, the others in the order they came. A connection carries 100 streams; calls beyond
 * that would wait unseen behind them, reads and the subscription included.
 */
export class CallGate {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  /**
   * Runs `work` when there is a place, with the milliseconds that are left of `ms` then.
   * @throws NotSentError when no place was free in time
   */
  async run<T>(ms: number, work: (msLeft: number) => Promise<T>): Promise<T> {
    const end = performance.now() + ms;
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(ms);
    try {
      return await work(Math.max(1, end - performance.now()));
    } finally {
      this.#leave();
    }
  }

  #turn(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(enter);
        reject(new NotSentError(`no turn at the event store within ${ms} ms`));
      }, ms);
      this.#waiting.add(enter);
    });
  }

  /** Hands the place to whoever waits longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
