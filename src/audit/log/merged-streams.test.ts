import fc from 'fast-check';
import type { StoredEvent } from '../../events/stored-event.js';
import { type MergeLimits, mergedStreams } from './merged-streams.js';

/** A log in memory of which each event stands on the stream that is named, and how it was read. */
function logOf(names: readonly string[]) {
  const byStream = new Map<string, StoredEvent[]>();
  const events = names.map((stream, n): StoredEvent => {
    const own = byStream.get(stream) ?? [];
    byStream.set(stream, own);
    const told = { id: `id-${n}`, type: 'T', data: '{}', metadata: '{}' };
    const event = { position: String(n + 1), stream, revision: own.length, ...told };
    own.push(event);
    return event;
  });
  const read = { calls: 0, events: 0 };
  const store = {
    readPage: async (stream: string, from: number, limit: number) => {
      const page = (byStream.get(stream) ?? []).slice(from, from + limit);
      read.calls += 1;
      read.events += page.length;
      return page;
    },
  };
  return { events, store, read };
}

async function positionsOf(events: AsyncIterable<StoredEvent>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { position } of events) found.push(position);
  return found;
}

const positions = (events: readonly StoredEvent[]): readonly string[] =>
  events.map(({ position }) => position);

describe('Streams that are read as one', () => {
  it('are in the order of the log, behind any event, whatever may be held and read at once', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 60 }),
        fc.subarray(['a', 'b', 'c', 'd', 'x']),
        fc.nat(61),
        fc.record({
          held: fc.integer({ min: 1, max: 12 }),
          leastPage: fc.integer({ min: 1, max: 4 }),
          mostPage: fc.integer({ min: 4, max: 9 }),
          atOnce: fc.integer({ min: 1, max: 3 }),
        }),
        async (names, asked, skipped, limits) => {
          const { events, store } = logOf(names);
          const after = events[skipped]?.position ?? null;
          const behind = events.slice(after === null ? 0 : skipped + 1);
          const wanted = behind.filter(({ stream }) => asked.includes(stream));
          expect(await positionsOf(mergedStreams(store, asked, after, limits))).toEqual(positions(wanted));
        },
      ),
    ));

  it('are read a page at a time where thousands follow each other, not an event at a time', async () => {
    const streams = Array.from({ length: 2_000 }, (_, n) => `s${n}`);
    const { events, store, read } = logOf(streams.flatMap((stream) => Array<string>(12).fill(stream)));
    expect(await positionsOf(mergedStreams(store, streams, null))).toEqual(positions(events));
    expect(read.calls).toBeLessThan(4 * streams.length);
  });

  it('are each begun behind the cursor, found in few reads however long they are', async () => {
    const { events, store, read } = logOf(Array.from({ length: 20_000 }, (_, n) => `s${n % 2}`));
    const after = events[19_000]?.position ?? null;
    const found = await positionsOf(mergedStreams(store, ['s0', 's1'], after));
    expect(found).toEqual(positions(events.slice(19_001)));
    expect(read.events).toBeLessThan(1_100);
  });

  it('let go of what they may not hold, and read it again in its turn', async () => {
    const limits: MergeLimits = { held: 40, leastPage: 4, mostPage: 8, atOnce: 2 };
    const streams = Array.from({ length: 100 }, (_, n) => `s${n}`);
    const { events, store, read } = logOf(Array.from({ length: 1_000 }, (_, n) => `s${n % 100}`));
    expect(await positionsOf(mergedStreams(store, streams, null, limits))).toEqual(positions(events));
    expect(read.events).toBeGreaterThan(2 * events.length);
  });
});
