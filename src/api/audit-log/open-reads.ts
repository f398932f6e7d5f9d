import { ProblemError } from '../../http/problem.js';

/** Looks into the database for who has no key, at once, of one instance. */
const MOST_AT_ONCE = 20;

/** Bounds what those without a key can have an instance do at once: beyond that they are told to come again. */
export class OpenReads {
  #underWay = 0;

  /** @throws ProblemError `too_many_requests`, and what `read` throws */
  async run<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this.#underWay >= MOST_AT_ONCE) {
      throw new ProblemError('too_many_requests', 'Too many read the public log at once. Try again.', {
        'retry-after': '1',
      });
    }
    this.#underWay += 1;
    try {
      return await read();
    } finally {
      this.#underWay -= 1;
    }
  }
}
