import { setTimeout as pause } from 'node:timers/promises';

const TICK_MS = 5;
/** What is due while so many are under way is left out: a machine that is slower has less to do, not a queue that grows. */
const MOST_UNDER_WAY = 50;

/** Does something so many times a second by the clock, as long as it is done so fast, until it is stopped. */
export class SteadyLoad {
  readonly #underWay = new Set<Promise<void>>();
  readonly #run: Promise<void>;
  #stopping = false;

  /** @param once gets the number of the time, from 0 on; when it rejects, so does `stop` */
  constructor(perSecond: number, once: (n: number) => Promise<void>) {
    this.#run = this.#keep(perSecond, once);
  }

  /** Begins nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#run;
    await Promise.all(this.#underWay);
  }

  async #keep(perSecond: number, once: (n: number) => Promise<void>): Promise<void> {
    const began = performance.now();
    let [due, done] = [0, 0];
    for (; !this.#stopping; await pause(TICK_MS)) {
      for (const now = ((performance.now() - began) / 1000) * perSecond; due < now; due += 1) {
        if (this.#underWay.size >= MOST_UNDER_WAY) continue;
        const work = once(done);
        done += 1;
        this.#underWay.add(work);
        work.then(
          () => this.#underWay.delete(work),
          () => undefined, // it stays, for `stop` to reject
        );
      }
    }
  }
}
