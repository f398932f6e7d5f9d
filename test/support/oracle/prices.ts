import {
  type Addon,
  type Plan,
  type PlanCatalog,
  pricesOfLabel,
} from '../../../src/events/catalog.events.js';
import type { SubscriptionItem } from '../../../src/events/subscription.events.js';
import type { Observation } from '../../../src/policy/facts.js';

/** What a price means: a plan, an add-on, or nothing we know (DESIGN 7). */
export type Meaning =
  | { readonly kind: 'plan'; readonly name: string; readonly plan: Plan }
  | { readonly kind: 'addon'; readonly name: string; readonly addon: Addon }
  | { readonly kind: 'unmapped' };
export type PlanMeaning = Extract<Meaning, { kind: 'plan' }>;

const UNMAPPED: Meaning = { kind: 'unmapped' };

/** Meanings of the prices of one subscription: the catalogue's, and those that the subscription itself migrated to. */
export interface PriceBook {
  /** By price id: a line of an invoice has nothing else. */
  meaningOf(price: string | null): Meaning;
  /** Whether it is the plan's own only because the subscription moved to it. */
  isAdopted(price: string): boolean;
  /** The item whose price is in the plan of highest rank; of several one that asks in advance, then the smallest id. */
  planItem(items: readonly SubscriptionItem[]): PlanItem | undefined;
  /** Whether a price was seen on an item as one of tiers. */
  isTiered(price: string | null): boolean;
}

export interface PlanItem {
  readonly item: SubscriptionItem;
  readonly meaning: PlanMeaning;
}

/** A price that asks nothing in advance: of 0, or metered, tiered or not. A licensed tiered price asks. */
export function asksNothing(item: SubscriptionItem): boolean {
  return item.usageType === 'metered' || (item.unitAmount !== null && Number(item.unitAmount) === 0);
}

/** `ordered`: the observations of the subscription in order. */
export function priceBook(catalog: PlanCatalog, ordered: readonly Observation[]): PriceBook {
  const shown = ordered.flatMap((o) => [
    ...(o.data.previous?.items ?? []),
    ...o.data.items,
    ...(o.data.pendingUpdate?.items ?? []),
  ]);
  const adopted = new Map<string, PlanMeaning>();
  const known = new Map<string, Meaning>();
  const meaningOf = (price: string | null): Meaning => {
    if (price === null) return UNMAPPED;
    const meaning = known.get(price) ?? catalogMeaning(catalog, price, shown);
    known.set(price, meaning);
    return meaning.kind === 'unmapped' ? (adopted.get(price) ?? UNMAPPED) : meaning;
  };
  const planItem = (items: readonly SubscriptionItem[]): PlanItem | undefined => {
    const candidates = items.flatMap((item): PlanItem[] => {
      const meaning = meaningOf(item.price);
      return meaning.kind === 'plan' ? [{ item, meaning }] : [];
    });
    return candidates.sort(highestFirst)[0];
  };
  const isTiered = (price: string | null) =>
    shown.some((item) => item.price === price && item.billingScheme === 'tiered');
  adoptMigrated(ordered, { meaningOf, planItem }, adopted);
  const isAdopted = (price: string) =>
    catalogMeaning(catalog, price, shown).kind === 'unmapped' && meaningOf(price).kind === 'plan';
  return { meaningOf, isAdopted, planItem, isTiered };
}

function highestFirst(a: PlanItem, b: PlanItem): number {
  return (
    b.meaning.plan.rank - a.meaning.plan.rank ||
    Number(asksNothing(a.item)) - Number(asksNothing(b.item)) ||
    (a.item.price < b.item.price ? -1 : 1)
  );
}

/**
 * By price id; else by the newest lookup key that this subscription has shown on the price and that is listed, so that a
 * key that moved away leaves its match behind; else by product.
 */
function catalogMeaning(catalog: PlanCatalog, price: string, shown: readonly SubscriptionItem[]): Meaning {
  const own = shown.filter((item) => item.price === price).reverse();
  const keys = [price, ...own.map((item) => item.lookupKey), ...own.map((item) => item.product)];
  for (const key of keys) {
    if (key === null) continue;
    const meaning = listed(catalog, key);
    if (meaning !== undefined) return meaning;
  }
  return UNMAPPED;
}

function listed(catalog: PlanCatalog, key: string): Meaning | undefined {
  for (const [name, plan] of Object.entries(catalog.plans)) {
    if (Object.values(plan.prices).flatMap(pricesOfLabel).includes(key)) return { kind: 'plan', name, plan };
  }
  for (const [name, addon] of Object.entries(catalog.addons)) {
    if (addon.prices.includes(key)) return { kind: 'addon', name, addon };
  }
  return undefined;
}

/**
 * Where the subscription moves from a plan's price to an unmapped one of the same product, the new price is the
 * plan's own, in all of this subscription; from then on it may be moved from likewise.
 */
function adoptMigrated(
  ordered: readonly Observation[],
  { meaningOf, planItem }: Pick<PriceBook, 'meaningOf' | 'planItem'>,
  adopted: Map<string, PlanMeaning>,
): void {
  const stages = ordered
    .filter((o) => !o.data.itemsTruncated)
    .flatMap((o) => [...(o.data.previous?.items === undefined ? [] : [o.data.previous.items]), o.data.items]);
  stages.forEach((to, i) => {
    const left = (stages[i - 1] ?? []).filter((item) => !to.some((other) => other.price === item.price));
    for (const item of to) {
      if (meaningOf(item.price).kind !== 'unmapped' || item.product === null) continue;
      const origin = planItem(left.filter((old) => old.product === item.product));
      if (origin !== undefined) adopted.set(item.price, origin.meaning);
    }
  });
}
