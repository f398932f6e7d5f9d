import pg from 'pg';
import { poolConfig, SHORT } from '../../src/database/deadlines.js';
import { cutPool, openPool } from '../../src/database/pools.js';
import { countParked, endParked, PARKED, parkSessions } from './parked-sessions.js';
import { type TestDatabase, testDatabase } from './postgres.js';
import { until } from './until.js';

describe('A parked session of PostgreSQL', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
    await database.pool.query('select'); // its own session, which watches the others
    parkSessions(database.url);
  });
  afterEach(() => database.drop());

  const open = async (more: pg.ClientConfig = {}): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: database.url, ...more });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const backendOf = async (client: pg.Client): Promise<number> =>
    (await client.query('select pg_backend_pid() as pid')).rows[0].pid;

  it('is given to the next client of the same database and options', async () => {
    const one = await open();
    const backend = await backendOf(one);
    await one.end();
    expect(countParked(database.url)).toBe(1);
    const two = await open();
    expect([await backendOf(two), Reflect.get(two, 'processID')]).toEqual([backend, backend]);
    expect(countParked(database.url)).toBe(0);
    const three = await open();
    expect(await backendOf(three)).not.toBe(backend);
    await Promise.all([two.end(), three.end()]);
    const other = await open({ options: '-c work_mem=1MB' });
    expect((await other.query('show work_mem')).rows).toEqual([{ work_mem: '1MB' }]);
    await other.end();
  });

  it('comes back without settings, locks, tables, statements and channels of whoever had it, and with a name of its own', async () => {
    const one = await open({ application_name: 'one' });
    const backend = await backendOf(one);
    await one.query(`set lock_timeout to 7`);
    await one.query(`set default_transaction_read_only to on`);
    await one.query('select pg_advisory_lock(7)');
    await one.query('set transaction read write; create temp table mine (id int)').catch(() => undefined);
    await one.query('listen news');
    await one.query({ name: 'kept', text: 'select 1' });
    await one.end();
    const watching = await database.pool.query(
      'select application_name as name from pg_stat_activity where pid = $1',
      [backend],
    );
    expect(watching.rows).toEqual([{ name: PARKED }]);

    const two = await open({ application_name: 'two' });
    const heard: unknown[] = [];
    two.on('notification', (news) => heard.push(news));
    expect(await backendOf(two)).toBe(backend);
    await database.pool.query(`notify news`);
    const { rows } = await two.query(
      `select current_setting('lock_timeout') as lock, current_setting('default_transaction_read_only') as read_only,
              current_setting('application_name') as name, to_regclass('mine') as mine,
              (select count(*)::int from pg_prepared_statements) as prepared,
              (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
              (select count(*)::int from pg_listening_channels()) as channels`,
    );
    expect(rows).toEqual([
      { lock: '0', read_only: 'off', name: 'two', mine: null, prepared: 0, locks: 0, channels: 0 },
    ]);
    expect((await two.query({ name: 'kept', text: 'select 2 as other' })).rows).toEqual([{ other: 2 }]);
    expect(heard).toEqual([]);
    await two.end();
    const nameless = await open();
    expect((await nameless.query('show application_name')).rows).toEqual([{ application_name: '' }]);
    await nameless.end();
  });

  it('is none of a client that ends in a transaction, while it waits for an answer, or when it was cut', async () => {
    const inTransaction = await open();
    await inTransaction.query('begin');
    await inTransaction.end();
    const waiting = await open();
    const answer = waiting.query('select pg_sleep(1)').catch((error: Error) => error.message);
    await waiting.end();
    expect(await answer).toMatch('Connection terminated');
    const ended = await open();
    await database.pool.query('select pg_terminate_backend($1)', [await backendOf(ended)]);
    await ended.end();
    expect(countParked(database.url)).toBe(0);
  });

  it('is forgotten when the server ends it, and is not cut with the client that had it', async () => {
    const pool = openPool(poolConfig(database.url, 2, 'pool', SHORT), () => undefined);
    const before = await pool.query('select pg_backend_pid() as pid');
    await pool.end();
    await until('it is parked', async () => countParked(database.url) === 1);
    cutPool(pool, new Error('too late'));
    const next = openPool(poolConfig(database.url, 2, 'pool', SHORT), () => undefined);
    expect((await next.query('select pg_backend_pid() as pid')).rows).toEqual(before.rows);
    await next.end();
    await database.pool.query('select pg_terminate_backend($1)', [before.rows[0].pid]);
    await until('it is forgotten', async () => countParked(database.url) === 0);
    const after = await open();
    expect(await backendOf(after)).not.toBe(before.rows[0].pid);
    await after.end();
  });

  it('ends before the database is dropped, and a database that keeps none ends its sessions', async () => {
    await (await open()).end();
    await endParked(database.url);
    const last = await open();
    await last.end();
    expect(countParked(database.url)).toBe(0);
  });
});
