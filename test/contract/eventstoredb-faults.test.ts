import {
  AccessDeniedError,
  EventStoreUnavailableError,
  OutcomeUnknownError,
} from '../../src/event-store/errors.js';
import type { EventStore, ExpectedRevision } from '../../src/event-store/event-store.js';
import { REPEAT_AFTER_MS } from '../../src/event-store/eventstoredb/faults.js';
import { comparePositions, type NewEvent } from '../../src/events/stored-event.js';
import { EventStoreDbServer } from '../support/eventstoredb/server.js';
import { PATIENCE_MS, until } from '../support/until.js';
import { idsOf, newEvent, newEvents, newStream, readToEnd } from './contract-events.js';
import { cuttingProxy } from './cutting-proxy.js';
import { type EventStoreDbLog, openEventStoreDbLog, storesAt } from './eventstoredb-log.js';

/** Milliseconds of a call to a server that does not answer: short, so that the tests are. What is to end well is repeated until it does. */
const SOON = { appendMs: 400, readMs: 400 };

describe('the log in EventStoreDB when something breaks', () => {
  let log: EventStoreDbLog;
  beforeEach(async () => {
    log = await openEventStoreDbLog();
  });
  afterEach(async () => {
    log.server.thaw();
    await log.close();
  });

  it.each(['after storing', 'before storing'] as const)(
    'says the outcome is unknown when the connection is cut %s, and the repeat lands once',
    async (moment) => {
      const store = log.store();
      const stream = newStream();
      const events = newEvents(3);
      await store.append(stream, 'no_stream', [newEvent()]);
      log.server.faults.cutAppends(1, moment, 1);
      const fault = await store.append(stream, 0, events).catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(OutcomeUnknownError);
      expect(fault).toMatchObject({ retryAfterMs: undefined });
      const { revision, position } = await store.append(stream, 0, events);
      expect(revision).toBe(3);
      expect(await store.read(stream, 3)).toMatchObject([{ position, id: events[2]?.id }]);
      expect(await store.read(stream, 0)).toHaveLength(4);
    },
  );

  it('loses and doubles nothing while every twentieth append has its connection cut', async () => {
    const store = log.store();
    log.server.faults.cutAppends(20, 'after storing');
    const wanted: NewEvent[] = [];
    // Each cut takes down all that is under way on the connection.
    const writers = Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 25; round += 1) {
        const events = newEvents(2);
        wanted.push(...events);
        expect(await appendSurely(store, newStream(), events)).toMatchObject({ revision: 1 });
      }
    });
    await Promise.all(writers);
    log.server.faults.stopCutting();
    expect(idsOf(await readToEnd(store, null, 50)).sort()).toEqual(idsOf(wanted).sort());
  });

  it('works again when a network has healed that was silent while it connected', async () => {
    const proxy = await cuttingProxy(log.server.url);
    const through = storesAt(proxy.url);
    try {
      Object.assign(proxy, { answers: 'hold', requests: 'hold' });
      const store = through.store({ limits: SOON });
      const stream = newStream();
      await expect(store.read(stream, 0)).rejects.toBeInstanceOf(EventStoreUnavailableError);
      await until('the network takes the connection', () => proxy.open > 0);
      Object.assign(proxy, { answers: 'pass', requests: 'pass' });
      await until('the same store works again', () => works(store, stream));
    } finally {
      await through.close();
      await proxy.close();
    }
  });

  it('says at once that nothing can have landed while the server is down, and works when it is back', async () => {
    const store = log.store();
    const stream = newStream();
    await store.append(stream, 'no_stream', newEvents(1));
    await log.server.stop();
    for (let tries = 0; tries < 3; tries += 1) {
      // The first call may meet the connection that just broke; every later one finds nobody.
      const failed = store.append(stream, 0, newEvents(1));
      if (tries > 0) await expect(failed).rejects.toBeInstanceOf(EventStoreUnavailableError);
      else await expect(failed).rejects.toThrow();
      await expect(store.read(stream, 0)).rejects.toBeInstanceOf(EventStoreUnavailableError);
      await expect(store.readAll(null, 10)).rejects.toBeInstanceOf(EventStoreUnavailableError);
      await expect(store.head()).rejects.toBeInstanceOf(EventStoreUnavailableError);
    }
    await log.server.start();
    await until('the same store works again', () => works(store, stream));
    expect(await store.append(stream, 0, newEvents(1))).toMatchObject({ revision: 1 });
  });

  it('does not wait for a frozen server longer than its deadlines, and goes on with it when it thaws', async () => {
    const store = log.store({ limits: SOON });
    const stream = newStream();
    await appendSurely(store, stream, newEvents(1));
    log.server.freeze();
    const events = newEvents(2);
    const fault = await store.append(stream, 0, events).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(OutcomeUnknownError);
    expect(fault).toMatchObject({ retryAfterMs: REPEAT_AFTER_MS });
    await expect(store.read(stream, 0)).rejects.toBeInstanceOf(EventStoreUnavailableError);
    await expect(store.readAll(null, 10)).rejects.toBeInstanceOf(EventStoreUnavailableError);
    log.server.thaw();
    await until('the same store works again', () => works(store, stream));
    expect(await appendSurely(store, stream, events, 0)).toMatchObject({ revision: 2 });
    expect(await log.store().read(stream, 0)).toHaveLength(3);
  });

  it('takes an answer that comes too late for unknown, and the repeat gets the original numbers', async () => {
    const store = log.store({ limits: SOON });
    const stream = newStream();
    const events = newEvents(2);
    await until('it has a connection', () => works(store, stream));
    log.server.faults.delayAnswersMs = 3_000;
    await expect(store.append(stream, 'no_stream', events)).rejects.toMatchObject({
      code: 'outcome_unknown',
      retryAfterMs: REPEAT_AFTER_MS,
    });
    log.server.faults.delayAnswersMs = 0;
    const { position } = await appendSurely(store, stream, events);
    expect(await log.store().read(stream, 1)).toMatchObject([{ id: events[1]?.id, position }]);
  });

  it('tells a user without rights from a store that is away', async () => {
    log.server.faults.credentials = { username: 'someone', password: 'else' };
    const store = log.store();
    const stream = newStream();
    await expect(store.append(stream, 'no_stream', newEvents(1))).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(store.read(stream, 0)).rejects.toBeInstanceOf(AccessDeniedError);
    await expect(store.readAll(null, 1)).rejects.toBeInstanceOf(AccessDeniedError);
    log.server.faults.credentials = undefined;
    await store.append(stream, 'no_stream', newEvents(1));
  });

  it('keeps calls within what one connection carries, so that none starves', async () => {
    const store = log.store({ limits: { appendMs: PATIENCE_MS, readMs: PATIENCE_MS } });
    const stop = store.onAppend(() => undefined);
    log.server.faults.delayRequestsMs = 20;
    const streams = Array.from({ length: 400 }, newStream);
    const answers = Promise.all(streams.map((stream) => store.append(stream, 'no_stream', newEvents(1))));
    const reads = Promise.all(Array.from({ length: 100 }, () => store.readAll(null, 5)));
    expect((await answers).map(({ revision }) => revision)).toEqual(streams.map(() => 0));
    await reads;
    stop();
  });

  it('settles what is under way when it is closed', async () => {
    const store = log.store();
    log.server.faults.delayAnswersMs = 100;
    const appending = store.append(newStream(), 'no_stream', newEvents(1));
    await store.close();
    expect(await appending).toMatchObject({ revision: 0 });
    await store.close();
  });
});

describe('the subscription notifier of an EventStoreDB', () => {
  let log: EventStoreDbLog;
  let store: EventStore;
  let other: EventStore;
  let calls: number;
  beforeEach(async () => {
    log = await openEventStoreDbLog();
    [store, other] = [log.store(), log.store()];
    calls = 0;
    store.onAppend(() => {
      calls += 1;
    });
    await until('the subscription confirms itself', () => calls > 0);
  });
  afterEach(async () => {
    log.server.thaw();
    await log.close();
  });

  async function expectRing(): Promise<void> {
    const before = calls;
    await until('a notification of what another process appended', async () => {
      await appendSurely(other, newStream(), newEvents(1));
      return calls > before;
    });
  }

  it('is opened again when the server drops it because of a burst, and nothing is lost', async () => {
    const events = Array.from({ length: 5 }, () => newEvents(1_000));
    for (const burst of events) await other.append(newStream(), 'no_stream', burst);
    await expectRing();
    const seen = await readToEnd(store, null, 500);
    expect(idsOf(seen).slice(0, 5_000)).toEqual(idsOf(events.flat()));
    expect(log.faults).toEqual([]); // being dropped is no fault
  });

  it('is opened again when the server ends it', async () => {
    log.server.subscriptions.end();
    await expectRing();
  });

  it('is opened again when the connection is cut, and says so', async () => {
    log.server.connections.cutAll();
    await expectRing();
    expect(log.faults.length).toBeGreaterThan(0);
  });

  it('is opened again when the server was down', async () => {
    await log.server.stop();
    await until('attempts that fail', () => log.faults.length > 1);
    await log.server.start();
    await until('the server works again', () => works(other, newStream()));
    await expectRing();
  });

  it('costs time and no event when it falls silent', async () => {
    log.server.subscriptions.silence();
    const events = newEvents(40);
    const { position } = await other.append(newStream(), 'no_stream', events);
    expect(await store.head()).toBe(position);
    expect(idsOf(await readToEnd(store, null, 7))).toEqual(idsOf(events));
  });

  it('hears nothing of streams of others', async () => {
    const foreign = log.store({ streamPrefix: 'other.' });
    const before = calls;
    await foreign.append(`other.${newStream()}`, 'no_stream', newEvents(20));
    await other.append(newStream(), 'no_stream', newEvents(1));
    await until('a notification of ours, which comes behind those of theirs', () => calls > before);
    expect(calls - before).toBeLessThan(10);
  });

  it('carries on when a listener throws, and says so', async () => {
    store.onAppend(() => {
      throw new Error('a listener that throws');
    });
    await expectRing();
    expect(log.faults).toContainEqual(expect.objectContaining({ message: 'a listener that throws' }));
  });
});

describe('a cluster of EventStoreDB nodes', () => {
  let nodes: EventStoreDbServer[];
  let opened: ReturnType<typeof storesAt> | null;
  beforeEach(async () => {
    nodes = [await EventStoreDbServer.start(), await EventStoreDbServer.start()];
    opened = null;
  });
  afterEach(async () => {
    await opened?.close();
    for (const node of nodes) await node.stop();
  });

  /** Gossip and redirections say that `leader` leads. */
  function lead(leader: EventStoreDbServer): void {
    const members = nodes.map((node) => ({
      address: '127.0.0.1',
      port: node.port,
      state: node === leader ? ('leader' as const) : ('follower' as const),
      alive: true,
    }));
    for (const node of nodes) {
      node.members = members;
      node.faults.leaderElsewhere = node === leader ? undefined : { address: '127.0.0.1', port: leader.port };
    }
  }

  it.each(['leader', 'follower'])(
    'is written and read at the leader, whatever is preferred (%s)',
    async (preferred) => {
      const [first, second] = nodes as [EventStoreDbServer, EventStoreDbServer];
      lead(second);
      opened = storesAt(
        `esdb://127.0.0.1:${first.port},127.0.0.1:${second.port}?tls=false&nodePreference=${preferred}`,
      );
      const store = opened.store();
      const stream = newStream();
      const { position } = await store.append(stream, 'no_stream', newEvents(1));
      expect(await store.read(stream, 0)).toHaveLength(1);
      expect(second.log.view(stream)).toMatchObject({ is: 'there' });
      expect(first.log.view(stream)).toMatchObject({ is: 'missing' });
      expect(comparePositions(await store.head(), position)).toBe(0);
    },
  );

  it('is followed to another leader, within the call that met the old one', async () => {
    const [first, second] = nodes as [EventStoreDbServer, EventStoreDbServer];
    lead(first);
    opened = storesAt(`esdb://127.0.0.1:${first.port},127.0.0.1:${second.port}?tls=false`);
    const store = opened.store();
    await store.append(newStream(), 'no_stream', newEvents(1));
    lead(second);
    const stream = newStream();
    await store.append(stream, 'no_stream', newEvents(1));
    expect(second.log.view(stream)).toMatchObject({ is: 'there' });
  });

  it('is followed to another leader when the old one is gone', async () => {
    const [first, second] = nodes as [EventStoreDbServer, EventStoreDbServer];
    lead(first);
    opened = storesAt(`esdb://127.0.0.1:${first.port},127.0.0.1:${second.port}?tls=false`);
    const store = opened.store();
    await store.append(newStream(), 'no_stream', newEvents(1));
    await first.stop();
    lead(second);
    const stream = newStream();
    await until('the new leader is found', () => works(store, stream));
    expect(await appendSurely(store, stream, newEvents(1))).toMatchObject({ revision: 0 });
    expect(second.log.view(stream)).toMatchObject({ is: 'there' });
  });

  it('that is nowhere to be found is said to be unavailable in time, without an end to the process', async () => {
    for (const node of nodes) await node.stop();
    const ports = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
    opened = storesAt(`esdb://${ports}?tls=false`);
    const store = opened.store({ limits: SOON });
    const calls = Array.from({ length: 5 }, () => store.append(newStream(), 'no_stream', newEvents(1)));
    for (const call of [...calls, store.readAll(null, 1)]) {
      await expect(call).rejects.toBeInstanceOf(EventStoreUnavailableError);
    }
  });
});

async function works(store: EventStore, stream: string): Promise<boolean> {
  return store.read(stream, 0).then(
    () => true,
    () => false,
  );
}

/** Repeats the same append while its outcome is unknown. */
async function appendSurely(
  store: EventStore,
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision = 'no_stream',
) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await store.append(stream, expected, events);
    } catch (error) {
      const passes = error instanceof OutcomeUnknownError || error instanceof EventStoreUnavailableError;
      if (!passes || tries === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
