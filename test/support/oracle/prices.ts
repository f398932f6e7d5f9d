import type { SubscriptionItem } from '../../../src/events/subscription.events.js';
import type { Addon, Plan, PlanCatalog } from '../../../src/plans/plan-catalog.js';
import type { Observation } from '../../../src/policy/facts.js';

/** What a price means: a plan, an add-on, or nothing we know (DESIGN 7). */
export type Meaning =
  | { readonly kind: 'plan'; readonly name: string; readonly plan: Plan }
  | { readonly kind: 'addon'; readonly addon: Addon }
  | { readonly kind: 'unmapped' };
export type PlanMeaning = Extract<Meaning, { kind: 'plan' }>;

const UNMAPPED: Meaning = { kind: 'unmapped' };

/** Meanings of the prices of one subscription: the catalogue's, and those that the subscription itself migrated to. */
export interface PriceBook {
  ofItem(item: SubscriptionItem): Meaning;
  /** A line has only the price id: matched by it, else through the item on which that price was seen. */
  ofLine(price: string | null): Meaning;
  /** The item whose price is in the plan of highest rank; of equals the first on the list. */
  planItem(items: readonly SubscriptionItem[]): PlanItem | undefined;
}

export interface PlanItem {
  readonly item: SubscriptionItem;
  readonly meaning: PlanMeaning;
}

/** `ordered`: the observations of the subscription in order. */
export function priceBook(catalog: PlanCatalog, ordered: readonly Observation[]): PriceBook {
  const adopted = new Map<string, PlanMeaning>();
  const ofItem = (item: SubscriptionItem): Meaning => {
    const known = catalogMeaning(catalog, [item.price, item.lookupKey, item.product]);
    return known.kind === 'unmapped' ? (adopted.get(item.price) ?? UNMAPPED) : known;
  };
  const planItem = (items: readonly SubscriptionItem[]): PlanItem | undefined => {
    let best: PlanItem | undefined;
    for (const item of items) {
      const meaning = ofItem(item);
      if (meaning.kind !== 'plan') continue;
      if (best === undefined || meaning.plan.rank > best.meaning.plan.rank) best = { item, meaning };
    }
    return best;
  };
  const seen = ordered.flatMap((o) => [
    ...(o.data.previous?.items ?? []),
    ...o.data.items,
    ...(o.data.pendingUpdate?.items ?? []),
  ]);
  const ofLine = (price: string | null): Meaning => {
    if (price === null) return UNMAPPED;
    const known = catalogMeaning(catalog, [price]);
    if (known.kind !== 'unmapped') return known;
    const item = seen.filter((candidate) => candidate.price === price).at(-1);
    return item === undefined ? UNMAPPED : ofItem(item);
  };
  adoptMigrated(ordered, ofItem, adopted);
  return { ofItem, ofLine, planItem };
}

function catalogMeaning(catalog: PlanCatalog, keys: readonly (string | null)[]): Meaning {
  for (const key of keys) {
    if (key === null) continue;
    for (const [name, plan] of Object.entries(catalog.plans)) {
      if (Object.values(plan.prices).includes(key)) return { kind: 'plan', name, plan };
    }
    for (const addon of Object.values(catalog.addons)) {
      if (addon.prices.includes(key)) return { kind: 'addon', addon };
    }
  }
  return UNMAPPED;
}

/**
 * Where the subscription moves from a plan's price to an unmapped one of the same product, the new price is the
 * plan's own, in all of this subscription; from then on it may be moved from likewise.
 */
function adoptMigrated(
  ordered: readonly Observation[],
  ofItem: (item: SubscriptionItem) => Meaning,
  adopted: Map<string, PlanMeaning>,
): void {
  const stages = ordered
    .filter((o) => !o.data.itemsTruncated)
    .flatMap((o) => [...(o.data.previous?.items === undefined ? [] : [o.data.previous.items]), o.data.items]);
  stages.forEach((to, i) => {
    const left = (stages[i - 1] ?? []).filter((item) => !to.some((other) => other.price === item.price));
    for (const item of to) {
      if (ofItem(item).kind !== 'unmapped' || item.product === null) continue;
      const [origin] = left
        .filter((old) => old.product === item.product)
        .map(ofItem)
        .filter((meaning) => meaning.kind === 'plan')
        .sort((a, b) => b.plan.rank - a.plan.rank);
      if (origin !== undefined) adopted.set(item.price, origin);
    }
  });
}
