import type { SubscriptionItem } from '../events/subscription.events.js';
import { type Addon, type Plan, type PlanCatalog, pricesOfLabel } from '../plans/plan-catalog.js';
import type { Observation } from './facts.js';

/** What identifies a price in the catalogue, in the order in which it is looked up. */
export type PriceRef = Pick<SubscriptionItem, 'price' | 'lookupKey' | 'product'>;

/** A plan with the name it has in the catalogue. */
export interface NamedPlan {
  readonly name: string;
  readonly plan: Plan;
}

/** The catalogue turned round: from anything that names a price to the plan or add-on it belongs to. */
export interface PriceIndex {
  readonly plans: ReadonlyMap<string, NamedPlan>;
  readonly addons: ReadonlyMap<string, Addon>;
}

const indexes = new WeakMap<PlanCatalog, PriceIndex>();

/** The index of a catalogue; built once per catalogue object. */
export function priceIndex(catalog: PlanCatalog): PriceIndex {
  const known = indexes.get(catalog);
  if (known !== undefined) return known;
  const plans = new Map<string, NamedPlan>();
  for (const [name, plan] of Object.entries(catalog.plans)) {
    for (const price of Object.values(plan.prices).flatMap(pricesOfLabel)) plans.set(price, { name, plan });
  }
  const addons = new Map<string, Addon>();
  for (const addon of Object.values(catalog.addons)) {
    for (const price of addon.prices) addons.set(price, addon);
  }
  const index = { plans, addons };
  indexes.set(catalog, index);
  return index;
}

/** Matches by price id, then lookup key, then product id (DESIGN 7). */
function match<T>(table: ReadonlyMap<string, T>, ref: PriceRef): T | null {
  return (
    table.get(ref.price) ??
    (ref.lookupKey === null ? undefined : table.get(ref.lookupKey)) ??
    (ref.product === null ? undefined : table.get(ref.product)) ??
    null
  );
}

/** How the prices of one subscription are read: the catalogue, and what the subscription's own history adds to it. */
export interface PriceBook {
  /** The plan a price of this subscription belongs to, or `null`. */
  planOf(ref: PriceRef): NamedPlan | null;
  /** The same for a price known by id alone, as on an invoice line, through the prices seen on items. */
  planOfId(price: string): NamedPlan | null;
  addonOf(ref: PriceRef): Addon | null;
  /** Prices in no plan that took over a plan's price of the same product, by price id. */
  readonly adopted: ReadonlyMap<string, NamedPlan>;
}

/**
 * Reads the prices of a subscription's history, in order. Where the subscription moves from a plan's price to an
 * unmapped one of the same product, that price counts as the plan's own in this subscription (DESIGN 7).
 */
export function openPriceBook(catalog: PlanCatalog, ordered: readonly Observation[]): PriceBook {
  const index = priceIndex(catalog);
  const adopted = new Map<string, NamedPlan>();
  const seen = new Map<string, PriceRef>();
  const planOf = (ref: PriceRef): NamedPlan | null =>
    match(index.plans, ref) ?? adopted.get(ref.price) ?? null;
  const addonOf = (ref: PriceRef): Addon | null => match(index.addons, ref);

  let before: readonly PriceRef[] = [];
  const moveTo = (items: readonly PriceRef[]): void => {
    for (const item of items) {
      if (item.product === null || planOf(item) !== null || addonOf(item) !== null) continue;
      const from = before.filter(
        (earlier) =>
          earlier.product === item.product && !items.some((present) => present.price === earlier.price),
      );
      const plan = highest(from.map(planOf));
      if (plan !== null) adopted.set(item.price, plan);
    }
    before = items;
  };
  for (const { data } of ordered) {
    for (const items of [data.previous?.items, data.items, data.pendingUpdate?.items]) {
      for (const item of items ?? []) seen.set(item.price, item);
    }
    if (data.itemsTruncated) continue;
    if (data.previous?.items !== undefined) moveTo(data.previous.items);
    moveTo(data.items);
  }
  return {
    planOf,
    addonOf,
    adopted,
    planOfId: (price) => planOf(seen.get(price) ?? { price, lookupKey: null, product: null }),
  };
}

/** The item whose price is in the plan of highest rank; of equal ones the first. */
export function planItem(
  items: readonly SubscriptionItem[],
  book: PriceBook,
): { item: SubscriptionItem; plan: NamedPlan } | null {
  let best: { item: SubscriptionItem; plan: NamedPlan } | null = null;
  for (const item of items) {
    const plan = book.planOf(item);
    if (plan !== null && (best === null || plan.plan.rank > best.plan.plan.rank)) best = { item, plan };
  }
  return best;
}

/** Whether a price asks for nothing in advance: it is free, or counted afterwards. */
export function asksNothingInAdvance(item: SubscriptionItem): boolean {
  if (item.usageType === 'metered') return true;
  return item.billingScheme !== 'tiered' && item.unitAmount !== null && Number(item.unitAmount) === 0;
}

/** The plan of highest rank; of equal ranks the first. */
export function highest(plans: readonly (NamedPlan | null)[]): NamedPlan | null {
  return plans.reduce(
    (best, plan) => (plan !== null && (best === null || plan.plan.rank > best.plan.rank) ? plan : best),
    null,
  );
}
