import type { Pool } from 'pg';
import { z } from 'zod';
import { GENERATION_TABLES, partitionOf } from '../read-models/partitions.js';

const tableRows = z.array(z.object({ name: z.string() }));

/**
 * Of smaller tables none are wanted: they would be read whole, also when they have grown by a thousand times before autovacuum
 * looks again. Without any, PostgreSQL looks things up by their keys.
 */
const FEWEST_ROWS = 1_000;

/**
 * Has PostgreSQL look at what is in the tables of a generation. A new one has no statistics until autovacuum comes, in a minute or
 * more; till then a list of users by plan and status takes the wrong index, and reads everybody for a page. Not for a
 * transaction: who reads or writes the tables does not wait, and one that somebody else alters is left out. How many rows there are
 * is asked of what PostgreSQL counts meanwhile, which waits for nobody.
 */
export async function gatherStatistics(pool: Pool, generation: number): Promise<void> {
  const { rows } = await pool.query(
    `select oid::regclass::text as name from pg_class
     where relnamespace = 'tenure'::regnamespace and relname = any($1) and pg_stat_get_live_tuples(oid) >= $2
     order by relname`,
    [GENERATION_TABLES.map((table) => partitionOf(table, generation)), FEWEST_ROWS],
  );
  const tables = tableRows.parse(rows).map(({ name }) => name);
  if (tables.length > 0) await pool.query(`analyze (skip_locked) ${tables.join(', ')}`);
}
