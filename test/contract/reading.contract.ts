import type { EventStore } from '../../src/event-store/event-store.js';
import { EventStoreDecorator } from '../../src/event-store/event-store-decorator.js';
import { MOST_KEYS } from '../../src/event-store/stream-keys.js';
import { canonicalJson } from '../../src/events/canonical-json.js';
import {
  comparePositions,
  type NewEvent,
  type Position,
  type StoredEvent,
} from '../../src/events/stored-event.js';
import { unreliableStore } from '../support/unreliable-store.js';
import { until } from '../support/until.js';
import { idsOf, newEvent, newEvents, newStream, type OpenStores, readToEnd } from './contract-events.js';

/** Streams, pages of the whole log, and notifications. */
export function describeReading(stores: () => OpenStores): void {
  describe('reading', () => {
    it('reads a stream from any revision, and nothing beyond its end or where there is none', async () => {
      const { store } = stores();
      const stream = newStream();
      const events = newEvents(4);
      await store.append(stream, 'no_stream', events);
      expect(idsOf(await store.read(stream, 2))).toEqual(idsOf(events.slice(2)));
      expect(await store.read(stream, 4)).toEqual([]);
      expect(await store.read(stream, 1_000)).toEqual([]);
      expect(await store.read(newStream(), 0)).toEqual([]);
    });

    it('reads the last event of a stream, however long it is, and of none nothing', async () => {
      const { store, secondStore } = stores();
      const stream = newStream();
      expect(await store.readLast(stream)).toBeNull();
      await store.append(stream, 'no_stream', newEvents(40));
      const [last] = newEvents(1);
      const { position } = await secondStore.append(stream, 39, last === undefined ? [] : [last]);
      for (const each of [store, secondStore]) {
        expect(await each.readLast(stream)).toEqual({ ...last, stream, revision: 40, position });
      }
    });

    it('tells streams by the keys of their events, many at once, and that there is none', async () => {
      const { store, secondStore } = stores();
      const written = ['plain', '"quoted", "causationId":"evt_other"', 'ü \u{1F600}\n\\', null].map(
        (causationId, index) => ({
          causationId,
          stripeCreated: index === 2 ? null : index,
          hash: hashOf(index),
        }),
      );
      const streams = written.map(newStream);
      const positions: Position[] = [];
      for (const [index, stream] of streams.entries()) {
        const events = written.slice(0, index + 1).map(keyed);
        positions.push((await store.append(stream, 'no_stream', events)).position);
      }
      const asked = [...streams, newStream()].map((stream) => secondStore.readKeys(stream, KEYED));
      const keys = written.map(({ causationId, stripeCreated }) => [causationId, stripeCreated]);
      expect(await Promise.all(asked)).toEqual([
        ...positions.map((position, revision) => ({
          revision,
          hash: hashOf(revision),
          position,
          keys: keys.slice(0, revision + 1),
        })),
        'no_stream',
      ]);
    });

    it('tells no stream by keys that is long, holds another type, or was not written by us', async () => {
      const { store } = stores();
      const event = keyed({ causationId: 'evt_1', hash: hashOf(1) });
      const told = async (events: readonly NewEvent[]) => {
        const stream = newStream();
        await store.append(stream, 'no_stream', events);
        return store.readKeys(stream, KEYED);
      };
      const times = (count: number) => Array.from({ length: count }, () => ({ ...event, id: newEvent().id }));
      expect(await told(times(MOST_KEYS))).toMatchObject({ revision: MOST_KEYS - 1 });
      expect(await told(times(MOST_KEYS + 1))).toBe('not_by_keys');
      expect(await told([...times(1), newEvent({ metadata: event.metadata, type: 'Linked' })])).toBe(
        'not_by_keys',
      );
      expect(await told(newEvents(1))).toBe('not_by_keys');
      const foreign = newEvent({ type: event.type, metadata: 'no JSON' });
      expect(await told([foreign, ...times(1)])).toBe('not_by_keys');
      expect(await told([...times(1), foreign])).toBe('not_by_keys');
    });

    it.each([1, 7, 1_000])('pages the log from the start, the middle and the end by %i', async (limit) => {
      const { store, secondStore } = stores();
      const start = await store.head();
      const streams = [newStream(), newStream(), newStream()];
      const positions: Position[] = [];
      for (const stream of streams) {
        positions.push((await store.append(stream, 'no_stream', newEvents(5))).position);
      }
      const ours = await readToEnd(secondStore, start, limit);
      expect(ours.map((event) => [event.stream, event.revision])).toEqual(
        streams.flatMap((stream) => [0, 1, 2, 3, 4].map((revision) => [stream, revision])),
      );
      const middle = positions[0] ?? null;
      expect(await readToEnd(store, middle, limit)).toEqual(ours.slice(5));
      expect(await store.head()).toBe(positions[2]);
      const end = await store.readAll(positions[2] ?? null, limit);
      expect(end.events).toEqual([]);
      expect(comparePositions(end.scanned, positions[2] ?? null)).toBeGreaterThanOrEqual(0);

      const fromStart = await readToEnd(store, null, 1_000);
      expect(fromStart.slice(-15)).toEqual(ours);
      expectStrictlyOrdered(fromStart);
    });

    it('gives the page after an event together with the id of that event', async () => {
      const { store, secondStore } = stores();
      const stream = newStream();
      const [first, rest] = [newEvents(1), newEvents(4)];
      const { position } = await store.append(stream, 'no_stream', first);
      await store.append(stream, 0, rest);
      for (const limit of [1, 3, 4, 100]) {
        const { eventId, events, scanned } = await secondStore.readAfterEvent(position, limit);
        const page = await store.readAll(position, limit);
        expect({ eventId, events }).toEqual({ eventId: first[0]?.id, events: page.events });
        expect(events.slice(0, 4).map(({ id }) => id)).toEqual(rest.slice(0, limit).map(({ id }) => id));
        expect(comparePositions(scanned, events.at(-1)?.position ?? null)).toBeGreaterThanOrEqual(0);
      }
    });

    it('says which event is at a position, and of any other that none is', async () => {
      const { store, secondStore } = stores();
      const stream = newStream();
      const [first, last] = [newEvents(1), newEvents(2)];
      const one = await store.append(stream, 'no_stream', first);
      const two = await store.append(stream, 0, last);
      expect(await secondStore.eventIdAt(one.position)).toBe(first[0]?.id);
      expect(await store.eventIdAt(two.position)).toBe(last[1]?.id);
      expect(await secondStore.eventAt(two.position)).toEqual({
        ...last[1],
        stream,
        revision: 2,
        position: two.position,
      });
      for (const beside of [`${two.position}0`, String(BigInt(two.position) + 1n), '0', 'first']) {
        expect(await store.eventIdAt(beside)).toBeNull();
        expect(await store.eventAt(beside)).toBeNull();
      }
    });

    it('gives events at any positions in the order of the log, as does whoever stands before it, or says that it cannot', async () => {
      const { store, secondStore } = stores();
      const [one, two] = [newStream(), newStream()];
      const [first, last] = [newEvents(1), newEvents(3)];
      const { position: before } = await store.append(one, 'no_stream', first);
      const { position: after } = await store.append(two, 'no_stream', last);
      const all = await readToEnd(store, before, 100);
      const wanted = [
        ...(await readToEnd(store, null, 1_000)).slice(-4, -3),
        ...all.slice(0, 1),
        ...all.slice(2),
      ];
      const positions = wanted.map(({ position }) => position);
      expect(positions).toHaveLength(3);
      class Before extends EventStoreDecorator {}
      for (const each of [store, secondStore, new Before(store), unreliableStore(store)]) {
        if (store.eventsAt === undefined) {
          expect(each.eventsAt).toBeUndefined();
          continue;
        }
        const beside = [`${after}0`, String(BigInt(after) + 1n), '0', 'first'];
        const asked = [...beside, ...positions.toReversed(), ...positions];
        expect(await each.eventsAt?.(asked)).toEqual(wanted);
        expect(await each.eventsAt?.([])).toEqual([]);
        expect(await each.eventsAt?.(beside)).toEqual([]);
      }
    });

    it('gives no page longer than its limit', async () => {
      const { store } = stores();
      await store.append(newStream(), 'no_stream', newEvents(5));
      expect((await store.readAll(null, 3)).events.length).toBeLessThanOrEqual(3);
    });

    it('refuses what is no revision, no position and no page size', async () => {
      const { store } = stores();
      await expect(store.read(newStream(), -1)).rejects.toBeInstanceOf(RangeError);
      await expect(store.readAll('first', 10)).rejects.toBeInstanceOf(RangeError);
      await expect(store.readAll(null, 0)).rejects.toBeInstanceOf(RangeError);
    });

    it('shows an append to every store before its answer', async () => {
      const { store, secondStore } = stores();
      for (let round = 0; round < 30; round += 1) {
        const { position } = await store.append(newStream(), 'no_stream', newEvents(1));
        expect(comparePositions(await secondStore.head(), position)).toBeGreaterThanOrEqual(0);
      }
    });

    it('misses and repeats nothing while sixteen writers of two stores append', async () => {
      const { store, secondStore } = stores();
      const start = await store.head();
      const acknowledged: string[] = [];
      let writing = true;
      const readers = [3, 100].map((limit) => follow(secondStore, start, limit, () => writing));
      const writers = Promise.all(
        Array.from({ length: 16 }, async (_, writer) => {
          const own = writer % 2 === 0 ? store : secondStore;
          const stream = newStream();
          for (let next = 0; next < 60; ) {
            const events = newEvents(1 + (next % 3));
            const { revision } = await own.append(stream, next === 0 ? 'no_stream' : next - 1, events);
            acknowledged.push(...idsOf(events));
            next = revision + 1;
          }
        }),
      );
      await writers.finally(() => {
        writing = false;
      });
      const after = await readToEnd(store, start, 500);
      expect(idsOf(after).sort()).toEqual([...acknowledged].sort());
      expectStrictlyOrdered(after);
      expectRevisionsInOrder(after);
      for (const seen of await Promise.all(readers)) expect(seen).toEqual(after);
    });
  });

  describe('notifications', () => {
    it.each(['store', 'secondStore'] as const)('come for an append of the %s', async (writer) => {
      const { store } = stores();
      let seen: Position | null = null;
      const stop = store.onAppend(() => {
        void store.head().then((head) => {
          if (comparePositions(head, seen) > 0) seen = head;
        });
      });
      try {
        // The first notification may be one that is still on its way: what counts is that one comes after each append.
        for (let round = 0; round < 5; round += 1) {
          const { position } = await stores()[writer].append(newStream(), 'no_stream', newEvents(1));
          await until('a notification', () => comparePositions(seen, position) >= 0);
        }
      } finally {
        stop();
      }
    });

    it('come no more to a listener that has stopped, and still to the others', async () => {
      const { store } = stores();
      const calls = { stopped: 0, listening: 0 };
      const ringStopped = () => {
        calls.stopped += 1;
      };
      const stopFirst = store.onAppend(ringStopped);
      const stopSecond = store.onAppend(() => {
        calls.listening += 1;
      });
      stopFirst();
      calls.stopped = 0;
      const before = calls.listening;
      await store.append(newStream(), 'no_stream', newEvents(1));
      await until('a notification', () => calls.listening > before);
      stopSecond();
      expect(calls.stopped).toBe(0);
    });

    it('costs no event when nobody heard it', async () => {
      const { store, secondStore } = stores();
      const start = await store.head();
      const stop = store.onAppend(() => undefined);
      stop();
      const events = newEvents(3);
      await secondStore.append(newStream(), 'no_stream', events);
      expect(idsOf(await readToEnd(store, start, 2))).toEqual(idsOf(events));
    });
  });
}

/** Reads on from the last position seen until the writers have stopped and a page comes back empty. */
async function follow(
  store: EventStore,
  start: Position | null,
  limit: number,
  writing: () => boolean,
): Promise<StoredEvent[]> {
  const seen: StoredEvent[] = [];
  for (let after = start; ; ) {
    const more = writing();
    const page = await store.readAll(after, limit);
    seen.push(...page.events);
    if (!more && page.events.length === 0 && page.scanned === after) return seen;
    after = page.scanned;
  }
}

function expectStrictlyOrdered(events: readonly StoredEvent[]): void {
  const wrong = events.filter((event, index) => {
    const previous = events[index - 1];
    return previous !== undefined && comparePositions(previous.position, event.position) >= 0;
  });
  expect(wrong).toEqual([]);
}

function expectRevisionsInOrder(events: readonly StoredEvent[]): void {
  const next = new Map<string, number>();
  for (const event of events) {
    expect(event.revision).toBe(next.get(event.stream) ?? 0);
    next.set(event.stream, event.revision + 1);
  }
}

/** The types of event of which the key is enough. */
const KEYED = new Set(['SomethingHappened']);

function keyed(metadata: Readonly<Record<string, unknown>>): NewEvent {
  return newEvent({ metadata: canonicalJson(metadata) });
}

function hashOf(number: number): string {
  return String(number).padStart(64, '0');
}
