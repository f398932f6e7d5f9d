import { createServer } from 'node:net';
import type { PoolClient } from 'pg';
import { EventStoreUnavailableError, OutcomeUnknownError } from '../../src/event-store/errors.js';
import { until } from '../support/until.js';
import { idsOf, newEvents, newStream, readToEnd } from './contract-events.js';
import { cuttingProxy } from './cutting-proxy.js';
import { openPostgresLog, type PostgresLog } from './postgres-log.js';

describe('the log in PostgreSQL when something breaks', () => {
  let log: PostgresLog;
  let blocker: PoolClient;
  beforeEach(async () => {
    log = await openPostgresLog();
    blocker = await log.database.pool.connect();
  });
  afterEach(async () => {
    blocker.release(true);
    await log.close();
  });

  /** From now on every append waits for the head row of the log. */
  async function blockAppends(): Promise<void> {
    await blocker.query('BEGIN');
    await blocker.query('SELECT FROM tenure_log.log_head FOR UPDATE');
  }

  async function waitingAppends(): Promise<number[]> {
    const { rows } = await log.database.pool.query(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
         AND application_name = 'tenure-log' AND wait_event_type = 'Lock'`,
    );
    return rows.map((row) => row.pid as number);
  }

  it('says the outcome is unknown when the server ends the session in mid-append; the repeat lands once', async () => {
    const store = log.store();
    const streams = [newStream(), newStream(), newStream()];
    const events = streams.map(() => newEvents(2));
    const sendAll = () =>
      Promise.allSettled(
        streams.map((stream, index) => store.append(stream, 'no_stream', events[index] ?? [])),
      );

    await blockAppends();
    const first = sendAll();
    await until('an append in wait', async () => (await waitingAppends()).length === 1);
    await log.database.pool.query('SELECT pg_terminate_backend($1)', [(await waitingAppends())[0]]);
    for (const result of await first) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(OutcomeUnknownError) });
    }
    await blocker.query('ROLLBACK');

    const repeated = await sendAll();
    expect(repeated.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(idsOf(await readToEnd(store, null, 100)).sort()).toEqual(idsOf(events.flat()).sort());
    expect(await store.head()).toBe('6');
  });

  it.each(['cut', 'hold'] as const)(
    'finds an append that landed when its answer was lost (%s)',
    async (answers) => {
      const proxy = await cuttingProxy(log.database.url);
      try {
        const store = log.store({ url: proxy.url, limits: { answerMs: 400 } });
        const direct = log.store();
        const stream = newStream();
        await surely(() => store.head()); // now it has a connection
        await direct.append(stream, 'no_stream', newEvents(1));
        const events = newEvents(3);
        proxy.answers = answers;
        await expect(store.append(stream, 0, events)).rejects.toBeInstanceOf(OutcomeUnknownError);
        await until('the append to land', async () => (await direct.read(stream, 1)).length === 3);
        await direct.append(stream, 3, newEvents(1));

        proxy.answers = 'pass';
        expect(await surely(() => store.append(stream, 0, events))).toEqual({ revision: 3, position: '4' });
        expect(await direct.read(stream, 0)).toHaveLength(5);
      } finally {
        await proxy.close();
      }
    },
  );

  it('brings a log in once and in its order when a statement is lost in the middle and the call is repeated', async () => {
    const store = log.store();
    // Each to a stream of its own: nothing but the order of statements keeps a later one from landing first.
    const appends = Array.from({ length: 1_200 }, () => ({
      stream: newStream(),
      expected: 'no_stream' as const,
      events: newEvents(1),
    }));
    await blockAppends();
    const lost = expect(store.appendInOrder(appends)).rejects.toBeInstanceOf(OutcomeUnknownError);
    await until('a statement in wait', async () => (await waitingAppends()).length === 1);
    await log.database.pool.query('SELECT pg_terminate_backend($1)', [(await waitingAppends())[0]]);
    await blocker.query('ROLLBACK');
    await lost;
    await store.appendInOrder(appends);
    const written = await readToEnd(store, null, 1_000);
    expect(idsOf(written)).toEqual(idsOf(appends.flatMap(({ events }) => events)));
  });

  it('says the outcome is unknown when it finds a conflict and cannot compare', async () => {
    const proxy = await cuttingProxy(log.database.url);
    try {
      const store = log.store({ url: proxy.url, pool: { max: 1 } });
      const stream = newStream();
      const events = newEvents(1);
      await store.append(stream, 'no_stream', events);
      proxy.answers = 'pass one';
      await expect(store.append(stream, 'no_stream', events)).rejects.toBeInstanceOf(OutcomeUnknownError);
      proxy.answers = 'pass';
      expect(await store.append(stream, 'no_stream', events)).toEqual({ revision: 0, position: '1' });
    } finally {
      await proxy.close();
    }
  });

  it('says the store is unavailable when nobody listens', async () => {
    const port = await unusedPort();
    const url = new URL(log.database.url);
    url.port = String(port);
    const store = log.store({ url: url.href });
    const calls = [
      store.append(newStream(), 'no_stream', newEvents(1)),
      store.read(newStream(), 0),
      store.readAll(null, 10),
      store.head(),
    ];
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(EventStoreUnavailableError) });
    }
  });

  it('says the store is unavailable when the server accepts and says nothing', async () => {
    const proxy = await cuttingProxy(log.database.url);
    proxy.answers = 'hold';
    try {
      const store = log.store({ url: proxy.url, limits: { connectMs: 200 } });
      await expect(store.append(newStream(), 'no_stream', newEvents(1))).rejects.toBeInstanceOf(
        EventStoreUnavailableError,
      );
    } finally {
      await proxy.close();
    }
  });

  it('says the store is unavailable when the server gives up waiting for a lock, and nothing lands later', async () => {
    const store = log.store({ pool: { lock_timeout: 100 } });
    await blockAppends();
    await expect(store.append(newStream(), 'no_stream', newEvents(1))).rejects.toBeInstanceOf(
      EventStoreUnavailableError,
    );
    await blocker.query('ROLLBACK');
    expect(await store.head()).toBeNull();
  });

  it('answers every caller within its deadline: unknown for what was sent, unavailable for what was not', async () => {
    const store = log.store({ limits: { callMs: 300, statementsInFlight: 1, appendsPerStatement: 2 } });
    await surely(() => store.head()); // else the time may be over before there is a connection to send anything on
    await blockAppends();
    const streams = Array.from({ length: 4 }, newStream);
    const results = await Promise.allSettled(
      streams.map((stream) => store.append(stream, 'no_stream', newEvents(1))),
    );
    const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 'landed'));
    expect(codes).toEqual([
      'outcome_unknown',
      'outcome_unknown',
      'event_store_unavailable',
      'event_store_unavailable',
    ]);
    await blocker.query('ROLLBACK');
    await until('what was sent to land', async () => (await store.head()) === '2');
    expect(await store.read(streams[2] ?? '', 0)).toEqual([]);
    const late = newEvents(1);
    expect(await surely(() => store.append(streams[2] ?? '', 'no_stream', late))).toEqual({
      revision: 0,
      position: '3',
    });
  });

  it('comes back by itself after every session was ended', async () => {
    const store = log.store();
    const stream = newStream();
    await store.append(stream, 'no_stream', newEvents(1));
    await log.database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'tenure-log%'`,
    );
    const events = newEvents(1);
    await surely(() => store.append(stream, 0, events));
    expect(idsOf(await store.read(stream, 1))).toEqual(idsOf(events));
  });
});

/** Calls again while that may help: a short deadline may be over on a busy machine though nothing is wrong. */
function surely<T extends object | string | null>(call: () => Promise<T>): Promise<T> {
  return until<{ readonly answer: T }>('a call to end well', () =>
    call().then(
      (answer) => ({ answer }),
      (error: unknown) => {
        if (error instanceof OutcomeUnknownError || error instanceof EventStoreUnavailableError) return false;
        throw error;
      },
    ),
  ).then(({ answer }) => answer);
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return address.port;
}
