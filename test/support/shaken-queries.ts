import { setImmediate } from 'node:timers/promises';
import type { Statements } from '../../src/database/in-transaction.js';
import { randomFrom } from './lives.js';

/** An answer is kept for so many turns of the event loop at most. */
const TURNS = 40;

/**
 * The same statements, of which each is answered some turns of the event loop late: those that are under way at a time are answered in
 * any order, which a `seed` chooses.
 */
export function shakenQueries(statements: Statements, seed: number): Statements {
  const random = randomFrom(seed);
  return {
    query: async (...statement) => {
      const answer = await statements.query(...statement);
      for (let turns = Math.floor(random() * TURNS); turns > 0; turns -= 1) await setImmediate();
      return answer;
    },
  };
}
