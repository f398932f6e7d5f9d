import type { Pool } from 'pg';
import type { MigrationInterface } from 'typeorm';

/** How many of `migrations` a database has not had yet; asks, and changes nothing. */
export async function pendingMigrations(
  database: Pick<Pool, 'query'>,
  migrations: readonly (new () => MigrationInterface)[],
): Promise<number> {
  const { rows: found } = await database.query(
    `select to_regclass('public.tenure_migrations') is not null as "isThere"`,
  );
  if (found[0]?.isThere !== true) return migrations.length;
  const { rows } = await database.query<{ name: string }>('select name from public.tenure_migrations');
  const had = new Set(rows.map(({ name }) => name));
  return migrations.filter((Migration) => !had.has(new Migration().name ?? Migration.name)).length;
}
