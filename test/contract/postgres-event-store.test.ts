import { InvalidEventError } from '../../src/event-store/errors.js';
import { CreateEventLog1763683200000 } from '../../src/event-store/postgres/migrations.js';
import type { PostgresEventStore } from '../../src/event-store/postgres/postgres-event-store.js';
import { until } from '../support/until.js';
import { idsOf, newEvent, newEvents, newStream, readToEnd } from './contract-events.js';
import { describeEventStoreContract } from './event-store.contract.js';
import { migrate, openPostgresLog, type PostgresLog } from './postgres-log.js';

describeEventStoreContract('PostgreSQL', async () => {
  const log = await openPostgresLog();
  return { store: log.store(), secondStore: log.store(), close: log.close };
});

describe('the log in PostgreSQL', () => {
  let log: PostgresLog;
  let store: PostgresEventStore;
  beforeEach(async () => {
    log = await openPostgresLog();
    store = log.store();
  });
  afterEach(async () => {
    await log.close();
  });

  it('migrates once', async () => {
    expect(await migrate(log.database.url)).toEqual([]);
  });

  it('refuses to migrate back, which would delete the log', async () => {
    await expect(new CreateEventLog1763683200000().down()).rejects.toThrow('never dropped');
  });

  it.each([
    ['UPDATE', `UPDATE tenure_log.event SET data = '{}'`],
    ['an UPDATE of nothing', `UPDATE tenure_log.event SET data = '{}' WHERE false`],
    ['DELETE', `DELETE FROM tenure_log.event`],
    ['TRUNCATE', `TRUNCATE tenure_log.event`],
    [
      'an upsert',
      `INSERT INTO tenure_log.event SELECT * FROM tenure_log.event
       ON CONFLICT (position) DO UPDATE SET data = '{}'`,
    ],
    ['DELETE of heads', `DELETE FROM tenure_log.stream_head`],
    ['TRUNCATE of heads', `TRUNCATE tenure_log.stream_head`],
    ["DELETE of the log's head", `DELETE FROM tenure_log.log_head`],
    ["TRUNCATE of the log's head", `TRUNCATE tenure_log.log_head`],
  ])('refuses %s, in replication mode too', async (_, statement) => {
    const stream = newStream();
    await store.append(stream, 'no_stream', newEvents(2));
    const before = await store.read(stream, 0);
    const session = await log.database.pool.connect();
    try {
      for (const role of ['origin', 'replica']) {
        await session.query(`SET session_replication_role = ${role}`);
        await expect(session.query(statement)).rejects.toMatchObject({
          code: '23001',
          message: expect.stringContaining('append-only'),
        });
      }
    } finally {
      session.release(true);
    }
    expect(await store.read(stream, 0)).toEqual(before);
    expect(await store.append(stream, 1, newEvents(1))).toEqual({ revision: 2, position: '3' });
  });

  it('gives dense positions to the writers of several pools', async () => {
    const writers = [store, log.store(), log.store({ limits: { statementsInFlight: 4 } })];
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const own = writers[index % writers.length] ?? store;
        const stream = newStream();
        for (let revision = -1; revision < 9; ) {
          const expected = revision === -1 ? 'no_stream' : revision;
          revision = (await own.append(stream, expected, newEvents(2))).revision;
        }
      }),
    );
    const all = await readToEnd(store, null, 100);
    expect(all.map((event) => event.position)).toEqual(Array.from({ length: 300 }, (_, i) => String(i + 1)));
  });

  it('hides no event and delays no reader or writer while a transaction stays open elsewhere', async () => {
    const reader = log.store();
    const slow = await log.database.pool.connect();
    try {
      await slow.query('CREATE TABLE elsewhere (n int)');
      await slow.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await slow.query('INSERT INTO elsewhere VALUES (1)');
      const { rows } = await slow.query('SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS open');
      expect(rows).toEqual([{ open: true }]);
      const stream = newStream();
      for (let revision = -1; revision < 50; revision += 1) {
        const events = newEvents(1);
        const { position } = await store.append(stream, revision === -1 ? 'no_stream' : revision, events);
        const after = revision === -1 ? null : String(BigInt(position) - 1n);
        expect(idsOf((await reader.readAll(after, 10)).events)).toEqual(idsOf(events));
        expect(await reader.head()).toBe(position);
      }
      // The head row is locked, never rewritten: old versions kept alive by the transaction cannot pile up.
      const dead = await log.database.pool.query('SELECT ctid::text AS place FROM tenure_log.log_head');
      expect(dead.rows).toEqual([{ place: '(0,1)' }]);
      await slow.query('COMMIT');
    } finally {
      slow.release(true);
    }
  });

  it('gathers concurrent appends into few statements', async () => {
    const streams = Array.from({ length: 200 }, newStream);
    await Promise.all(streams.map((stream) => store.append(stream, 'no_stream', newEvents(1))));
    const { rows } = await log.database.pool.query(
      'SELECT count(DISTINCT xmin::text)::int AS statements FROM tenure_log.event',
    );
    expect(rows[0].statements).toBeLessThanOrEqual(5);
  });

  it('keeps the order of appends to one stream that are sent without waiting', async () => {
    const stream = newStream();
    const events = newEvents(20);
    const appends = events.map((event, index) =>
      store.append(stream, index === 0 ? 'no_stream' : index - 1, [event]),
    );
    expect((await Promise.all(appends)).map((result) => result.revision)).toEqual(events.map((_, i) => i));
    expect(idsOf(await store.read(stream, 0))).toEqual(idsOf(events));
  });

  it('lets one append the database refuses fail alone', async () => {
    await log.database.pool.query(
      `ALTER TABLE tenure_log.event ADD CONSTRAINT no_poison CHECK (type <> 'Poison')`,
    );
    const streams = Array.from({ length: 20 }, newStream);
    const results = await Promise.allSettled(
      streams.map((stream, index) =>
        store.append(stream, 'no_stream', [newEvent(index === 7 ? { type: 'Poison' } : {})]),
      ),
    );
    expect(results.flatMap((result, index) => (result.status === 'rejected' ? [index] : []))).toEqual([7]);
    expect(results[7]).toMatchObject({ reason: expect.any(InvalidEventError) });
    expect(await readToEnd(store, null, 100)).toHaveLength(19);
    expect(await store.head()).toBe('19');
  });

  it('lets one append at a wrong revision fail alone, without a second statement for the others', async () => {
    const streams = Array.from({ length: 20 }, newStream);
    const results = await Promise.allSettled(
      streams.map((stream, index) => store.append(stream, index % 2 === 0 ? 'no_stream' : 3, newEvents(2))),
    );
    expect(results.map((result) => result.status)).toEqual(
      streams.map((_, index) => (index % 2 === 0 ? 'fulfilled' : 'rejected')),
    );
    const { rows } = await log.database.pool.query(
      `SELECT count(DISTINCT xmin::text)::int AS statements, count(*)::int AS events,
              (SELECT count(*)::int FROM tenure_log.stream_head) AS streams FROM tenure_log.event`,
    );
    expect(rows).toEqual([{ statements: 1, events: 20, streams: 10 }]);
  });

  it('sends an append again when the database asks for it', async () => {
    await log.database.pool.query(`CREATE SEQUENCE attempt`);
    await log.database.pool.query(`
      CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('attempt') <= 3 THEN RAISE EXCEPTION 'collision' USING ERRCODE = 'deadlock_detected'; END IF;
        RETURN NULL;
      END $$`);
    await log.database.pool.query(
      `CREATE TRIGGER collide AFTER INSERT ON tenure_log.event EXECUTE FUNCTION collide()`,
    );
    const stream = newStream();
    expect(await store.append(stream, 'no_stream', newEvents(2))).toEqual({ revision: 1, position: '2' });
    expect(await readToEnd(store, null, 10)).toHaveLength(2);
  });

  it('loses nothing where the server defaults to a stricter isolation', async () => {
    const options = '-c default_transaction_isolation=repeatable\\ read';
    const strict = [log.store({ pool: { options } }), log.store({ pool: { options } })];
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const own = strict[index % 2] ?? store;
        await own.append(newStream(), 'no_stream', newEvents(2));
      }),
    );
    const all = await readToEnd(store, null, 100);
    expect(all.map((event) => event.position)).toEqual(Array.from({ length: 16 }, (_, i) => String(i + 1)));
  });

  it('notifies other processes apart from the appends, at most once in 20 ms', async () => {
    const session = await log.database.pool.connect();
    try {
      let heard = 0;
      session.on('notification', () => {
        heard += 1;
      });
      await session.query('LISTEN tenure_log');
      const began = performance.now();
      for (let count = 0; count < 100; count += 1) {
        await store.append(newStream(), 'no_stream', newEvents(1));
      }
      await until('a notification', () => heard > 0);
      await session.query('SELECT 1');
      expect(heard).toBeLessThanOrEqual(Math.ceil((performance.now() - began) / 20) + 1);
    } finally {
      session.release(true);
    }
  });

  it('notifies again after its session was lost, of what came meanwhile too', async () => {
    const writer = log.store();
    let calls = 0;
    const stop = store.onAppend(() => {
      calls += 1;
    });
    await until('its session listens', () => calls > 0);
    const ended = await log.database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'tenure-log-notifier'`,
    );
    expect(ended.rowCount).toBe(1);
    await until('a report of the lost session', () => log.faults.length > 0);
    const before = calls;
    await writer.append(newStream(), 'no_stream', newEvents(1));
    await until('a notification after the session came back', () => calls > before);
    stop();
  });

  it('settles what is under way when it closes and takes nothing after', async () => {
    const stream = newStream();
    const last = store.append(stream, 'no_stream', newEvents(1));
    await store.close();
    expect(await last).toEqual({ revision: 0, position: '1' });
    await expect(store.append(stream, 0, newEvents(1))).rejects.toMatchObject({
      code: 'event_store_unavailable',
    });
  });
});
