import { testDatabase } from '../../test/support/postgres.js';
import { openDatabase } from '../database/database.js';
import {
  CreateLogIdentity1763800000200,
  claimForLog,
  claimForRestore,
  expectLog,
  OtherLogError,
} from './log-identity.js';
import { eventStoreMigrations } from './postgres/migrations.js';
import { eventStorePoolConfig } from './postgres/pg-session.js';

const IN_POSTGRESQL = { eventStoreUrl: null, streamPrefix: 'tenure.' };
const IN_EVENTSTOREDB = { eventStoreUrl: 'esdb://h', streamPrefix: 'tenure.' };

/** What `run` does with a database after `migrations`, all of it removed afterwards. */
async function onDatabase(
  run: (open: (withLog: boolean) => ReturnType<typeof openDatabase>, url: string) => Promise<void>,
) {
  const database = await testDatabase();
  const opened: { close(): Promise<void> }[] = [];
  try {
    await run(async (withLog) => {
      const one = await openDatabase({
        url: database.url,
        migrations: [...(withLog ? eventStoreMigrations : []), CreateLogIdentity1763800000200],
        entities: [],
        poolConfig: eventStorePoolConfig,
        onIdleFault: () => undefined,
      });
      opened.push(one);
      return one;
    }, database.url);
  } finally {
    for (const one of opened) await one.close();
    await database.drop();
  }
}

describe('the log of a database', () => {
  it('is the first that claims it, and no other after that', async () => {
    await onDatabase(async (open) => {
      const { pool } = await open(false);
      await claimForLog(pool, IN_EVENTSTOREDB);
      await claimForLog(pool, IN_EVENTSTOREDB);
      for (const other of [IN_POSTGRESQL, { ...IN_EVENTSTOREDB, streamPrefix: 'other.' }]) {
        await expect(claimForLog(pool, other)).rejects.toBeInstanceOf(OtherLogError);
      }
    });
  });

  it('is its own where it holds events from before there was a choice', async () => {
    await onDatabase(async (open, url) => {
      const before = await openDatabase({
        url,
        migrations: eventStoreMigrations,
        entities: [],
        poolConfig: eventStorePoolConfig,
        onIdleFault: () => undefined,
      });
      await before.pool.query(
        `insert into tenure_log.event values (1, 'tenure.catalog', 0, gen_random_uuid(), 't', '{}', '{}')`,
      );
      await before.close();
      const { pool } = await open(true);
      await expect(claimForLog(pool, IN_EVENTSTOREDB)).rejects.toThrow(/a database of its own/);
      await claimForLog(pool, IN_POSTGRESQL);
      for (const use of [claimForLog, claimForRestore, expectLog]) {
        for (const streamPrefix of ['other.', 'tenure', 'ten', 'tenure.c']) {
          await expect(use(pool, { ...IN_POSTGRESQL, streamPrefix })).rejects.toThrow(
            `begins with the stream "tenure.catalog", STREAM_PREFIX says "${streamPrefix}"`,
          );
        }
      }
    });
  });

  it('is open where its own log is empty', async () => {
    await onDatabase(async (open) => {
      const { pool } = await open(true);
      await claimForLog(pool, IN_EVENTSTOREDB);
    });
  });
});
