import fc from 'fast-check';
import { planCatalogSchema } from '../../src/events/catalog.events.js';
import type { SubscriptionItem } from '../../src/events/subscription.events.js';
import type { Observation } from '../../src/policy/facts.js';
import { DAWN, DAY, item, observation, previousAttributes, subscriptionState } from './lives.facts.js';

/** Prices of sights, of the catalogue and of none. */
export const PRICES = ['plus_m', 'plus_y', 'pro_m', 'seat_m', 'new_price', 'other_price'];

export const SIGHT_CATALOG = planCatalogSchema.parse({
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free' },
    plus: { rank: 1, role: 'paid', prices: { monthly: 'plus_m', yearly: 'plus_y' } },
    pro: { rank: 2, role: 'paid', prices: { monthly: 'pro_m' } },
  },
  addons: { seats: { prices: ['seat_m'], limits: { members: 1 } } },
});

/** An item as far as that goes. */
export interface ItemSight {
  readonly price: string;
  readonly quantity: number;
  readonly lookupKey: string | null;
  readonly product: string | null;
  readonly isTiered: boolean;
}

/** What an observation shows, as far as order, prices and plan periods hang on it. */
export interface Sight {
  readonly type: string;
  readonly status: string;
  readonly items: readonly ItemSight[];
  readonly previous: readonly ItemSight[] | null;
  readonly pending: readonly ItemSight[] | null;
  readonly itemsTruncated: boolean;
}

/** An item of a price, with nothing more to tell. */
export function itemSight(price: string, more: Partial<ItemSight> = {}): ItemSight {
  return { price, quantity: 1, lookupKey: null, product: null, isTiered: false, ...more };
}

/** A sight with nothing special about it. */
export const PLAIN: Sight = {
  type: 'updated',
  status: 'active',
  items: [itemSight('plus_m')],
  previous: null,
  pending: null,
  itemsTruncated: false,
};

/** Sights that name items of their own, or those that most name, in one and the same list. */
export function sightsOf(itemSights: fc.Arbitrary<ItemSight[]>): fc.Arbitrary<Sight> {
  const maybe = fc.oneof({ arbitrary: fc.constant(null), weight: 2 }, { arbitrary: itemSights, weight: 1 });
  return fc.record({
    type: fc.constantFrom('updated', 'updated', 'updated', 'created', 'deleted', 'paused'),
    status: fc.constantFrom('active', 'active', 'active', 'trialing', 'trialing', 'past_due', 'canceled'),
    items: fc.oneof(fc.constant(PLAIN.items), itemSights),
    previous: maybe,
    pending: maybe,
    itemsTruncated: fc.constantFrom(false, false, false, false, true),
  });
}

/** Items by which anything may become of a price. */
export const strangeItems: fc.Arbitrary<ItemSight[]> = fc.uniqueArray(
  fc.record({
    price: fc.constantFrom(...PRICES),
    quantity: fc.constantFrom(1, 1, 1, 0, 2),
    lookupKey: fc.constantFrom(null, null, null, 'plus_m', 'pro_m'),
    product: fc.constantFrom(null, null, null, 'prod_a'),
    isTiered: fc.constantFrom(false, false, false, true),
  }),
  { maxLength: 2, selector: ({ price }) => price },
);
/** By items of these no price is ever read otherwise. */
export const knownItems: fc.Arbitrary<ItemSight[]> = fc
  .uniqueArray(fc.constantFrom('plus_m', 'plus_y', 'pro_m', 'seat_m'), { maxLength: 2 })
  .map((prices) => prices.map((price) => itemSight(price)));

/** One list of items for each list of sights, as facts that are kept have theirs. */
const made = new WeakMap<readonly ItemSight[], SubscriptionItem[]>();

function itemsOf(list: readonly ItemSight[]): SubscriptionItem[] {
  const before = made.get(list);
  if (before !== undefined) return before;
  const items = list.map(({ isTiered, quantity, ...price }) => {
    const billingScheme = isTiered ? 'tiered' : 'per_unit';
    return item(
      { ...price, unitAmount: '1000', usageType: 'licensed', billingScheme },
      quantity,
      DAWN,
      DAWN + DAY,
    );
  });
  made.set(list, items);
  return items;
}

/** What was seen of a subscription at a second after `DAWN`. */
export function seen(eventId: string, second: number, sight: Sight): Observation {
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
