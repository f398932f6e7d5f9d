import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { knownItems, PLAIN, SIGHT_CATALOG, type Sight, seen, sightsOf } from '../../test/support/sights.js';
import type { Observation } from './facts.js';
import { editedList, type GrowingList, growingList } from './growing-list.js';
import { planPeriodsOf } from './plan-periods.js';
import { openPriceBook } from './prices.js';

const BOOK = openPriceBook(SIGHT_CATALOG, []);

/** In trial, or not, with the items that most name; and with any of which the prices are known. */
const sights = fc.oneof(
  { arbitrary: fc.constantFrom('active', 'trialing').map((status) => ({ ...PLAIN, status })), weight: 2 },
  { arbitrary: sightsOf(knownItems), weight: 1 },
);

type Stretches = readonly { readonly first: Sight; readonly length: number }[];

/** How many were seen in a row, of which the first says something of its own: a few, or more than a stride of what cuts them. */
const stretches: fc.Arbitrary<Stretches> = fc.array(
  fc.record({ first: sights, length: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(50)) }),
  { minLength: 3, maxLength: 6 },
);

const steps = fc.array(
  fc.record({
    at: fc.oneof(fc.nat(250), fc.integer({ min: 55, max: 75 })),
    count: fc.constantFrom(0, 0, 0, 1, 2),
    between: fc.array(sights, { maxLength: 3 }),
    after: fc.oneof(
      { arbitrary: fc.constant<Stretches>([]), weight: 2 },
      { arbitrary: stretches, weight: 1 },
    ),
    isAsked: fc.constantFrom(true, true, false),
  }),
  { minLength: 2, maxLength: 10 },
);

describe('Plan periods of observations in their order', () => {
  it('are those of all of them, however many come between them, in the place of some and after them', () => {
    fc.assert(
      fc.property(stretches, steps, (past, course) => {
        let told = 0;
        const seenNext = (sight: Sight): Observation => {
          told += 1;
          return seen(`evt_${told}`, told, sight);
        };
        const seenIn = ({ first, length }: Stretches[number]): Observation[] =>
          Array.from({ length }, (_, n) => seenNext(n === 0 ? first : { ...PLAIN, items: first.items }));
        let list: GrowingList<Observation> = growingList([
          ...Array.from({ length: 60 }, () => seenNext(PLAIN)),
          ...past.flatMap(seenIn),
        ]);
        const check = (): void => {
          const [kept, anew] = [planPeriodsOf(list, BOOK), planPeriodsOf([...list], BOOK)];
          if (!isDeepStrictEqual(kept, anew)) expect(kept).toEqual(anew); // which tells where, and takes its time
        };
        check();
        for (const { at, count, between, after, isAsked } of course) {
          list = editedList(list, Math.min(at, list.length), count, between.map(seenNext));
          list.push(...after.flatMap(seenIn));
          if (isAsked) check();
        }
        check();
      }),
      { numRuns: 10 * Number(process.env.EXTENSION_RUNS ?? '50') },
    );
  });
});
