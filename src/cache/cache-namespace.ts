import type { Pool } from 'pg';
import { z } from 'zod';

const rows = z.tuple([z.object({ system: z.string(), timeline: z.string(), database: z.string() })]);

/**
 * What the keys of a database begin with: another server, another timeline of it (a failover, a restore to a point in time),
 * another database of it and other code each have other ones.
 */
export async function cacheNamespace(pool: Pool, codeVersion: string): Promise<string> {
  const found = await pool.query(
    `select (select system_identifier::text from pg_control_system()) as system,
       left(pg_walfile_name(pg_current_wal_lsn()), 8) as timeline,
       (select oid::text from pg_database where datname = current_database()) as database`,
  );
  const [{ system, timeline, database }] = rows.parse(found.rows);
  return `tenure:{${system}-${timeline}-${database}-${codeVersion}}`;
}
