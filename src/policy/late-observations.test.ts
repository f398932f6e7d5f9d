import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import {
  DAWN,
  DAY,
  item,
  observation,
  previousAttributes,
  subscriptionState,
} from '../../test/support/lives.facts.js';
import { planCatalogSchema } from '../events/catalog.events.js';
import type { Observation } from './facts.js';
import { growingList } from './growing-list.js';
import { allWithHeldItems, wholeOnes } from './held-items.js';
import { orderObservations, statusOf } from './order.js';
import { planPeriodsOf } from './plan-periods.js';
import { openPriceBook } from './prices.js';

const PRICES = ['plus_m', 'plus_y', 'pro_m', 'seat_m', 'new_price', 'other_price'];

const catalog = planCatalogSchema.parse({
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free' },
    plus: { rank: 1, role: 'paid', prices: { monthly: 'plus_m', yearly: 'plus_y' } },
    pro: { rank: 2, role: 'paid', prices: { monthly: 'pro_m' } },
  },
  addons: { seats: { prices: ['seat_m'], limits: { members: 1 } } },
});

interface ItemSight {
  readonly price: string;
  readonly quantity: number;
  readonly lookupKey: string | null;
  readonly product: string | null;
  readonly isTiered: boolean;
}

interface Sight {
  readonly type: string;
  readonly status: string;
  readonly items: readonly ItemSight[];
  readonly previous: readonly ItemSight[] | null;
  readonly pending: readonly ItemSight[] | null;
  readonly itemsTruncated: boolean;
}

const PLAIN: Sight = {
  type: 'updated',
  status: 'active',
  items: [{ price: 'plus_m', quantity: 1, lookupKey: null, product: null, isTiered: false }],
  previous: null,
  pending: null,
  itemsTruncated: false,
};

const itemSights: fc.Arbitrary<ItemSight[]> = fc.uniqueArray(
  fc.record({
    price: fc.constantFrom(...PRICES),
    quantity: fc.constantFrom(1, 1, 1, 0, 2),
    lookupKey: fc.constantFrom(null, null, null, 'plus_m', 'pro_m'),
    product: fc.constantFrom(null, null, null, null, 'prod_a'),
    isTiered: fc.constantFrom(false, false, false, true),
  }),
  { maxLength: 2, selector: ({ price }) => price },
);
const maybe = fc.oneof({ arbitrary: fc.constant(null), weight: 2 }, { arbitrary: itemSights, weight: 1 });
const sights: fc.Arbitrary<Sight> = fc.record({
  type: fc.constantFrom('updated', 'updated', 'updated', 'created', 'deleted', 'paused'),
  status: fc.constantFrom('active', 'active', 'active', 'trialing', 'past_due', 'canceled'),
  items: fc.oneof(fc.constant(PLAIN.items), itemSights),
  previous: maybe,
  pending: maybe,
  itemsTruncated: fc.constantFrom(false, false, false, false, true),
});
/** A sight that changes no price and no plan but of those that are known. */
const calmSights = sights.map(
  (sight): Sight => ({ ...PLAIN, status: sight.status, previous: sight.previous && [] }),
);

function seen(eventId: string, second: number, sight: Sight): Observation {
  const itemsOf = (list: readonly ItemSight[]) =>
    list.map(({ isTiered, quantity, ...price }) => {
      const scheme = isTiered ? 'tiered' : 'per_unit';
      return item(
        { ...price, unitAmount: '1000', usageType: 'licensed', billingScheme: scheme },
        quantity,
        DAWN,
        DAWN + DAY,
      );
    });
  const { type, status, items, previous, pending, itemsTruncated } = sight;
  const state = subscriptionState('sub_1', {
    status,
    itemsTruncated,
    items: itemsOf(items),
    previous: previous && previousAttributes({ items: itemsOf(previous) }, {}),
    pendingUpdate: pending && { items: itemsOf(pending), expiresAt: null },
  });
  return observation(eventId, `customer.subscription.${type}`, DAWN + second, state);
}

function madeOf(told: readonly Observation[]) {
  const { observations } = orderObservations(told);
  const ordered = allWithHeldItems(observations);
  const book = openPriceBook(catalog, ordered);
  return {
    order: observations.map(({ eventId }) => eventId),
    status: statusOf(ordered),
    held: ordered.map(({ eventId, data }) => [eventId, data.items.length]),
    whole: wholeOnes(ordered).map(({ eventId }) => eventId),
    book: PRICES.map((price) => [book.planOf(price)?.name, book.addonOf(price)?.name, book.isTiered(price)]),
    planPeriods: planPeriodsOf(ordered, book),
  };
}

describe('Observations that are told late among hundreds', () => {
  it.each<[string, fc.Arbitrary<Sight>]>([
    ['of a calm life', fc.oneof({ arbitrary: calmSights, weight: 8 }, { arbitrary: sights, weight: 1 })],
    ['of a life without rhyme or reason', sights],
  ])('%s make the order, the status, the prices and the plan periods that all of them make', (_, late) => {
    const observed = fc.array(fc.record({ sight: late, second: fc.nat(400), asked: fc.boolean() }), {
      minLength: 5,
      maxLength: 30,
    });
    fc.assert(
      fc.property(observed, fc.array(late, { minLength: 8, maxLength: 8 }), (told, stretches) => {
        // Every fortieth second something else is seen, and between that the same.
        const before = Array.from({ length: 300 }, (_, n) => {
          const sight = n % 40 === 0 ? stretches[n / 40] : undefined;
          const held = stretches[Math.floor(n / 40)]?.items;
          return seen(`evt_${n}`, n, sight ?? { ...PLAIN, items: held ?? PLAIN.items });
        });
        const kept = growingList([...before]);
        madeOf(kept);
        for (const [n, { sight, second, asked }] of told.entries()) {
          kept.push(seen(`evt_${(n * 7) % 31}_late`, second, sight));
          if (!asked && n < told.length - 1) continue;
          const [made, anew] = [madeOf(kept), madeOf([...kept])];
          if (!isDeepStrictEqual(made, anew)) expect(made).toEqual(anew); // which tells where, and takes its time
        }
      }),
      { numRuns: Number(process.env.EXTENSION_RUNS ?? '200') },
    );
  });

  it('change which plan a price took over, where they come before it did', () => {
    const of = (price: string): Sight => ({
      ...PLAIN,
      items: [{ price, quantity: 1, lookupKey: null, product: 'prod_a', isTiered: false }],
    });
    const before = Array.from({ length: 100 }, (_, n) => seen(`evt_${n}`, n * 2, of('plus_m')));
    const kept = growingList([...before, seen('evt_moved', 300, of('new_price'))]);
    expect(madeOf(kept).planPeriods.map(({ of }) => of?.plan.name)).toEqual(['plus', 'plus']);
    kept.push(seen('evt_late', 250, of('pro_m')));
    expect(madeOf(kept).planPeriods.map(({ of }) => of?.plan.name)).toEqual(['plus', 'pro', 'pro']);
  });

  it('count once what two events tell of one late second, when they come with one that is later', () => {
    const before = Array.from({ length: 100 }, (_, n) => seen(`evt_${n}`, n, PLAIN));
    const kept = growingList([...before]);
    madeOf(kept);
    kept.push(seen('evt_last', 300, PLAIN), seen('evt_late_a', 200, PLAIN), seen('evt_late_b', 200, PLAIN));
    expect(madeOf(kept)).toEqual(madeOf([...kept]));
    expect(madeOf(kept).whole.slice(-3)).toEqual(['evt_99', 'evt_late_a', 'evt_last']);
  });
});
