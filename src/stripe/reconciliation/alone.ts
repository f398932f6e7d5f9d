import type { Pool } from 'pg';
import { withClient } from '../../database/in-transaction.js';

/** Jobs of which one runs at a time, whichever process runs it. */
export type JobName = 'import' | 'reconciliation';

/** Does `work` while no other process does a job of the name; else throws what `underWay` makes. */
export function alone<T>(
  pool: Pool,
  job: JobName,
  underWay: () => Error,
  work: () => Promise<T>,
): Promise<T> {
  const lock = [`tenure ${job}`];
  return withClient(pool, async (client) => {
    const { rows } = await client.query(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as taken',
      lock,
    );
    if (rows[0]?.taken !== true) throw underWay();
    try {
      return await work();
    } finally {
      await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', lock);
    }
  });
}
