import { connectionStringFault } from '../config/environment.js';
import { InvalidSettingsError } from '../config/settings.js';
import { NotMigratedError } from '../database/errors.js';
import { pendingMigrations } from '../database/pending-migrations.js';
import { openPool } from '../database/pools.js';
import { copyLog, LogCopyError } from '../event-store/copy-log.js';
import { EventStoreDbEventStore } from '../event-store/eventstoredb/eventstoredb-event-store.js';
import { eventStoreMigrations } from '../event-store/postgres/migrations.js';
import { eventStorePoolConfig } from '../event-store/postgres/pg-session.js';
import { PostgresEventStore } from '../event-store/postgres/postgres-event-store.js';
import { withDatabaseUrl } from './database-url.js';
import { messageOf, type Terminal } from './terminal.js';

/** The two logs, from where to where; `prefix` is STREAM_PREFIX. */
export interface CopyOptions {
  readonly databaseUrl: string;
  readonly eventStoreUrl: string;
  readonly prefix: string;
  /** Gets a line now and then. */
  readonly say: (line: string) => void;
}

/** Connections to the log that is read. */
const POOL_SIZE = 4;
/** Milliseconds between two lines of progress. */
const SAY_EVERY_MS = 1_000;

/** `tenure events copy`, from where the settings say. @throws InvalidSettingsError and what `copyEvents` throws */
export function copyServiceLog(terminal: Terminal): Promise<void> {
  return withDatabaseUrl(terminal, 'read', async ({ eventStoreUrl, streamPrefix: prefix }, databaseUrl) => {
    if (eventStoreUrl === null) throw new InvalidSettingsError(['EVENTSTORE_URL is missing']);
    const say = (line: string): void => terminal.err(`tenure: ${line}\n`);
    await copyEvents({ databaseUrl, eventStoreUrl, prefix, say });
  });
}

/**
 * The log in PostgreSQL into an EventStoreDB. See `copyLog`.
 * @throws LogCopyError and what the stores throw
 */
export async function copyEvents({ databaseUrl, eventStoreUrl, prefix, say }: CopyOptions): Promise<void> {
  const fault = connectionStringFault(eventStoreUrl);
  if (fault !== null) throw new LogCopyError(`the target ${fault}`);
  const onFault = (thrown: unknown): void => say(messageOf(thrown));
  const pool = openPool(eventStorePoolConfig(databaseUrl, POOL_SIZE), onFault);
  const source = new PostgresEventStore(pool, {
    session: { connectionString: databaseUrl },
    onFault,
  });
  const target = new EventStoreDbEventStore({ url: eventStoreUrl, streamPrefix: prefix, onFault });
  try {
    const pending = await pendingMigrations(pool, eventStoreMigrations);
    if (pending > 0) throw new NotMigratedError(pending);
    const outside = await pool.query<{ stream: string }>(
      'select stream from tenure_log.event where not starts_with(stream, $1) limit 1',
      [prefix],
    );
    const [stray] = outside.rows;
    if (stray !== undefined) {
      throw new LogCopyError(`stream ${stray.stream} does not begin with STREAM_PREFIX ("${prefix}")`);
    }
    let saidAt = 0;
    const done = await copyLog(source, target, ({ found, copied, position }) => {
      if (performance.now() - saidAt < SAY_EVERY_MS) return;
      saidAt = performance.now();
      say(`at position ${position}: ${copied} copied, ${found} were there`);
    });
    say(`done: ${done.copied} copied, ${done.found} were there and are equal; every hash chain holds`);
    say('start Tenure with EVENTSTORE_URL and an empty database: the read models are made from the copy');
  } finally {
    await target.close();
    await source.close();
    await pool.end();
  }
}
