import type { StoreSettings } from '../config/part-settings.js';
import type { Database } from '../database/database.js';
import { refuseUnfinishedRestore } from '../event-store/log-identity.js';
import { openMigratedServiceDatabase, openServiceDatabase } from '../start/service-database.js';
import { type DataUse, withDatabaseUrl } from './database-url.js';
import { expectKept } from './service-pool.js';
import type { Terminal } from './terminal.js';

/** The database that a service with the same settings uses, and those settings. */
export interface ServiceData {
  readonly settings: StoreSettings;
  readonly database: Database;
  readonly databaseUrl: string;
}

/**
 * Lets `work` use the database of the service, whether the service runs or not: see `withDatabaseUrl`. Everything that
 * was opened is closed at the end.
 * @throws NoDatabaseError, NotMigratedError where `use` is `read`, UnfinishedRestoreError, and what the database answers
 */
export function withServiceData<Result>(
  terminal: Terminal,
  use: DataUse,
  work: (data: ServiceData) => Promise<Result>,
): Promise<Result> {
  return withDatabaseUrl(terminal, use, async (settings, databaseUrl) => {
    const open = use === 'read' ? openMigratedServiceDatabase : openServiceDatabase;
    const database = await open({
      url: databaseUrl,
      eventStoreUrl: settings.eventStoreUrl,
      onIdleFault: (error) => terminal.err(`tenure: a database connection broke: ${error.message}\n`),
    });
    try {
      if (use !== 'restore') {
        await refuseUnfinishedRestore(database.pool);
        await expectKept(terminal, database.pool);
      }
      return await work({ settings, database, databaseUrl });
    } finally {
      await database.close();
    }
  });
}
