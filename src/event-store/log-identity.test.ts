import { testDatabase } from '../../test/support/postgres.js';
import { openDatabase } from '../database/database.js';
import {
  CreateLogIdentity1763800000200,
  claimForLog,
  eventStoreDbLog,
  OtherLogError,
  POSTGRESQL_LOG,
} from './log-identity.js';
import { eventStoreMigrations } from './postgres/migrations.js';
import { eventStorePoolConfig } from './postgres/pg-session.js';

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
      await claimForLog(pool, eventStoreDbLog('tenure.'));
      await claimForLog(pool, eventStoreDbLog('tenure.'));
      for (const other of [POSTGRESQL_LOG, eventStoreDbLog('other.')]) {
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
        `insert into tenure_log.event values (1, 's', 0, gen_random_uuid(), 't', '{}', '{}')`,
      );
      await before.close();
      const { pool } = await open(true);
      await expect(claimForLog(pool, eventStoreDbLog('tenure.'))).rejects.toThrow(/a database of its own/);
      await claimForLog(pool, POSTGRESQL_LOG);
    });
  });

  it('is open where its own log is empty', async () => {
    await onDatabase(async (open) => {
      const { pool } = await open(true);
      await claimForLog(pool, eventStoreDbLog('tenure.'));
    });
  });
});
