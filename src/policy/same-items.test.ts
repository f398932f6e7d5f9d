import fc from 'fast-check';
import { DAWN, DAY, item, observation, subscriptionState } from '../../test/support/lives.facts.js';
import { planCatalogSchema } from '../events/catalog.events.js';
import type { SubscriptionItem } from '../events/subscription.events.js';
import type { Observation } from './facts.js';
import { namesTheSame } from './held-items.js';
import { planPeriodsOf } from './plan-periods.js';
import { openPriceBook } from './prices.js';

const catalog = planCatalogSchema.parse({
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free' },
    plus: { rank: 1, role: 'paid', prices: { monthly: 'plus_m' } },
    pro: { rank: 2, role: 'paid', prices: { monthly: 'pro_m', yearly: 'key_pro' } },
  },
});

const held = (price: string, lookupKey: string | null, product: string | null, billingScheme: string) =>
  item(
    { price, lookupKey, product, unitAmount: '900', usageType: 'licensed', billingScheme },
    1,
    DAWN,
    DAWN + DAY,
  );

/** Lists of items, each one and the same wherever it is named: prices of plans, and one that is of a plan by what is seen of it. */
const lists: readonly (readonly SubscriptionItem[])[] = [
  [],
  [held('plus_m', null, 'prod', 'per_unit')],
  [held('other', null, 'prod', 'per_unit')],
  [held('other', 'plus_m', 'prod', 'per_unit')],
  [held('other', 'key_pro', null, 'tiered')],
];
const list = fc.constantFrom(...lists);

const mostlyNull = <T>(given: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ arbitrary: fc.constant(null), weight: 3 }, { arbitrary: given, weight: 1 });

/** What sights of one subscription name, one second after the other. */
const sights = fc.array(
  fc.record({
    items: list,
    itemsTruncated: fc.constantFrom(false, false, true),
    pending: mostlyNull(list),
    previous: mostlyNull(
      fc.record({ items: list, status: fc.constantFrom('active', 'trialing') }, { requiredKeys: [] }),
    ),
    status: fc.constantFrom('active', 'active', 'trialing'),
  }),
  { minLength: 3, maxLength: 8 },
);

type Told = (typeof sights extends fc.Arbitrary<infer T> ? T : never)[number];

function seen({ items, itemsTruncated, pending, previous, status }: Told, nth: number): Observation {
  const data = subscriptionState('sub_1', {
    items: [...items],
    itemsTruncated,
    status,
    pendingUpdate: pending === null ? null : { expiresAt: null, items: [...pending] },
    previous: previous === null ? null : { names: [], digest: String(nth), ...previous, items: undefined },
  });
  // The lists themselves, so that sights have them in common.
  Object.assign(data, { items });
  if (data.previous !== null) {
    if (previous?.items === undefined) delete data.previous.items;
    else Object.assign(data.previous, { items: previous.items });
  }
  return observation(`evt_${nth}`, 'customer.subscription.updated', DAWN + nth, data);
}

/** A price moves from a plan's to another of its product; where it was seen first, the list was cut. */
const cutAtFirst: readonly Told[] = [
  { list: 1, itemsTruncated: false },
  { list: 2, itemsTruncated: true },
  { list: 2, itemsTruncated: false },
].map((told) => ({
  items: lists[told.list] ?? [],
  itemsTruncated: told.itemsTruncated,
  pending: null,
  previous: null,
  status: 'active',
}));

describe('Sights that have their list of items in common', () => {
  it('are read as sights whose lists are only equal', () => {
    let common = 0;
    fc.assert(
      fc.property(sights, (told) => {
        const together = told.map(seen);
        const apart = together.map((sight) => structuredClone(sight));
        common += together.filter((sight, nth) => namesTheSame(together[nth - 1], sight)).length;
        const [one, other] = [together, apart].map((ordered) => {
          const book = openPriceBook(catalog, ordered);
          const readings = ['plus_m', 'other'].map((price) => [
            book.planOf(price),
            book.readingOf(price),
            book.tieredBy(price)?.eventId,
          ]);
          return { readings, adopted: [...book.adopted], periods: planPeriodsOf(ordered, book) };
        });
        expect(one).toEqual(other);
      }),
      { numRuns: 50 * Number(process.env.EXTENSION_RUNS ?? '20'), examples: [[[...cutAtFirst]]] },
    );
    expect(common).toBeGreaterThan(0);
  });
});
