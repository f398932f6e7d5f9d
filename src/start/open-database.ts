import type { Pool } from 'pg';
import type { Database } from '../database/database.js';
import { startEmbeddedPostgres } from '../database/embedded/embedded-postgres.js';
import { ServerClock } from '../database/server-clock.js';
import { openServiceDatabase } from './service-database.js';
import { STEPS, type Starting } from './steps.js';

/** The database of a running service, and where it is. */
export interface OpenDatabase extends Database {
  readonly url: string;
}

/** Opens the database that the settings name, or starts the embedded one; its tables are there then. */
export async function openDatabase(starting: Starting): Promise<OpenDatabase> {
  const { settings, failures, steps } = starting;
  const { eventStoreUrl } = settings;
  const url = settings.databaseUrl ?? (await startEmbedded(starting));
  const onIdleFault = (err: Error): void => failures.trouble('a database connection broke', err);
  const opening = openServiceDatabase({ url, eventStoreUrl, onIdleFault });
  const database = await steps.open(STEPS.database, opening, (opened) => opened.close());
  failures.askWith('database_unavailable', () => database.pool.query('select 1'));
  return { url, ...database };
}

/** Starts the clock that is held to the database server's; `onAgrees` hears when it is right again. */
export async function startClock(
  { logger, metrics, now, steps, stops }: Starting,
  pool: Pool,
  onAgrees: () => void,
): Promise<ServerClock> {
  const clock = new ServerClock({
    pool,
    now,
    onDiffers: (err) => logger.error({ err }, 'the clock is wrong and nothing is written'),
    onAgrees: () => {
      logger.info('the clock is right again');
      onAgrees();
    },
  });
  stops.add(STEPS.clock, async () => clock.stop());
  await steps.take(clock.start());
  metrics.watch(
    'tenure_clock_difference_seconds',
    "By how much this machine's clock is ahead of the database server's.",
    () => clock.differenceMs / 1_000,
  );
  return clock;
}

/** Answers its URL. An embedded database that ends takes the service with it. */
async function startEmbedded({ settings, hooks, logger, steps }: Starting): Promise<string> {
  const { onProgress = (message) => logger.info(message), onFatal } = hooks;
  const starting = startEmbeddedPostgres({ dataDir: settings.dataDir, onProgress });
  const server = await steps.open(STEPS.embeddedDatabase, starting, (started) => started.stop());
  void server.died.then((err) => {
    logger.fatal({ err }, 'the embedded database ended');
    onFatal?.(err);
  });
  return server.url;
}
