import type { Pool } from 'pg';
import type { StoreSettings } from '../config/part-settings.js';
import { refuseUnfinishedRestore } from '../event-store/log-identity.js';
import { PseudonymsFixedError } from '../pseudonyms/errors.js';
import { hasPseudonymKey } from '../pseudonyms/keyed-hashes.js';
import { openMigratedServicePool, type ServiceDatabaseOptions } from '../start/service-migrations.js';
import { type DataUse, withDatabaseUrl } from './database-url.js';
import { keepsPseudonyms } from './kept-user-ids.js';
import type { Terminal } from './terminal.js';

/** Connections to the database that a service with the same settings uses, and those settings. */
export interface ServicePool {
  readonly settings: StoreSettings;
  readonly pool: Pool;
  readonly databaseUrl: string;
}

interface Opened {
  readonly pool: Pool;
  readonly close: () => Promise<void>;
}

const OPEN: Readonly<Record<DataUse, (options: ServiceDatabaseOptions) => Promise<Opened>>> = {
  read: openForReading,
  write: openMigrated,
  restore: openMigrated,
};

/**
 * Lets `work` use the database of the service by SQL, whether the service runs or not: see `withDatabaseUrl`. Everything
 * that was opened is closed at the end.
 * @throws NoDatabaseError, NotMigratedError where `use` is `read`, UnfinishedRestoreError, and what the database answers
 */
export function withServicePool<Result>(
  terminal: Terminal,
  use: DataUse,
  work: (data: ServicePool) => Promise<Result>,
): Promise<Result> {
  return withDatabaseUrl(terminal, use, async (settings, databaseUrl) => {
    const { eventStoreUrl } = settings;
    const onIdleFault = (error: Error): void =>
      terminal.err(`tenure: a database connection broke: ${error.message}\n`);
    const { pool, close } = await OPEN[use]({ url: databaseUrl, eventStoreUrl, onIdleFault });
    try {
      if (use !== 'restore') {
        await refuseUnfinishedRestore(pool);
        await expectKept(terminal, pool);
      }
      return await work({ settings, pool, databaseUrl });
    } finally {
      await close();
    }
  });
}

async function openForReading(options: ServiceDatabaseOptions): Promise<Opened> {
  const pool = await openMigratedServicePool(options);
  return { pool, close: () => pool.end() };
}

/** Migrations run under TypeORM, which is loaded for that alone. */
async function openMigrated(options: ServiceDatabaseOptions): Promise<Opened> {
  const { openServiceDatabase } = await import('../start/service-database.js');
  return openServiceDatabase(options);
}

/**
 * Finds whether user ids are kept as the settings say, as far as the database tells.
 * @throws PseudonymsFixedError
 */
export async function expectKept(terminal: Terminal, pool: Pool): Promise<void> {
  if (keepsPseudonyms(terminal)) return;
  if (await hasPseudonymKey(pool)) throw new PseudonymsFixedError('pseudonyms');
}
