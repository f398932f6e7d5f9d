import { loadStoreSettings, type StoreSettings } from '../config/part-settings.js';
import { NoDatabaseError } from '../database/errors.js';
import type { Terminal } from './terminal.js';

/**
 * What a command does with the service's data: a reader makes no database and changes no table; a `restore` is let in where
 * one has not ended, and nobody else is.
 */
export type DataUse = 'read' | 'write' | 'restore';

/**
 * Lets `work` use the PostgreSQL of the service, whether the service runs or not: the one DATABASE_URL names, else the
 * embedded one under DATA_DIR, started for a while where it does not run, and made where there is none unless `use` is `read`.
 * @throws NoDatabaseError
 */
export async function withDatabaseUrl<Result>(
  terminal: Terminal,
  use: DataUse,
  work: (settings: StoreSettings, databaseUrl: string) => Promise<Result>,
): Promise<Result> {
  const settings = loadStoreSettings(terminal.environment);
  if (settings.databaseUrl !== null) return work(settings, settings.databaseUrl);
  const { hasEmbeddedPostgres, visitEmbeddedPostgres } = await import(
    '../database/embedded/embedded-postgres.js'
  );
  const { dataDir } = settings;
  if (use === 'read' && !hasEmbeddedPostgres(dataDir)) throw new NoDatabaseError(dataDir);
  const { url, leave } = await visitEmbeddedPostgres({
    dataDir,
    onProgress: (message) => terminal.err(`tenure: ${message}\n`),
  });
  try {
    return await work(settings, url);
  } finally {
    await leave();
  }
}
