import { loadStoreSettings, type StoreSettings } from '../config/settings.js';
import type { Database } from '../database/database.js';
import { visitEmbeddedPostgres } from '../database/embedded-postgres.js';
import { openServiceDatabase } from '../service-database.js';
import type { Terminal } from './terminal.js';

/** The database that a service with the same settings uses, and those settings. */
export interface ServiceData {
  readonly settings: StoreSettings;
  readonly database: Database;
  readonly databaseUrl: string;
}

/**
 * Lets `work` use the database of the service, whether the service runs or not: the one DATABASE_URL names, else the
 * embedded one under DATA_DIR. Everything that was opened is closed at the end.
 */
export async function withServiceData<Result>(
  terminal: Terminal,
  work: (data: ServiceData) => Promise<Result>,
): Promise<Result> {
  const settings = loadStoreSettings(terminal.environment);
  const { url, leave } =
    settings.databaseUrl === null
      ? await visitEmbeddedPostgres({
          dataDir: settings.dataDir,
          onProgress: (message) => terminal.err(`tenure: ${message}\n`),
        })
      : { url: settings.databaseUrl, leave: async () => undefined };
  try {
    const database = await openServiceDatabase({
      url,
      eventStoreUrl: settings.eventStoreUrl,
      onIdleFault: (error) => terminal.err(`tenure: a database connection broke: ${error.message}\n`),
    });
    try {
      return await work({ settings, database, databaseUrl: url });
    } finally {
      await database.close();
    }
  } finally {
    await leave();
  }
}
