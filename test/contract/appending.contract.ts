import { WrongExpectedRevisionError } from '../../src/event-store/errors.js';
import type { EventStore, ExpectedRevision } from '../../src/event-store/event-store.js';
import { comparePositions, type NewEvent } from '../../src/events/stored-event.js';
import { idsOf, newEvent, newEvents, newStream, type OpenStores, readToEnd } from './contract-events.js';

/** Revisions, conflicts, and appends of several events. */
export function describeAppending(stores: () => OpenStores): void {
  describe('appending', () => {
    it('counts revisions from 0 and answers with the last event of the append', async () => {
      const { store } = stores();
      const stream = newStream();
      const [a, b, c] = [newEvent(), newEvent(), newEvent()];
      const first = await store.append(stream, 'no_stream', [a]);
      const second = await store.append(stream, 0, [b, c]);
      expect([first.revision, second.revision]).toEqual([0, 2]);
      expect(comparePositions(first.position, second.position)).toBeLessThan(0);

      const read = await store.read(stream, 0);
      expect(read.map((event) => event.revision)).toEqual([0, 1, 2]);
      expect(idsOf(read)).toEqual([a.id, b.id, c.id]);
      expect(read[0]?.position).toBe(first.position);
      expect(read[2]?.position).toBe(second.position);
    });

    it('reads a stream in pages: each as long as it may be, until the stream ends', async () => {
      const { store } = stores();
      const stream = newStream();
      const events = newEvents(5);
      await store.append(stream, 'no_stream', events);
      const pages = await Promise.all([0, 2, 4, 5].map((from) => store.readPage(stream, from, 2)));
      expect(pages.map(idsOf)).toEqual([0, 2, 4, 5].map((from) => idsOf(events.slice(from, from + 2))));
      expect(pages.map((page) => page[0]?.revision)).toEqual([0, 2, 4, undefined]);
      expect(idsOf(await store.readPage(stream, 1, 50))).toEqual(idsOf(events.slice(1)));
      expect(await store.readPage(newStream(), 0, 2)).toEqual([]);
      for (const [from, limit] of [
        [-1, 2],
        [0, 0],
        [0, 1.5],
      ] as const) {
        await expect(store.readPage(stream, from, limit)).rejects.toBeInstanceOf(RangeError);
      }
    });

    it.each<[string, number, ExpectedRevision, number | null]>([
      ['no stream where there is one', 2, 'no_stream', 1],
      ['a revision already passed', 2, 0, 1],
      ['a revision not reached', 2, 2, 1],
      ['a revision of a stream that does not exist', 0, 0, null],
    ])('refuses an append that expects %s', async (_, existing, expected, actual) => {
      const { store } = stores();
      const stream = newStream();
      if (existing > 0) await store.append(stream, 'no_stream', newEvents(existing));
      const failure = store.append(stream, expected, newEvents(2));
      await expect(failure).rejects.toBeInstanceOf(WrongExpectedRevisionError);
      await expect(failure).rejects.toMatchObject({
        code: 'wrong_expected_revision',
        stream,
        expected,
        actual,
      });
      expect(await store.read(stream, 0)).toHaveLength(existing);
    });

    it.each<ExpectedRevision>([-1, 0.5, Number.NaN])('refuses %p as a revision', async (expected) => {
      const { store } = stores();
      const stream = newStream();
      await expect(store.append(stream, expected, newEvents(1))).rejects.toBeInstanceOf(RangeError);
      expect(await store.read(stream, 0)).toEqual([]);
    });

    it('lets exactly one of many creators of a stream win', async () => {
      const { store, secondStore } = stores();
      for (let round = 0; round < 10; round += 1) {
        const stream = newStream();
        await expectOneWinner([store, secondStore], stream, 'no_stream', 0);
        await expectOneWinner([store, secondStore], stream, 0, 1);
      }
    });

    it('loses and doubles nothing when many writers of two stores fight for few streams', async () => {
      const { store, secondStore } = stores();
      const streams = [newStream(), newStream(), newStream()];
      const wanted = new Map<string, NewEvent[]>(streams.map((stream) => [stream, []]));
      const writers = Array.from({ length: 24 }, async (_, writer) => {
        const own = writer % 2 === 0 ? store : secondStore;
        for (let round = 0; round < 6; round += 1) {
          const stream = streams[(writer + round) % streams.length] ?? '';
          const event = newEvent();
          wanted.get(stream)?.push(event);
          await appendAtHead(own, stream, [event]);
        }
      });
      await Promise.all(writers);

      for (const [stream, events] of wanted) {
        const stored = await store.read(stream, 0);
        expect(stored.map((event) => event.revision)).toEqual(events.map((_, index) => index));
        expect(idsOf(stored).sort()).toEqual(idsOf(events).sort());
      }
    });

    it('shows several events of one append all together or not at all', async () => {
      const { store, secondStore } = stores();
      const stream = newStream();
      let writing = true;
      const sizes: number[] = [];
      const reader = (async () => {
        while (writing) sizes.push((await secondStore.read(stream, 0)).length);
      })();
      try {
        for (let batch = 0; batch < 40; batch += 1) {
          await store.append(stream, batch === 0 ? 'no_stream' : batch * 5 - 1, newEvents(5));
          const late = store.append(stream, batch * 5, newEvents(5));
          await expect(late).rejects.toBeInstanceOf(WrongExpectedRevisionError);
        }
      } finally {
        writing = false;
      }
      await reader;
      expect(sizes.filter((size) => size % 5 !== 0)).toEqual([]);
      expect(await store.read(stream, 0)).toHaveLength(200);
    });

    it('keeps the order of appends to several streams that are given at once, also when they are repeated', async () => {
      const { store, secondStore } = stores();
      const [a, b, c] = [newStream(), newStream(), newStream()];
      const before = await store.head();
      await store.append(a, 'no_stream', newEvents(1));
      const from = await store.head();
      const appends = [
        { stream: b, expected: 'no_stream' as const, events: newEvents(2) },
        { stream: a, expected: 0, events: newEvents(1) },
        { stream: b, expected: 1, events: newEvents(1) },
        { stream: c, expected: 'no_stream' as const, events: newEvents(1) },
        { stream: a, expected: 1, events: newEvents(2) },
      ];
      await store.appendInOrder(appends);
      await secondStore.appendInOrder(appends);
      const written = await readToEnd(store, from, 100);
      expect(idsOf(written)).toEqual(idsOf(appends.flatMap(({ events }) => events)));
      expect(written.map(({ stream, revision }) => [stream, revision])).toEqual([
        [b, 0],
        [b, 1],
        [a, 1],
        [b, 2],
        [c, 0],
        [a, 2],
        [a, 3],
      ]);
      expect(await store.read(a, 0)).toEqual(
        (await readToEnd(store, before, 100)).filter(({ stream }) => stream === a),
      );
      const late = { stream: newStream(), expected: 'no_stream' as const, events: newEvents(1) };
      const wrong = { stream: b, expected: 7, events: newEvents(1) };
      await expect(store.appendInOrder([wrong, late])).rejects.toMatchObject({ stream: b, actual: 2 });
      await store.appendInOrder([]);
    });

    it('takes 500 events in one append', async () => {
      const { store } = stores();
      const stream = newStream();
      const events = newEvents(500);
      expect(await store.append(stream, 'no_stream', events)).toMatchObject({ revision: 499 });
      expect(idsOf(await store.read(stream, 0))).toEqual(idsOf(events));
    });
  });
}

async function expectOneWinner(
  between: readonly EventStore[],
  stream: string,
  expected: ExpectedRevision,
  revision: number,
): Promise<void> {
  const attempts = Array.from({ length: 16 }, (_, index) => {
    const store = between[index % between.length];
    if (store === undefined) throw new Error('no store');
    return store.append(stream, expected, newEvents(1));
  });
  const results = await Promise.allSettled(attempts);
  const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.revision] : []));
  const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(won).toEqual([revision]);
  expect(lost.filter((reason) => !(reason instanceof WrongExpectedRevisionError))).toEqual([]);
}

async function appendAtHead(store: EventStore, stream: string, events: readonly NewEvent[]): Promise<void> {
  for (;;) {
    const length = (await store.read(stream, 0)).length;
    try {
      await store.append(stream, length === 0 ? 'no_stream' : length - 1, events);
      return;
    } catch (error) {
      if (!(error instanceof WrongExpectedRevisionError)) throw error;
    }
  }
}
