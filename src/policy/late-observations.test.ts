import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import {
  itemSight,
  knownItems,
  PLAIN,
  PRICES,
  SIGHT_CATALOG,
  type Sight,
  seen,
  sightsOf,
  strangeItems,
} from '../../test/support/sights.js';
import type { Observation } from './facts.js';
import { growingList } from './growing-list.js';
import { allWithHeldItems, wholeOnes } from './held-items.js';
import { orderObservations, statusObservation } from './order.js';
import { planPeriodsOf } from './plan-periods.js';
import { openPriceBook } from './prices.js';

/** What is made of observations, each with all that it is made of itself. */
const PARTS = {
  order: (told: readonly Observation[]) => {
    const { observations, tiedAt } = orderObservations(told);
    return [...observations.map(({ eventId }) => eventId), tiedAt];
  },
  status: (told: readonly Observation[]) => statusObservation(heldOf(told))?.eventId,
  held: (told: readonly Observation[]) =>
    heldOf(told).map(({ eventId, data }) => [eventId, data.items.length]),
  whole: (told: readonly Observation[]) => wholeOnes(heldOf(told)).map(({ eventId }) => eventId),
  prices: (told: readonly Observation[]) => {
    const book = openPriceBook(SIGHT_CATALOG, heldOf(told));
    return PRICES.map((price) => [
      book.planOf(price)?.name,
      book.addonOf(price)?.name,
      book.readingOf(price)?.by,
      book.readingOf(price)?.shown?.eventId,
      book.tieredBy(price)?.eventId,
    ]);
  },
  planPeriods: (told: readonly Observation[]) => {
    const held = heldOf(told);
    return planPeriodsOf(held, openPriceBook(SIGHT_CATALOG, held));
  },
} as const;
type Part = keyof typeof PARTS;
const ALL_PARTS = Object.keys(PARTS) as readonly Part[];

function heldOf(told: readonly Observation[]): readonly Observation[] {
  return allWithHeldItems(orderObservations(told).observations);
}

function expectAnew(kept: readonly Observation[], parts: readonly Part[]): void {
  for (const part of parts) {
    const [made, anew] = [PARTS[part](kept), PARTS[part]([...kept])];
    if (!isDeepStrictEqual(made, anew)) expect([part, made]).toEqual([part, anew]); // which tells where, and takes its time
  }
}

function planNamesOf(told: readonly Observation[]): readonly (string | undefined)[] {
  return PARTS.planPeriods(told).map(({ of }) => of?.plan.name);
}

interface Told {
  readonly sight: Sight;
  readonly second: number;
}

/** So many times something was seen, every other second: more than two strides of what cuts plan periods. */
const PAST = 140;

/**
 * Facts that come together before anybody asks: of seconds of the past, between those, and after them, of which several often
 * share one; some say what the one before them said, in the same second, and at times many follow that say nothing new. Then
 * somebody asks, for some of what is made of all.
 */
const batchesOf = (late: fc.Arbitrary<Sight>) =>
  fc.array(
    fc.record({
      told: fc.array(
        fc.record({
          sight: late,
          second: fc.oneof(
            { arbitrary: fc.nat(2 * PAST), weight: 2 },
            { arbitrary: fc.integer({ min: 120, max: 180 }), weight: 2 },
            { arbitrary: fc.integer({ min: 2 * PAST, max: 2 * PAST + 6 }), weight: 2 },
          ),
          rank: fc.nat(9),
          isTwin: fc.constantFrom(false, false, true),
        }),
        { minLength: 1, maxLength: 5 },
      ),
      more: fc.constantFrom(0, 0, 0, 0, 70),
      asked: fc.oneof(fc.subarray([...ALL_PARTS], { minLength: 1 }), fc.constant(ALL_PARTS)),
    }),
    { minLength: 2, maxLength: 8 },
  );

describe('Observations that are told late among hundreds', () => {
  it.each<[string, fc.Arbitrary<Sight>]>([
    ['of prices that are all known', sightsOf(knownItems)],
    ['of a life without rhyme or reason', sightsOf(strangeItems)],
  ])('%s make the order, the status, the prices and the plan periods that all of them make', (_, late) => {
    const stretches = fc.array(late, { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(batchesOf(late), stretches, (batches, stretches) => {
        // Every fourteenth time something else is seen, and between that the same.
        const before = Array.from({ length: PAST }, (_, n) => {
          const stretch = stretches[Math.floor(n / 14)] ?? PLAIN;
          return seen(`evt_${n}`, 2 * n, n % 14 === 0 ? stretch : { ...PLAIN, items: stretch.items });
        });
        const kept = growingList([...before]);
        expectAnew(kept, ALL_PARTS);
        let last: Told | null = null;
        for (const { told, more, asked } of batches) {
          for (const { isTwin, rank, ...each } of told) {
            const now: Told = isTwin && last !== null ? last : each;
            kept.push(seen(`evt_${rank}_late_${kept.length}`, now.second, now.sight));
            last = now;
          }
          const newest = 2 * PAST + 10 + kept.length;
          for (let n = 0; n < more; n += 1) kept.push(seen(`evt_more_${newest + n}`, newest + n, PLAIN));
          expectAnew(kept, asked);
        }
        expectAnew(kept, ALL_PARTS);
      }),
      { numRuns: Number(process.env.EXTENSION_RUNS ?? '80') },
    );
  });

  it('need not be told at the end of a list that nobody said only grows: everything is made anew of that', () => {
    const list = Array.from({ length: 100 }, (_, n) => seen(`evt_${n}`, n, PLAIN));
    expectAnew(list, ALL_PARTS);
    list.splice(50, 1, seen('evt_late', 50, { ...PLAIN, status: 'canceled', items: [] }));
    expectAnew(list, ALL_PARTS);
  });

  it('change which plan a price took over, where they come before it did', () => {
    const of = (price: string): Sight => ({ ...PLAIN, items: [itemSight(price, { product: 'prod_a' })] });
    const before = Array.from({ length: 100 }, (_, n) => seen(`evt_${n}`, n * 2, of('plus_m')));
    const kept = growingList([...before, seen('evt_moved', 300, of('new_price'))]);
    expect(planNamesOf(kept)).toEqual(['plus', 'plus']);
    kept.push(seen('evt_late', 250, of('pro_m')));
    expect(planNamesOf(kept)).toEqual(['plus', 'pro', 'pro']);
  });

  it('change which plan a price takes over next, where by them what was seen last is another of its second', () => {
    const of = (price: string, product: string): Sight => ({
      ...PLAIN,
      items: [itemSight(price, { product })],
    });
    const [plus, pro] = [of('plus_m', 'prod_plus'), of('pro_m', 'prod_pro')];
    const before = Array.from({ length: 100 }, (_, n) => seen(`evt_${n}`, n, plus));
    const up = (eventId: string): Observation => {
      const sight = seen(eventId, 200, { ...pro, previous: plus.items });
      const { previous } = sight.data;
      return { ...sight, data: { ...sight.data, previous: previous && { ...previous, digest: eventId } } };
    };
    const kept = growingList([...before, up('evt_b'), seen('evt_c', 200, { ...plus, previous: pro.items })]);
    expectAnew(kept, ALL_PARTS);
    kept.push(up('evt_a'));
    expectAnew(kept, ALL_PARTS);
    expect(PARTS.order(kept).slice(-4, -1)).toEqual(['evt_a', 'evt_c', 'evt_b']);
    kept.push(seen('evt_last', 300, of('new_price', 'prod_pro')));
    expectAnew(kept, ALL_PARTS);
    expect(planNamesOf(kept).at(-1)).toBe('pro');
  });

  it('tell what a price was of all the time, where the newest is the first that shows it', () => {
    const of = (lookupKey: string | null): Sight => ({
      ...PLAIN,
      items: [itemSight('other_price', { lookupKey })],
    });
    const before = Array.from({ length: 100 }, (_, n) => seen(`evt_${n}`, n, n < 50 ? PLAIN : of(null)));
    const kept = growingList([...before]);
    expect(planNamesOf(kept)).toEqual(['plus', undefined]);
    kept.push(seen('evt_last', 300, of('pro_m')));
    expectAnew(kept, ALL_PARTS);
    expect(planNamesOf(kept)).toEqual(['plus', 'pro']);
  });

  it('count once what two events tell of one late second, when they come with one that is later', () => {
    const before = Array.from({ length: 100 }, (_, n) => seen(`evt_${n}`, n, PLAIN));
    const kept = growingList([...before]);
    PARTS.whole(kept);
    kept.push(seen('evt_last', 300, PLAIN), seen('evt_late_a', 200, PLAIN), seen('evt_late_b', 200, PLAIN));
    expectAnew(kept, ALL_PARTS);
    expect(PARTS.whole(kept).slice(-3)).toEqual(['evt_99', 'evt_late_a', 'evt_last']);
  });

  it('are what shows of a price what it is of, and that it is tiered, where they come before all that showed it', () => {
    const other: Sight = {
      ...PLAIN,
      items: [itemSight('other_price', { lookupKey: 'plus_m', isTiered: true })],
    };
    const before = Array.from({ length: 100 }, (_, n) => seen(`evt_${n}`, n, n < 50 ? PLAIN : other));
    const kept = growingList([...before]);
    const shownBy = () => {
      const book = openPriceBook(SIGHT_CATALOG, heldOf(kept));
      return [book.readingOf('other_price')?.shown?.eventId, book.tieredBy('other_price')?.eventId];
    };
    expect(shownBy()).toEqual(['evt_50', 'evt_50']);
    kept.push(seen('evt_late', 40, other));
    expect(shownBy()).toEqual(['evt_late', 'evt_late']);
  });
});
