import type pg from 'pg';
import { DataSource, type EntitySchema, type MigrationInterface } from 'typeorm';
import { clientConfig, DeadlineClient, LONG, prepare } from './deadlines.js';
import { LongWatch, longPoolConfig } from './long-watch.js';
import { pendingMigrations } from './pending-migrations.js';
import { openSession, refuseTransactionPooler } from './pooler.js';
import { openPool } from './pools.js';

/** "tnre", and the number of the lock under which migrations run. */
const MIGRATION_LOCK = [0x746e7265, 2];
const POOL_SIZE = 20;
/** Connections for what goes through TypeORM: few, so that a long list takes none from the hot paths. */
const ENTITY_POOL_SIZE = 4;

/** DI token of the database's connection string, for sessions that lead or listen. */
export const DATABASE_URL = Symbol('DATABASE_URL');

/** DI token of the pool for hot SQL. */
export const POOL = Symbol('POOL');

export interface DatabaseOptions {
  readonly url: string;
  /** Migration classes, of all parts that keep tables. */
  readonly migrations: readonly (new () => MigrationInterface)[];
  /** Tables as TypeORM is to know them; the migrations alone make and change them. */
  readonly entities: readonly EntitySchema[];
  /** Settings of the pool for a URL and a size. */
  readonly poolConfig: (url: string, max: number) => pg.PoolConfig;
  /** Hears of idle connections that broke: the pool replaces them by itself. */
  readonly onIdleFault: (error: Error) => void;
}

/** A migrated database: a pool for hot SQL, and TypeORM's source for everything else. */
export interface Database {
  readonly pool: pg.Pool;
  readonly source: DataSource;
  close(): Promise<void>;
}

/**
 * Connects, runs pending migrations under a lock (several processes may start at once), and opens the pools.
 * @throws TransactionPoolerError and what the database answers
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  await migrate(options);
  return openMigratedDatabase(options);
}

/** Opens the pools of a database that has its tables. */
export async function openMigratedDatabase(options: Omit<DatabaseOptions, 'migrations'>): Promise<Database> {
  const { url, entities, poolConfig, onIdleFault } = options;
  const source = new DataSource({
    type: 'postgres',
    url,
    entities: [...entities],
    synchronize: false,
    extra: poolConfig(url, ENTITY_POOL_SIZE),
    poolErrorHandler: onIdleFault,
  });
  await source.initialize();
  const pool = openPool(poolConfig(url, POOL_SIZE), onIdleFault);
  return {
    pool,
    source,
    close: async () => {
      await Promise.all([pool.end(), source.destroy()]);
    },
  };
}

/** Runs what is pending of `migrations`, if anything is, one process at a time, each migration in its transaction. */
async function migrate({ url, migrations, onIdleFault }: DatabaseOptions): Promise<void> {
  const watch = new LongWatch(url);
  const session = new DeadlineClient(clientConfig(url, 'tenure migrations', LONG));
  session.on('error', onIdleFault);
  try {
    await session.connect();
    await prepare(session, LONG);
    watch.add(session);
    await refuseTransactionPooler(session, () => openSession(url));
    if ((await pendingMigrations(session, migrations)) === 0) return;
    await session.query('select pg_advisory_lock($1, $2)', MIGRATION_LOCK);
    const source = new DataSource({
      type: 'postgres',
      url,
      migrations: [...migrations],
      // Said aloud: a role named like one of our schemas would have that schema searched first, once it exists.
      schema: 'public',
      migrationsTableName: 'tenure_migrations',
      migrationsTransactionMode: 'each',
      extra: longPoolConfig(url, 1, 'tenure migrations', watch),
      poolErrorHandler: onIdleFault,
    });
    await source.initialize();
    try {
      await source.runMigrations();
    } finally {
      await source.destroy();
    }
  } finally {
    await session.end(); // lets go of the lock
  }
}
