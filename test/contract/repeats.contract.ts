import { OutcomeUnknownError, WrongExpectedRevisionError } from '../../src/event-store/errors.js';
import type { AppendResult, EventStore, ExpectedRevision } from '../../src/event-store/event-store.js';
import type { NewEvent, StoredEvent } from '../../src/events/stored-event.js';
import { idsOf, newEvent, newEvents, newStream, type OpenStores } from './contract-events.js';

/** Names of the events in a repeat: a, b, c, d are in the stream at 0 to 3, n and m are new. */
type Repeat = 'a' | 'b' | 'c' | 'd' | 'n' | 'm';

/** Appending again what may have landed: at the same place it is recognised, elsewhere it is judged by the revision. */
export function describeRepeats(stores: () => OpenStores): void {
  describe('repeating an append', () => {
    let stream: string;
    let known: Record<Repeat, NewEvent>;
    let before: readonly StoredEvent[];
    beforeEach(async () => {
      stream = newStream();
      const [a, b, c, d, n, m] = [newEvent(), newEvent(), newEvent(), newEvent(), newEvent(), newEvent()];
      known = { a, b, c, d, n, m };
      await stores().store.append(stream, 'no_stream', [a, b, c]);
      await stores().store.append(stream, 2, [d]);
      before = await stores().store.read(stream, 0);
    });

    it.each<[string, ExpectedRevision, Repeat[], number]>([
      ['a whole append with events after it', 'no_stream', ['a', 'b', 'c'], 2],
      ['the last append', 2, ['d'], 3],
      ['one event of a longer append', 0, ['b'], 1],
      ['the head part of a longer append', 'no_stream', ['a', 'b'], 1],
      ['the tail part of a longer append', 0, ['b', 'c'], 2],
      ['two appends as one', 'no_stream', ['a', 'b', 'c', 'd'], 3],
    ])('recognises %s and answers with the original numbers', async (_, expected, names, revision) => {
      const { store, secondStore } = stores();
      const events = names.map((name) => known[name]);
      for (const from of [store, secondStore]) {
        expect(await from.append(stream, expected, events)).toEqual({
          revision,
          position: before[revision]?.position,
        });
      }
      expect(await store.read(stream, 0)).toEqual(before);
    });

    it.each<[string, ExpectedRevision, Repeat[]]>([
      ['an old append with a new tail', 'no_stream', ['a', 'b', 'c', 'd', 'n']],
      ['part of an append with a new tail', 0, ['b', 'n']],
      ['an old append with a new event first', 'no_stream', ['n', 'a', 'b']],
      ['an old event at a lower revision', 0, ['c']],
      ['an old event at a higher revision', 7, ['c']],
      ['an old event as a new stream', 'no_stream', ['d']],
      ['new events at an old revision', 1, ['n', 'm']],
    ])('refuses %s', async (_, expected, names) => {
      const { store } = stores();
      const events = names.map((name) => known[name]);
      const repeat = store.append(stream, expected, events);
      await expect(repeat).rejects.toBeInstanceOf(WrongExpectedRevisionError);
      await expect(repeat).rejects.toMatchObject({ actual: 3 });
      expect(await store.read(stream, 0)).toEqual(before);
    });

    it('does not recognise an old event at the head: it is written again', async () => {
      const { store } = stores();
      expect(await store.append(stream, 3, [known.b])).toMatchObject({ revision: 4 });
      expect(idsOf(await store.read(stream, 3))).toEqual([known.d.id, known.b.id]);
    });

    it('stores one id in two streams, and twice in one append', async () => {
      const { store } = stores();
      const [other, twice] = [newStream(), newStream()];
      await store.append(other, 'no_stream', [known.a]);
      await store.append(twice, 'no_stream', [known.n, known.n]);
      expect(idsOf(await store.read(other, 0))).toEqual([known.a.id]);
      expect(idsOf(await store.read(twice, 0))).toEqual([known.n.id, known.n.id]);
    });

    it('takes an id in capitals as the same id', async () => {
      const { store } = stores();
      const shouted = { ...known.d, id: known.d.id.toUpperCase() };
      expect(await store.append(stream, 2, [shouted])).toMatchObject({ revision: 3 });
      await store.append(stream, 3, [{ ...known.n, id: known.n.id.toUpperCase() }]);
      expect(idsOf(await store.read(stream, 3))).toEqual([known.d.id, known.n.id]);
    });

    it('stores an append once when many send it at the same moment', async () => {
      const { store, secondStore } = stores();
      const fresh = newStream();
      const events = newEvents(3);
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          appendUntilKnown(index % 2 === 0 ? store : secondStore, fresh, events),
        ),
      );
      const stored = await store.read(fresh, 0);
      expect(idsOf(stored)).toEqual(idsOf(events));
      for (const answer of answers) expect(answer).toEqual({ revision: 2, position: stored[2]?.position });
    });
  });
}

/** A store may say "unknown" of a repeat that meets the first try under way; then the caller repeats. */
async function appendUntilKnown(
  store: EventStore,
  stream: string,
  events: readonly NewEvent[],
): Promise<AppendResult> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await store.append(stream, 'no_stream', events);
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError) || attempt === 5) throw error;
    }
  }
}
