import pg from 'pg';
import { DataSource } from 'typeorm';
import { eventStoreMigrations } from '../../src/event-store/postgres/migrations.js';
import { eventStorePoolConfig } from '../../src/event-store/postgres/pg-session.js';
import {
  PostgresEventStore,
  type PostgresEventStoreLimits,
} from '../../src/event-store/postgres/postgres-event-store.js';
import { type Template, type TestDatabase, testDatabase } from '../support/postgres.js';

/** A migrated log in a database of its own, and stores on it that each have their own connections. */
export interface PostgresLog {
  readonly database: TestDatabase;
  /** Faults the stores reported beside their calls. */
  readonly faults: Error[];
  store(given?: StoreSettings): PostgresEventStore;
  /** Closes every store, then removes the database. */
  close(): Promise<void>;
}

export interface StoreSettings {
  readonly limits?: Partial<PostgresEventStoreLimits>;
  readonly pool?: pg.PoolConfig;
  /** Where the store's pool finds the server, when not directly. */
  readonly url?: string;
}

export async function openPostgresLog(): Promise<PostgresLog> {
  const database = await testDatabase(LOG_TABLES);
  const faults: Error[] = [];
  const stores: { store: PostgresEventStore; pool: pg.Pool }[] = [];
  return {
    database,
    faults,
    store: (given = {}) => {
      const url = given.url ?? database.url;
      const pool = new pg.Pool({ ...eventStorePoolConfig(url, 4), ...given.pool });
      const store = new PostgresEventStore(pool, {
        session: { connectionString: database.url },
        onFault: (fault) => faults.push(fault),
        ...(given.limits === undefined ? {} : { limits: given.limits }),
      });
      stores.push({ store, pool });
      return store;
    },
    close: async () => {
      for (const { store, pool } of stores) {
        await store.close();
        await pool.end();
      }
      await database.drop();
    },
  };
}

const LOG_TABLES: Template = {
  name: 'log',
  afterwards: 'dropped',
  migrate: async (url) => {
    await migrate(url);
  },
};

/** Runs the log's migrations; returns the names of those that were new. */
export async function migrate(url: string): Promise<string[]> {
  const source = new DataSource({ type: 'postgres', url, migrations: eventStoreMigrations });
  await source.initialize();
  try {
    return (await source.runMigrations()).map((migration) => migration.name);
  } finally {
    await source.destroy();
  }
}
