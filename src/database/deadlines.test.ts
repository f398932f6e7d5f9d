import type pg from 'pg';
import { type CuttingProxy, cuttingProxy } from '../../test/contract/cutting-proxy.js';
import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { until } from '../../test/support/until.js';
import { poolConfig, SHORT } from './deadlines.js';
import { openLongPool } from './long-watch.js';
import { cutPool, openPool } from './pools.js';

/** Answers are soon given up; a connection is made in its own time, which on a busy machine is long. */
const QUICK = { ...SHORT, answerMs: 300 };

describe('Connections with deadlines', () => {
  let database: TestDatabase;
  let proxy: CuttingProxy;
  let pool: pg.Pool | null = null;
  beforeAll(async () => {
    database = await testDatabase();
  });
  beforeEach(async () => {
    proxy = await cuttingProxy(database.url);
  });
  afterEach(async () => {
    await pool?.end();
    pool = null;
    await proxy.close();
  });
  afterAll(() => database.drop());

  const open = (max: number, deadlines = QUICK): pg.Pool => {
    pool = openPool(poolConfig(proxy.url, max, 'deadlines', deadlines), () => undefined);
    return pool;
  };

  /** Rows of a pool whose connections work: asked again where a busy machine takes longer than `QUICK` waits. */
  const answer = (asked: pg.Pool, statement: string): Promise<readonly object[]> =>
    until(`an answer to ${statement}`, async () => {
      try {
        return (await asked.query(statement)).rows;
      } catch (error) {
        if (String(error).includes('timeout')) return false;
        throw error;
      }
    });

  it('let the server give up first, and tell it so after the connection is made', async () => {
    const { rows } = await open(1, SHORT).query(
      `select name, setting from pg_settings where name in
         ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout') order by name`,
    );
    expect(rows.map(({ setting }) => Number(setting))).toEqual([
      SHORT.idleInTransactionMs,
      SHORT.lockMs,
      SHORT.statementMs,
    ]);
  });

  it.each(['answers', 'requests'] as const)(
    'that fall silent (%s) cost a time-out, and are made anew',
    async (side) => {
      const silent = open(1, { ...QUICK, connectMs: 1_000 });
      await answer(silent, 'select 1');
      proxy[side] = 'hold';
      await expect(silent.query('select 1')).rejects.toThrow('Query read timeout');
      await expect(silent.query('select 1')).rejects.toThrow(/timeout|terminated/);
      proxy[side] = 'pass';
      expect(await answer(silent, 'select 1 as one')).toEqual([{ one: 1 }]);
    },
  );

  it('are never used again when they are given back before their answer came', async () => {
    const silent = open(1);
    await answer(silent, 'select 1');
    const client = await silent.connect();
    proxy.answers = 'hold';
    await expect(client.query('select 1')).rejects.toThrow('Query read timeout');
    client.release(); // as TypeORM does: without a word that it failed
    proxy.answers = 'pass';
    expect(await answer(silent, 'select 2 as two')).toEqual([{ two: 2 }]);
  });

  it('that are cut between two statements of a transaction tell the next one, and end no process', async () => {
    const own = open(2, SHORT);
    const client = await own.connect();
    await client.query('begin');
    const ended = new Promise((resolve) => client.once('end', resolve));
    cutPool(own, new Error('cut on purpose'));
    await ended;
    await expect(client.query('select 1')).rejects.toThrow('not queryable');
    client.release(true);
    expect((await own.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it('end in time when the other side does not answer a goodbye', async () => {
    const silent = open(2);
    await answer(silent, 'select 1');
    proxy.answers = 'hold';
    proxy.requests = 'hold';
    await silent.end();
    pool = null;
    await until('the socket is closed', () => proxy.open === 0);
  });

  it('for what takes long are left alone while the server works, and cut when it does not', async () => {
    pool = openLongPool(proxy.url, 2, 'long', () => undefined);
    const client = await pool.connect();
    client.on('error', () => undefined);
    try {
      await client.query('select pg_sleep(7)');
      proxy.answers = 'hold';
      const lost = client.query('select 1').then(String, String);
      await new Promise((resolve) => setImmediate(resolve));
      await until('the server has answered', async () => {
        const { rows } = await database.pool.query(
          `select 1 from pg_stat_activity
           where datname = current_database() and application_name = 'long' and query = 'select 1' and state = 'idle'`,
        );
        return rows.length === 1;
      });
      proxy.answers = 'pass';
      expect(await lost).toContain('no answer from the database');
    } finally {
      client.release(true);
    }
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});
