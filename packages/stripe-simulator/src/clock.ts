interface Job {
  readonly second: number;
  readonly order: number;
  readonly run: () => void;
}

/** A time that lies behind the clock's was asked for. */
export class ClockRunsForwardError extends Error {
  override readonly name = 'ClockRunsForwardError';
}

/**
 * Time of the simulation in Unix seconds, and what falls due in it. It stands still until it is moved; jobs run in the order
 * of their seconds, and within a second in the order in which they were asked for.
 */
export class SimulatedClock {
  #now: number;
  #orders = 0;
  /** A binary heap, the earliest job first. */
  readonly #jobs: Job[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  get now(): number {
    return this.#now;
  }

  /** Second of the next job; `null` when none waits. */
  get nextJob(): number | null {
    return this.#jobs[0]?.second ?? null;
  }

  /** Runs `job` when the clock comes to `second`, at the next move when that has passed. A job that no longer applies must see so itself. */
  at(second: number, job: () => void): void {
    this.#orders += 1;
    const jobs = this.#jobs;
    jobs.push({ second, order: this.#orders, run: job });
    let at = jobs.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isEarlier(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Moves to the earlier of `second` and the next job's, and runs all that is due there. @throws ClockRunsForwardError */
  step(second: number): void {
    if (second < this.#now) throw new ClockRunsForwardError(`the clock is at ${this.#now} already`);
    this.#now = Math.max(this.#now, Math.min(second, this.nextJob ?? second));
    for (let job = this.#jobs[0]; job !== undefined && job.second <= this.#now; job = this.#jobs[0]) {
      this.#removeFirst();
      job.run();
    }
  }

  /** Moves to `second` and runs whatever falls due on the way, each job at its own second. @throws ClockRunsForwardError */
  moveTo(second: number): void {
    do this.step(second);
    while (this.#now < second);
  }

  #removeFirst(): void {
    const jobs = this.#jobs;
    const last = jobs.pop();
    if (last === undefined || jobs.length === 0) return;
    jobs[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= jobs.length) return;
      const right = left + 1;
      const child = right < jobs.length && this.#isEarlier(right, left) ? right : left;
      if (!this.#isEarlier(child, at)) return;
      this.#swap(child, at);
      at = child;
    }
  }

  #isEarlier(one: number, other: number): boolean {
    const [a, b] = [this.#jobs[one], this.#jobs[other]];
    if (a === undefined || b === undefined) return false;
    return a.second < b.second || (a.second === b.second && a.order < b.order);
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#jobs[one], this.#jobs[other]];
    if (a === undefined || b === undefined) return;
    this.#jobs[one] = b;
    this.#jobs[other] = a;
  }
}
