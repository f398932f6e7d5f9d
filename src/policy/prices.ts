import type { SubscriptionItem } from '../events/subscription.events.js';
import { type Addon, type Plan, type PlanCatalog, pricesOfLabel } from '../plans/plan-catalog.js';
import type { Observation } from './facts.js';
import { comparePlanItems } from './plan-item.js';

/** A plan with the name it has in the catalogue. */
export interface NamedPlan {
  readonly name: string;
  readonly plan: Plan;
}

/** An add-on with the name it has in the catalogue. */
export interface NamedAddon {
  readonly name: string;
  readonly addon: Addon;
}

/** What a price is of. */
export type PriceTarget =
  | { readonly kind: 'plan'; readonly plan: NamedPlan }
  | { readonly kind: 'addon'; readonly addon: NamedAddon };

/** The catalogue turned round: from anything that names a price to what it is of, plans and add-ons in one table. */
export type PriceIndex = ReadonlyMap<string, PriceTarget>;

const indexes = new WeakMap<PlanCatalog, PriceIndex>();

/** The index of a catalogue; built once per catalogue object. */
export function priceIndex(catalog: PlanCatalog): PriceIndex {
  const known = indexes.get(catalog);
  if (known !== undefined) return known;
  const index = new Map<string, PriceTarget>();
  for (const [name, plan] of Object.entries(catalog.plans)) {
    for (const price of Object.values(plan.prices).flatMap(pricesOfLabel)) {
      index.set(price, { kind: 'plan', plan: { name, plan } });
    }
  }
  for (const [name, addon] of Object.entries(catalog.addons)) {
    for (const price of addon.prices) index.set(price, { kind: 'addon', addon: { name, addon } });
  }
  indexes.set(catalog, index);
  return index;
}

/** How the prices of one subscription are read, by price id: the catalogue, and what its own history adds to it. */
export interface PriceBook {
  /** The plan a price of this subscription belongs to, or `null`. */
  planOf(price: string): NamedPlan | null;
  addonOf(price: string): NamedAddon | null;
  /** Whether a price was seen tiered on an item. */
  isTiered(price: string): boolean;
  /** Prices in no plan that took over a plan's price of the same product, by price id. */
  readonly adopted: ReadonlyMap<string, NamedPlan>;
}

/**
 * Reads the prices of a subscription's history, in order (DESIGN 7): each is of what its id, else the newest lookup key it
 * ever showed that the catalogue has, else its product names. So a price keeps its match when its lookup key moves to
 * another price, and an invoice line, which has the id alone, is matched through what items showed.
 */
export function openPriceBook(catalog: PlanCatalog, ordered: readonly Observation[]): PriceBook {
  const index = priceIndex(catalog);
  const shown = shownPrices(index, ordered);
  const adopted = new Map<string, NamedPlan>();
  const targetOf = (price: string): PriceTarget | null =>
    index.get(price) ?? shown.byLookupKey.get(price) ?? shown.byProduct.get(price) ?? null;
  const planOf = (price: string): NamedPlan | null => {
    const target = targetOf(price);
    if (target !== null) return target.kind === 'plan' ? target.plan : null;
    return adopted.get(price) ?? null;
  };
  const book: PriceBook = {
    planOf,
    addonOf: (price) => {
      const target = targetOf(price);
      return target?.kind === 'addon' ? target.addon : null;
    },
    isTiered: (price) => shown.tiered.has(price),
    adopted,
  };
  adoptPrices(ordered, adopted, { planOf, isUnmapped: (price) => targetOf(price) === null });
  return book;
}

interface ShownPrices {
  readonly byLookupKey: ReadonlyMap<string, PriceTarget>;
  readonly byProduct: ReadonlyMap<string, PriceTarget>;
  readonly tiered: ReadonlySet<string>;
}

/** What items ever showed of each price; of several matches the newest shown. */
function shownPrices(index: PriceIndex, ordered: readonly Observation[]): ShownPrices {
  const byLookupKey = new Map<string, PriceTarget>();
  const byProduct = new Map<string, PriceTarget>();
  const tiered = new Set<string>();
  for (const { data } of ordered) {
    for (const items of [data.previous?.items, data.items, data.pendingUpdate?.items]) {
      for (const { price, lookupKey, product, billingScheme } of items ?? []) {
        const keyed = lookupKey === null ? undefined : index.get(lookupKey);
        if (keyed !== undefined) byLookupKey.set(price, keyed);
        const ofProduct = product === null ? undefined : index.get(product);
        if (ofProduct !== undefined) byProduct.set(price, ofProduct);
        if (billingScheme === 'tiered') tiered.add(price);
      }
    }
  }
  return { byLookupKey, byProduct, tiered };
}

/**
 * Where the subscription moves from a plan's price to an unmapped one of the same product, that price counts as the plan's
 * own in this subscription (DESIGN 7). Of several prices it moved from, the one that would be the plan item.
 */
function adoptPrices(
  ordered: readonly Observation[],
  adopted: Map<string, NamedPlan>,
  book: { planOf(price: string): NamedPlan | null; isUnmapped(price: string): boolean },
): void {
  let before: readonly SubscriptionItem[] = [];
  const moveTo = (items: readonly SubscriptionItem[]): void => {
    const orphans = items.filter(
      ({ price, product }) => product !== null && book.isUnmapped(price) && !adopted.has(price),
    );
    if (orphans.length > 0) {
      const left = leftByProduct(before, items, book.planOf);
      for (const { price, product } of orphans) {
        const from = product === null ? undefined : left.get(product);
        if (from !== undefined) adopted.set(price, from.plan);
      }
    }
    before = items;
  };
  for (const { data } of ordered) {
    if (data.itemsTruncated) continue;
    if (data.previous?.items !== undefined) moveTo(data.previous.items);
    moveTo(data.items);
  }
}

/** Of each product the plan item among what is no longer there. */
function leftByProduct(
  before: readonly SubscriptionItem[],
  after: readonly SubscriptionItem[],
  planOf: (price: string) => NamedPlan | null,
): ReadonlyMap<string, { readonly item: SubscriptionItem; readonly plan: NamedPlan }> {
  const present = new Set(after.map(({ price }) => price));
  const left = new Map<string, { item: SubscriptionItem; plan: NamedPlan }>();
  for (const item of before) {
    if (item.product === null || present.has(item.price)) continue;
    const plan = planOf(item.price);
    if (plan === null) continue;
    const best = left.get(item.product);
    if (best === undefined || comparePlanItems({ item, plan }, best) < 0)
      left.set(item.product, { item, plan });
  }
  return left;
}
