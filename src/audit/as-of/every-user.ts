import type { Pool } from 'pg';
import { z } from 'zod';
import type { AsOfReader } from './as-of.js';
import type { AsOfQuestion, AsOfSnapshot } from './user-as-of.js';

/** Users looked up at once, and those of them whose answers are made at once. */
const PAGE = 100;
const AT_ONCE = 4;

const userRow = z.object({ user_id: z.string() });

/**
 * Everyone of whom anything was known at a moment, by user id, after the id `cursor`. Answers are made as they are asked
 * for; between two of them no connection is held. What is asked without `knownAt` is answered by all that is known when each
 * answer is made.
 */
export async function* everyUserAsOf(
  reader: Pick<AsOfReader, 'asOf'>,
  pool: Pool,
  question: AsOfQuestion,
  cursor: string | null,
): AsyncGenerator<AsOfSnapshot> {
  let after = cursor ?? '';
  for (;;) {
    const users = await usersAfter(pool, after);
    for (let first = 0; first < users.length; first += AT_ONCE) {
      const some = users.slice(first, first + AT_ONCE);
      const answers = await Promise.all(some.map((userId) => reader.asOf(userId, question)));
      for (const { snapshot, since } of answers) if (since !== null) yield snapshot;
    }
    const last = users.at(-1);
    if (last === undefined || users.length < PAGE) return;
    after = last;
  }
}

/** Users whom an event named, or of whom something was served, by id. The distinct ids are found by leaps along the keys. */
async function usersAfter(pool: Pool, after: string): Promise<readonly string[]> {
  const { rows } = await pool.query({
    name: 'tenure-known-users',
    text: `with recursive known (user_id, n) as (
             (select least(${nextAfter('$1')}), 1)
             union all
             select least(${nextAfter('k.user_id')}), k.n + 1 from known k where k.user_id is not null and k.n < $2
           )
           select user_id from known where user_id is not null order by user_id`,
    values: [after, PAGE],
  });
  return z
    .array(userRow)
    .parse(rows)
    .map(({ user_id: userId }) => userId);
}

function nextAfter(after: string): string {
  return `(select u.user_id from tenure.user_stream u
       where u.generation = (select generation from tenure.live_generation) and u.user_id > ${after}
       order by u.user_id limit 1),
     (select s.user_id from tenure.served_entitlement s where s.user_id > ${after} order by s.user_id limit 1)`;
}
