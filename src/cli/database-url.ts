import { loadStoreSettings, type StoreSettings } from '../config/settings.js';
import { visitEmbeddedPostgres } from '../database/embedded/embedded-postgres.js';
import type { Terminal } from './terminal.js';

/**
 * Lets `work` use the PostgreSQL of the service, whether the service runs or not: the one DATABASE_URL names, else the
 * embedded one under DATA_DIR, started for a while where it does not run.
 */
export async function withDatabaseUrl<Result>(
  terminal: Terminal,
  work: (settings: StoreSettings, databaseUrl: string) => Promise<Result>,
): Promise<Result> {
  const settings = loadStoreSettings(terminal.environment);
  if (settings.databaseUrl !== null) return work(settings, settings.databaseUrl);
  const { url, leave } = await visitEmbeddedPostgres({
    dataDir: settings.dataDir,
    onProgress: (message) => terminal.err(`tenure: ${message}\n`),
  });
  try {
    return await work(settings, url);
  } finally {
    await leave();
  }
}
