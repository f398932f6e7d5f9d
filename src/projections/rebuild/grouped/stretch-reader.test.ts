import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { LogInMemory } from '../../../../test/support/log-in-memory.js';
import { at } from '../../../../test/support/policy-stories.js';
import { catalogueAt, customerAt, skipAt } from '../../../../test/support/small-log.js';
import type { Position, StoredEvent } from '../../../events/stored-event.js';
import type { Checkpoint } from '../../engine/checkpoint.js';
import { NOTHING_SET_ASIDE } from '../../engine/set-aside-summary.js';
import { SetDownGoneError } from './set-down-events.js';
import { type StretchLimits, StretchReader } from './stretch-reader.js';

const MANY: StretchLimits = { things: 1_000, events: 1_000, ofAGroup: 1_000 };
const STRANGE = { id: randomUUID(), stream: 'tenure.strange', revision: 0, data: '{}', metadata: '{}' };

/** Two customers who take turns, a second an event. */
const EVENTS = Array.from({ length: 40 }, (_, n) =>
  customerAt(n + 1, `cus_${n % 2}`, `user-${n % 2}`, n + 1),
);

function checkpointAt(handled: Position | null, more: Partial<Checkpoint> = {}): Checkpoint {
  return {
    handled,
    eventId: null,
    scanned: handled,
    partialProgress: [],
    logicalTime: 0,
    revision: 1,
    events: Number(handled ?? '0'),
    setAside: NOTHING_SET_ASIDE,
    fault: null,
    ...more,
  };
}

/** A reader of a log that begins after a checkpoint; `keptAt` is the last of the fold's times that was kept before. */
async function readerOf(
  events: readonly StoredEvent[],
  from: Checkpoint = checkpointAt(null),
  { limits = MANY, keptAt }: { limits?: StretchLimits; keptAt?: number } = {},
): Promise<StretchReader> {
  const reader = new StretchReader(new LogInMemory(events), null, limits);
  await begins(reader, from, keptAt);
  return reader;
}

function begins(reader: StretchReader, from: Checkpoint, keptAt?: number): Promise<void> {
  const rows = keptAt === undefined ? [] : [{ now_ms: String(keptAt) }];
  return reader.begin({ query: async () => ({ rows }) }, 2, from, from.events);
}

function chunksOf({ groups }: StretchReader): readonly (readonly Position[])[] {
  return [...groups.chunks(null, 1).chunks()].map(({ positions }) => positions);
}

describe('A stretch of the log', () => {
  it('ends where it was to be read to, whatever the log holds beyond', async () => {
    const reader = await readerOf(EVENTS);
    expect(await reader.read('4')).toBe('whole');
    expect(reader.last).toEqual({ position: '4', id: EVENTS[3]?.id });
    expect(reader.stoppedAt).toBeNull();
    expect(reader.now).toBe(at(4));
    expect(chunksOf(reader)).toEqual([
      ['1', '3'],
      ['2', '4'],
    ]);
  });

  it.each([
    [20, 2],
    [19, null],
  ])(
    'of groups of 20 events is told apart where a group may have %d: %s chunks',
    async (ofAGroup, chunks) => {
      const reader = await readerOf(EVENTS, checkpointAt(null), { limits: { ...MANY, ofAGroup } });
      expect(await reader.read('40')).toBe('whole');
      const told = reader.chunks(null, 1);
      expect(told === null ? null : [...told].length).toBe(chunks);
    },
  );

  it('ends before a catalogue, and the next one begins after it and knows what was before', async () => {
    const log = [
      ...EVENTS.slice(0, 2),
      customerAt(3, 'cus_1', 'user-0', 3),
      catalogueAt(4, 4),
      ...EVENTS.slice(4, 6),
    ];
    const reader = await readerOf(log);
    expect(await reader.read('6')).toBe('whole');
    expect([reader.last?.position, reader.stoppedAt]).toEqual(['3', '4']);
    expect(chunksOf(reader)).toEqual([['1', '2', '3']]);
    await begins(reader, checkpointAt('4'));
    expect(reader.last).toBeNull();
    expect(await reader.read('6')).toBe('whole');
    expect([reader.last?.position, reader.stoppedAt]).toEqual(['6', null]);
    expect(chunksOf(reader)).toEqual([['5', '6']]);
  });

  it('has every event after its checkpoint, also what was read before in vain and then folded only in part', async () => {
    const reader = await readerOf(EVENTS);
    await reader.read('10');
    await begins(reader, checkpointAt('4'));
    await reader.read('12');
    expect(
      chunksOf(reader)
        .flat()
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('ends after so many events as may be held', async () => {
    const reader = await readerOf(EVENTS, checkpointAt(null), { limits: { ...MANY, events: 7 } });
    expect(await reader.read('40')).toBe('whole');
    expect([reader.last?.position, reader.groups.events]).toEqual(['7', 7]);
    await begins(reader, checkpointAt('7'));
    expect(await reader.read('40')).toBe('whole');
    expect([reader.last?.position, reader.groups.events]).toEqual(['14', 7]);
  });

  it.each<[string, readonly StoredEvent[], StretchLimits]>([
    ['an event of a type that nobody knows', [{ ...STRANGE, type: 'FromTheFuture', position: '41' }], MANY],
    ['an event without what its type has', [{ ...STRANGE, type: 'CustomerObserved', position: '41' }], MANY],
    ['an event that ops skipped', [skipAt(41, 41)], MANY],
    ['more things than may be held', [], { ...MANY, things: 5 }],
  ])('is not folded by groups where the log holds %s, be it before the stretch', async (_, more, limits) => {
    const log = [...EVENTS, ...more];
    expect(await (await readerOf(log, checkpointAt(null), { limits })).read('41')).toBe('not by groups');
    expect(await (await readerOf(log, checkpointAt('41'), { limits })).read('42')).toBe('not by groups');
  });

  it('is set down whole, and nothing that is before or after it, again where it is begun again', async () => {
    const log = [
      ...Array.from({ length: 4_100 }, (_, n) => customerAt(n + 1, 'cus_1', 'user-1', 1)),
      catalogueAt(4_101, 1),
    ];
    const taken: StoredEvent[] = [];
    const setDown = {
      begin: async () => {
        taken.length = 0;
      },
      take: async (events: readonly StoredEvent[]) => {
        await pause(5); // the next page is read meanwhile
        taken.push(...events);
      },
    };
    const reader = new StretchReader(new LogInMemory(log), setDown, { ...MANY, events: 5_000 });
    await begins(reader, checkpointAt('1500'));
    expect(await reader.read('4101')).toBe('more');
    for (const upTo of ['3000', '4101']) {
      await begins(reader, checkpointAt('1500'));
      while ((await reader.read(upTo)) === 'more');
      expect(reader.last?.position).toBe(upTo === '4101' ? '4100' : upTo);
      expect(taken).toEqual(log.slice(1_500, Number(reader.last?.position)));
    }
  });

  it('says at the next page, and at its end, that a page could not be set down', async () => {
    const log = Array.from({ length: 2_001 }, (_, n) => customerAt(n + 1, 'cus_1', 'user-1', 1));
    const gone = new SetDownGoneError(2);
    let pages = 0;
    const take = async (): Promise<void> => {
      pages += 1;
      if (pages !== 2) throw gone;
    };
    const setDown = { begin: async () => undefined, take };
    const reader = new StretchReader(new LogInMemory(log), setDown, { ...MANY, events: 5_000 });
    await begins(reader, checkpointAt(null));
    expect(await reader.read('2001')).toBe('more');
    await expect(reader.read('2001')).rejects.toBe(gone);
    pages = 2;
    await begins(reader, checkpointAt(null));
    await expect(reader.read('2')).rejects.toBe(gone);
  });

  it('is not folded by groups where a position is no exact number', async () => {
    const [exact, inexact] = ['9007199254740991', '9007199254740993'];
    const log = [exact, inexact].map((position) => ({ ...customerAt(1, 'cus_1', 'user-1', 1), position }));
    expect(await (await readerOf(log)).read(exact)).toBe('whole');
    expect(await (await readerOf(log)).read(inexact)).toBe('not by groups');
  });

  it('is read a page at a time', async () => {
    const log = Array.from({ length: 2_001 }, (_, n) => customerAt(n + 1, 'cus_1', 'user-1', 1));
    const reader = await readerOf(log, checkpointAt(null), { limits: { ...MANY, events: 5_000 } });
    expect(await reader.read('2001')).toBe('more');
    expect(reader.groups.events).toBe(2_000);
    expect(await reader.read('2001')).toBe('whole');
    expect(reader.last?.position).toBe('2001');
  });

  it('keeps the time of every sixteenth event of the fold, and where time goes back from one that was not kept', async () => {
    const back = customerAt(9, 'cus_0', 'user-0', 2);
    const log = [...EVENTS.slice(0, 8), back, customerAt(10, 'cus_0', 'user-0', 3), ...EVENTS.slice(10)];
    const reader = await readerOf(log, checkpointAt('4', { events: 14, logicalTime: at(4) }), {
      keptAt: at(1),
    });
    await reader.read('40');
    // Events 14 to 49 of the fold; of the two that go back the second is known by the time that is kept with the first.
    expect(reader.times).toEqual([
      { position: '7', now: at(7) },
      { position: '9', now: at(8) },
      { position: '23', now: at(23) },
      { position: '39', now: at(39) },
    ]);
  });

  it('goes on with the time of the fold before it', async () => {
    const reader = await readerOf(EVENTS, checkpointAt('4', { logicalTime: at(30) }), { keptAt: at(30) });
    await reader.read('20');
    expect(reader.now).toBe(at(30));
    expect(reader.times).toEqual([{ position: '17', now: at(30) }]);
    const [first] = [...reader.groups.chunks(null, 1).chunks()];
    expect(first?.times.get('5')).toBe(at(30));
  });
});
