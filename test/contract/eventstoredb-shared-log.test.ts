import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { StreamDeletedError, UnknownPositionError } from '../../src/event-store/errors.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { EventStoreDbServer } from '../support/eventstoredb/server.js';
import { until } from '../support/until.js';
import { idsOf, newEvent, newEvents, newStream, readToEnd } from './contract-events.js';
import { type EventStoreDbLog, openEventStoreDbLog } from './eventstoredb-log.js';

describe('a log in an EventStoreDB that others use too', () => {
  let log: EventStoreDbLog;
  let store: EventStore;
  let others: EventStoreDBClient;
  beforeEach(async () => {
    log = await openEventStoreDbLog();
    store = log.store();
    others = EventStoreDBClient.connectionString(log.server.url);
  });
  afterEach(async () => {
    await others.dispose();
    await log.close();
  });

  /** `count` events in a stream of somebody else, on the unary path. */
  async function foreign(count: number): Promise<void> {
    const events = Array.from({ length: count }, () => jsonEvent({ type: 'SomethingElse', data: {} }));
    await others.appendToStream(`billing-${newStream()}`, events, { credentials: SOMEBODY });
  }

  it('gives only what is ours, in order, whatever the size of a page', async () => {
    const ours = [];
    for (const count of [1, 3, 40, 2]) {
      await foreign(count);
      const events = newEvents(2);
      ours.push(...events);
      await store.append(newStream(), 'no_stream', events);
    }
    await foreign(5);
    for (const limit of [1, 2, 3, 7, 500])
      expect(idsOf(await readToEnd(store, null, limit))).toEqual(idsOf(ours));
    for (let after = null as string | null, seen = 0; seen < ours.length; seen += 1) {
      const page = await store.readAll(after, 1);
      expect(idsOf(page.events)).toEqual([ours[seen]?.id]);
      after = page.events[0]?.position ?? null;
    }
  });

  it('is followed beyond pages of others alone, and from a position that is one of theirs', async () => {
    const first = newEvents(1);
    await store.append(newStream(), 'no_stream', first);
    await foreign(300);
    const page = await store.readAll(null, 10);
    expect(idsOf(page.events)).toEqual(idsOf(first));
    const beyond = await store.readAll(page.events[0]?.position ?? null, 10);
    expect(beyond.events).toEqual([]);
    expect(BigInt(beyond.scanned ?? 0)).toBeGreaterThan(BigInt(page.events[0]?.position ?? 0));
    expect(await store.readAll(beyond.scanned, 10)).toEqual({ events: [], scanned: beyond.scanned });

    const second = newEvents(2);
    await store.append(newStream(), 'no_stream', second);
    expect(idsOf((await store.readAll(beyond.scanned, 10)).events)).toEqual(idsOf(second));
  });

  it('ends a page where more than it will look at is foreign, and goes on from there', async () => {
    for (let batch = 0; batch < 5; batch += 1) await foreign(4_000);
    const ours = newEvents(1);
    await store.append(newStream(), 'no_stream', ours);
    const page = await store.readAll(null, 500);
    expect(page.events).toEqual([]);
    expect(page.scanned).not.toBeNull();
    expect(idsOf((await store.readAll(page.scanned, 500)).events)).toEqual(idsOf(ours));
  });

  it('is read once for a page where nothing of others is between, and a few times where much is', async () => {
    const readsOf = async (after: string | null, limit: number) => {
      const calls: string[] = [];
      log.server.watch = (method) => calls.push(method);
      const { events } = await store.readAll(after, limit);
      log.server.watch = undefined;
      return { events: events.length, reads: calls.length };
    };
    const lasts: string[] = [];
    for (let batch = 0; batch < 5; batch += 1) {
      lasts.push((await store.append(newStream(), 'no_stream', newEvents(500))).position);
    }
    const [first = null, , , , last = null] = lasts;
    expect(await readsOf(null, 2_000)).toEqual({ events: 2_000, reads: 1 });
    expect(await readsOf(first, 1_000)).toEqual({ events: 1_000, reads: 1 });
    await foreign(3_000);
    await store.append(newStream(), 'no_stream', newEvents(1));
    expect(await readsOf(first, 2_000)).toEqual({ events: 2_000, reads: 1 });
    // 2, 4, 8 … 1,024 records, the last of each being the first of the next, and then the rest.
    expect(await readsOf(last, 1)).toEqual({ events: 1, reads: 11 });
  });

  it('ends where it ends now, though it was longer, or another one, before', async () => {
    /** A client finds out by its first call that its server was exchanged. */
    const again = <T>(call: () => Promise<T>): Promise<T> =>
      until('the new server answers', () =>
        call().then(
          (answer) => ({ answer }),
          () => false as const,
        ),
      ).then(({ answer }) => answer);
    await foreign(3);
    await store.append(newStream(), 'no_stream', newEvents(2));
    const older = log.server.log.written();
    const { position } = await store.append(newStream(), 'no_stream', newEvents(1));
    expect(await store.head()).toBe(position);
    const end = older.at(-1);
    await log.server.stop();
    const restored = await EventStoreDbServer.start(log.server.port, older);
    try {
      expect(await again(() => store.head())).toBe(String(end?.position));
      expect(await store.eventIdAt(position)).toBeNull();
      expect(await store.eventIdAt(String(end?.position))).toBe(end?.id);
      await again(() => foreign(200));
      expect(await store.head()).toBe(String(end?.position));
    } finally {
      await restored.stop();
    }
    const other = await EventStoreDbServer.start(log.server.port);
    try {
      await again(() => foreign(300));
      expect(await again(() => store.head())).toBeNull();
    } finally {
      await other.stop();
    }
  });

  it('ends for us at our last event', async () => {
    expect(await store.head()).toBeNull();
    await foreign(30);
    expect(await store.head()).toBeNull();
    const { position } = await store.append(newStream(), 'no_stream', newEvents(3));
    await foreign(2_500);
    expect(await log.store().head()).toBe(position); // a store that has to look back over all of them
    expect(await store.head()).toBe(position);
    const later = await log.store().append(newStream(), 'no_stream', newEvents(1));
    expect(await store.head()).toBe(later.position);
  });

  it('skips the server’s own streams and types, in ours too', async () => {
    const stream = newStream();
    const [ours] = newEvents(1);
    await store.append(stream, 'no_stream', ours === undefined ? [] : [ours]);
    await others.setStreamMetadata(stream, { maxCount: 10 }, { credentials: SOMEBODY });
    const gone = newStream();
    await store.append(gone, 'no_stream', newEvents(1));
    await others.tombstoneStream(gone, { credentials: SOMEBODY });
    const all = await readToEnd(store, null, 3);
    expect(all.map((event) => event.stream)).toEqual([stream, gone]);
  });

  it('without a prefix is all but the server’s own', async () => {
    const bare = log.store({ streamPrefix: '' });
    const stream = newStream();
    await bare.append(stream, 'no_stream', newEvents(1));
    await foreign(2);
    await others.setStreamMetadata(stream, { maxCount: 10 }, { credentials: SOMEBODY });
    expect((await readToEnd(bare, null, 10)).map(({ type }) => type)).toEqual([
      'SomethingHappened',
      'SomethingElse',
      'SomethingElse',
    ]);
  });

  it('does not take a position of another log for one of its own', async () => {
    const { position } = await store.append(newStream(), 'no_stream', newEvents(3));
    await expect(store.readAll(String(BigInt(position) - 1n), 10)).rejects.toBeInstanceOf(
      UnknownPositionError,
    );
    const beyond = String(BigInt(position) + 1_000_000n);
    expect(await store.readAll(beyond, 10)).toEqual({ events: [], scanned: beyond });
  });

  it('is JSON to everybody else', async () => {
    const stream = newStream();
    const event = newEvent({ data: '{"a":[1,"ü"]}', metadata: '{"actor":"x"}' });
    await store.append(stream, 'no_stream', [event]);
    const read = [];
    for await (const { event: seen } of others.readStream(stream)) read.push(seen);
    expect(read).toMatchObject([
      { id: event.id, type: event.type, isJson: true, data: { a: [1, 'ü'] }, metadata: { actor: 'x' } },
    ]);
  });

  it('never goes by the batch stream, which asks for the server’s features first', async () => {
    const calls: string[] = [];
    log.server.watch = (method) => calls.push(method);
    await store.append(newStream(), 'no_stream', newEvents(1));
    expect(calls).toEqual(['append']);
  });

  describe('where somebody deleted a stream of ours', () => {
    let stream: string;
    beforeEach(async () => {
      stream = newStream();
      await store.append(stream, 'no_stream', newEvents(3));
    });

    it('for good, says so', async () => {
      await others.tombstoneStream(stream, { credentials: SOMEBODY });
      await expect(store.read(stream, 0)).rejects.toBeInstanceOf(StreamDeletedError);
      await expect(store.append(stream, 2, newEvents(1))).rejects.toBeInstanceOf(StreamDeletedError);
      await expect(store.append(stream, 'no_stream', newEvents(1))).rejects.toBeInstanceOf(
        StreamDeletedError,
      );
    });

    it('softly, does not take what comes then for a new stream', async () => {
      await others.deleteStream(stream, { credentials: SOMEBODY });
      expect(await store.read(stream, 0)).toEqual([]);
      await expect(store.append(stream, 'no_stream', newEvents(1))).rejects.toBeInstanceOf(
        StreamDeletedError,
      );
      await expect(store.read(stream, 0)).rejects.toBeInstanceOf(StreamDeletedError);
    });

    it('at its beginning, does not take the rest for the whole', async () => {
      await others.setStreamMetadata(stream, { truncateBefore: 2 }, { credentials: SOMEBODY });
      await expect(store.read(stream, 0)).rejects.toBeInstanceOf(StreamDeletedError);
      expect(await store.read(stream, 2)).toHaveLength(1);
    });
  });
});

/** Any credentials given to a call keep the client off its batch stream; an insecure server ignores them. */
const SOMEBODY = { username: 'somebody', password: 'else' };
