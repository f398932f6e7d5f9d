import type pg from 'pg';
import type { PoolClient } from 'pg';
import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { DeadlineClient, poolConfig, SHORT } from './deadlines.js';
import { Flight } from './flight.js';
import { openPool } from './pools.js';

const LOCK = 'select pg_advisory_xact_lock(7)';

describe('Statements that are sent together', () => {
  let database: TestDatabase;
  let other: pg.Pool;
  const pools: pg.Pool[] = [];
  beforeAll(async () => {
    database = await testDatabase();
    other = open(false);
    await other.query('create table noted (what text)');
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await database.drop();
  });

  function open(pipeline: boolean): pg.Pool {
    const pool = openPool({ ...poolConfig(database.url, 2, 'flight', SHORT), pipeline }, () => undefined);
    pools.push(pool);
    return pool;
  }

  /** `work` while the lock is another session's; it gets what gives the lock back. */
  async function whileLocked(work: (free: () => Promise<unknown>) => Promise<void>): Promise<void> {
    const holder = await other.connect();
    await holder.query(`begin; ${LOCK}`);
    try {
      await work(() => holder.query('commit'));
    } finally {
      holder.release();
    }
  }

  async function connected(pipeline: boolean, work: (client: PoolClient) => Promise<void>): Promise<void> {
    const client = await open(pipeline).connect();
    try {
      await work(client);
    } finally {
      client.release(true);
    }
  }

  it('wait for no answer in between where the connection may, and are answered in order', () =>
    connected(true, (client) =>
      whileLocked(async (free) => {
        const flight = new Flight(client);
        await flight.send('begin');
        await flight.send(LOCK);
        await flight.send({ text: 'select $1::text as word', values: ['last'] });
        await free();
        expect((await flight.landed())?.rows).toEqual([{ word: 'last' }]);
      }),
    ));

  it('wait for one another where it may not', () =>
    connected(false, (client) =>
      whileLocked(async (free) => {
        const flight = new Flight(client);
        await flight.send('begin');
        await flight.send(LOCK);
        const next = flight.send("select 'last' as word").then(() => 'sent');
        expect(await Promise.race([next, other.query('select').then(() => 'held back')])).toBe('held back');
        await free();
        expect(await next).toBe('sent');
        expect((await flight.landed())?.rows).toEqual([{ word: 'last' }]);
      }),
    ));

  it.each([true, false])(
    'tell of the first that failed, and nothing after it is done (pipeline: %s)',
    (pipeline) =>
      connected(pipeline, async (client) => {
        const flight = new Flight(client);
        const sending = (async () => {
          await flight.send('begin');
          await flight.send({ text: 'insert into noted values ($1)', values: ['before'] });
          await flight.send({ name: 'by_zero', text: 'select 1 / $1::int', values: [0] });
          await flight.send({ text: 'insert into noted values ($1)', values: ['after'] });
          await flight.landed();
        })();
        await expect(sending).rejects.toMatchObject({ code: '22012' });
        await client.query('commit'); // which is a rollback
        expect((await other.query('select from noted')).rowCount).toBe(0);
      }),
  );

  it('leave a connection that still waits for one of them, and says so', () =>
    connected(true, (client) =>
      whileLocked(async (free) => {
        if (!(client instanceof DeadlineClient))
          throw new TypeError('a pool of connections without deadlines');
        expect(client.awaitedAnswer).toBeNull();
        const answered = new Promise((resolve) => client.connection.once('readyForQuery', resolve));
        const flight = new Flight(client);
        await flight.send('begin');
        await flight.send(LOCK);
        await answered;
        await new Promise(setImmediate);
        expect(client.awaitedAnswer).not.toBeNull();
        await free();
        await flight.landed();
        expect(client.awaitedAnswer).toBeNull();
      }),
    ));
});
