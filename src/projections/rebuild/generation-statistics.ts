import type { Pool } from 'pg';
import { z } from 'zod';
import { partitionOf } from '../read-models/partitions.js';

const tableRows = z.array(z.object({ name: z.string() }));

/**
 * Of fewer users no statistics are wanted: the table would be read whole, also when it has grown by a thousand times before
 * autovacuum looks again. Without any, PostgreSQL looks users up by their keys.
 */
const FEWEST_USERS = 1_000;

/**
 * Has PostgreSQL look at what users of a generation are listed by, and at nothing else: all other tables are read by keys. A new one has no
 * statistics until autovacuum comes, in a minute or more; till then a list of users by plan and status takes the wrong index,
 * and reads everybody for a page. Not for a transaction: who reads or writes the table does not wait, and one that somebody else
 * alters is left out. How many rows there are is asked of what PostgreSQL counts meanwhile, which waits for nobody.
 */
export async function gatherStatistics(pool: Pool, generation: number): Promise<void> {
  const { rows } = await pool.query(
    `select oid::regclass::text as name from pg_class
     where relnamespace = 'tenure'::regnamespace and relname = $1 and pg_stat_get_live_tuples(oid) >= $2`,
    [partitionOf('user_role', generation), FEWEST_USERS],
  );
  const [table] = tableRows.parse(rows);
  if (table === undefined) return;
  await pool.query(`analyze (skip_locked) ${table.name} (generation, user_id, role, plan, status, next_at)`);
}
