import { setTimeout as pause } from 'node:timers/promises';

const TICK_MS = 5;

/** Does something so many times a second by the clock, whoever is slow, until it is stopped. */
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
    for (let done = 0; !this.#stopping; await pause(TICK_MS)) {
      for (const due = ((performance.now() - began) / 1000) * perSecond; done < due; done += 1) {
        const work = once(done);
        this.#underWay.add(work);
        work.then(
          () => this.#underWay.delete(work),
          () => undefined, // it stays, for `stop` to reject
        );
      }
    }
  }
}
