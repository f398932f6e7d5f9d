import fc from 'fast-check';
import { at } from '../../../../test/support/policy-stories.js';
import { customerAt } from '../../../../test/support/small-log.js';
import { parseEvent } from '../../../events/event-envelope.js';
import type { Position } from '../../../events/stored-event.js';
import { type Chunk, EventGroups } from './event-groups.js';

/** Whose each event of a stretch is; events of one are a group. */
type Owners = readonly number[];
const owners = fc.array(fc.nat(6), { minLength: 1, maxLength: 40 });
const PLACE = 100;

function positionOf(place: number): Position {
  return String(PLACE + place);
}

/** Of every owner another customer with another user. */
function groupsOf(all: Owners): EventGroups {
  const groups = new EventGroups();
  for (const [place, owner] of all.entries()) {
    const event = customerAt(PLACE + place, `cus_${owner}`, `user-${owner}`, place);
    groups.add(parseEvent(event), at(place));
  }
  return groups;
}

function chunksOf(groups: EventGroups, after: Position | null, size: number): readonly Chunk[] {
  return [...groups.chunks(after, size).chunks()];
}

/** The groups of a stretch in the order in which they begin, each in the log's order. */
function expected(all: Owners): readonly (readonly Position[])[] {
  return [...new Set(all)].map((owner) =>
    all.flatMap((each, place) => (each === owner ? [positionOf(place)] : [])),
  );
}

function sorted(positions: readonly Position[]): readonly Position[] {
  return [...positions].sort((a, b) => Number(a) - Number(b));
}

describe('The groups of a stretch', () => {
  it('come whole, in the order in which they begin, each event once, in chunks of a size or a little more', () => {
    fc.assert(
      fc.property(owners, fc.integer({ min: 1, max: 50 }), (all, size) => {
        const left = [...expected(all)];
        for (const { positions, times, through } of chunksOf(groupsOf(all), null, size)) {
          const inChunk: (readonly Position[])[] = [];
          while (inChunk.flat().length < size && left.length > 0) inChunk.push(left.shift() ?? []);
          expect(positions).toEqual(sorted(inChunk.flat()));
          expect(through).toBe(inChunk.at(-1)?.[0]);
          expect([...times]).toEqual(positions.map((each) => [each, at(Number(each) - PLACE)]));
        }
        expect(left).toEqual([]);
      }),
    );
  });

  it('are those of the stretch that they were asked of, also when they are taken while the next one is read', () => {
    const groups = groupsOf([0, 1, 2]);
    const { chunks } = groups.chunks(null, 1);
    const taken = chunks()[Symbol.iterator]();
    const first = taken.next().value?.positions;
    groups.end();
    groups.add(parseEvent(customerAt(PLACE + 9, 'cus_9', 'user-9', 9)), at(9));
    const rest = [taken.next(), taken.next()].map(({ value }) => value?.positions);
    expect([first, ...rest]).toEqual([0, 1, 2].map((place) => [positionOf(place)]));
  });

  it('go on after any of them exactly with the next, whatever the size of a chunk is then', () => {
    fc.assert(
      fc.property(owners, fc.nat(), fc.integer({ min: 1, max: 50 }), (all, which, size) => {
        const groups = expected(all);
        const done = which % groups.length;
        const after = groups[done]?.[0] ?? null;
        const rest = chunksOf(groupsOf(all), after, size).flatMap(({ positions }) => positions);
        expect(sorted(rest)).toEqual(sorted(groups.slice(done + 1).flat()));
        expect(rest).toHaveLength(new Set(rest).size);
      }),
    );
  });

  it('say how many events the largest has, and how many there are of events and of things', () => {
    const groups = groupsOf([0, 1, 1, 2, 1]);
    expect(groups.chunks(null, 2).largest).toBe(3);
    expect(groups.events).toBe(5);
    // A stream, a customer and a user each.
    expect(groups.things).toBe(9);
  });

  it('are one where an event names things of both, be it in the stretch or before it', () => {
    const related = parseEvent(customerAt(1, 'cus_1', 'user-0', 0));
    const before = new EventGroups();
    before.relate(related);
    for (const place of [0, 1, 2]) {
      before.add(parseEvent(customerAt(PLACE + place, `cus_${place}`, `user-${place}`, 0)), 0);
    }
    expect(chunksOf(before, null, 1).map(({ positions }) => positions)).toEqual([['100', '101'], ['102']]);
    expect(before.events).toBe(3);
    const within = groupsOf([0, 1, 2]);
    within.add(parseEvent(customerAt(PLACE + 3, 'cus_2', 'user-0', 0)), 0);
    expect(chunksOf(within, null, 1).map(({ positions }) => positions)).toEqual([
      ['100', '102', '103'],
      ['101'],
    ]);
  });

  it('are kept of an earlier stretch for the next one, without its events', () => {
    const groups = groupsOf([0, 1]);
    groups.add(parseEvent(customerAt(PLACE + 2, 'cus_1', 'user-0', 0)), 0);
    groups.end();
    expect(groups.events).toBe(0);
    expect(chunksOf(groups, null, 1)).toEqual([]);
    for (const place of [4, 5, 6]) {
      const owner = place % 3;
      groups.add(parseEvent(customerAt(PLACE + place, `cus_${owner}`, `user-${owner}`, 0)), 0);
    }
    expect(chunksOf(groups, null, 1).map(({ positions }) => positions)).toEqual([['104', '106'], ['105']]);
  });

  it('hold more events than there was room for at first', () => {
    const all = Array.from({ length: 5_000 }, (_, n) => n % 2);
    const [even, odd] = chunksOf(groupsOf(all), null, 1);
    expect(even?.positions).toHaveLength(2_500);
    expect(odd?.positions.at(-1)).toBe(positionOf(4_999));
    expect(even?.times.get(positionOf(0))).toBe(at(0));
    expect(even?.times.get(positionOf(4_000))).toBe(at(4_000));
    expect(odd?.times.get(positionOf(4_999))).toBe(at(4_999));
  });
});
