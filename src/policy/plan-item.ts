import type { SubscriptionItem } from '../events/subscription.events.js';
import { unitsOf } from './held-items.js';
import { compareText } from './order.js';
import type { NamedPlan, PriceBook } from './price-book.js';

/** An item whose price is of a plan. */
export interface PlanItem {
  readonly plan: NamedPlan;
  readonly item: SubscriptionItem;
}

/** The plan item of a list (DESIGN 8 "Plan periods"): never a matter of the list's order. */
export function planItem(items: readonly SubscriptionItem[], book: PriceBook): PlanItem | null {
  let best: PlanItem | null = null;
  for (const item of items) {
    const plan = book.planOf(item.price);
    if (plan === null) continue;
    if (best === null || comparePlanItems({ item, plan }, best) < 0) best = { item, plan };
  }
  return best;
}

/**
 * The better plan item first: of the plan of highest rank; of several, one whose price asks in advance, then the smallest
 * price id; of one price the item that lasts longest, then the one of most units.
 */
export function comparePlanItems(a: PlanItem, b: PlanItem): number {
  return (
    b.plan.plan.rank - a.plan.plan.rank ||
    Number(asksNothingInAdvance(a.item)) - Number(asksNothingInAdvance(b.item)) ||
    compareText(a.item.price, b.item.price) ||
    compareItemsOfPrice(a.item, b.item)
  );
}

/** The item of each price that a list carries: of several the one that lasts longest. */
export function itemsByPrice(items: readonly SubscriptionItem[]): ReadonlyMap<string, SubscriptionItem> {
  const found = new Map<string, SubscriptionItem>();
  for (const item of items) {
    const best = found.get(item.price);
    if (best === undefined || compareItemsOfPrice(item, best) < 0) found.set(item.price, item);
  }
  return found;
}

/** `itemsByPrice` of one price; `null` when the list does not carry it. */
export function itemOfPrice(items: readonly SubscriptionItem[], price: string): SubscriptionItem | null {
  return itemsByPrice(items.filter((item) => item.price === price)).get(price) ?? null;
}

/** Units of each price that a list carries. */
export function unitsByPrice(items: readonly SubscriptionItem[]): ReadonlyMap<string, number> {
  const units = new Map<string, number>();
  for (const item of items) units.set(item.price, (units.get(item.price) ?? 0) + unitsOf(item));
  return units;
}

/** Whether a price asks for nothing in advance: it is free, or counted afterwards. A licensed tiered price asks. */
export function asksNothingInAdvance(item: SubscriptionItem): boolean {
  if (item.usageType === 'metered') return true;
  return item.billingScheme !== 'tiered' && item.unitAmount !== null && Number(item.unitAmount) === 0;
}

function compareItemsOfPrice(a: SubscriptionItem, b: SubscriptionItem): number {
  return (b.currentPeriodEnd ?? -1) - (a.currentPeriodEnd ?? -1) || unitsOf(b) - unitsOf(a);
}
