import { z } from 'zod';
import type { PlanCatalog } from '../../events/catalog.events.js';
import type { PaidInterval, PlanChoice } from '../../plans/plan-order.js';
import type { NamedPlan } from '../../policy/price-book.js';
import { type PriceTarget, priceIndex } from '../../policy/prices.js';

const priceSchema = z.looseObject({
  id: z.string(),
  lookup_key: z.string().nullish(),
  product: z.union([z.string(), z.looseObject({ id: z.string() })]),
  recurring: z
    .looseObject({ interval: z.enum(['day', 'week', 'month', 'year']), interval_count: z.int() })
    .nullish(),
});
const itemSchema = z.looseObject({
  id: z.string(),
  quantity: z.int().nullish(),
  price: priceSchema,
});

/** A subscription as Stripe shows it, as far as a purchase asks. */
export const stripeSubscription = z.looseObject({
  id: z.string(),
  status: z.string(),
  customer: z.union([z.string(), z.looseObject({ id: z.string() })]),
  collection_method: z.string().nullish(),
  schedule: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  pending_update: z.looseObject({ expires_at: z.int().nullish() }).nullish(),
  latest_invoice: z
    .union([
      z.string(),
      z.looseObject({
        id: z.string(),
        status: z.string().nullish(),
        hosted_invoice_url: z.string().nullish(),
      }),
    ])
    .nullish(),
  items: z.looseObject({ data: z.array(itemSchema) }),
});
export type StripeSubscription = z.infer<typeof stripeSubscription>;
export type StripeItem = z.infer<typeof itemSchema>;

/** An item of a subscription, and what it is of in the catalogue. */
export interface HeldItem {
  readonly item: StripeItem;
  readonly target: PriceTarget | null;
}

/** A subscription that a plan is held by, told by its items. */
export interface Held {
  readonly subscription: StripeSubscription;
  readonly items: readonly HeldItem[];
  /** The item of its highest plan. */
  readonly planItem: { readonly item: StripeItem; readonly plan: NamedPlan } | null;
}

/** Reads what a subscription holds: prices by id, then lookup key, then product (DESIGN 7). */
export function heldBy(subscription: StripeSubscription, catalog: PlanCatalog): Held {
  const index = priceIndex(catalog);
  const items = subscription.items.data.map((item): HeldItem => {
    const { id, lookup_key: key, product } = item.price;
    const target =
      index.get(id) ?? (key == null ? undefined : index.get(key)) ?? index.get(idOf(product)) ?? null;
    return { item, target };
  });
  let planItem: Held['planItem'] = null;
  for (const { item, target } of items) {
    if (target?.kind !== 'plan') continue;
    if (planItem === null || target.plan.plan.rank > planItem.plan.plan.rank)
      planItem = { item, plan: target.plan };
  }
  return { subscription, items, planItem };
}

/** What is held, to be compared with what is wanted; `null` where no item is of a plan. */
export function choiceHeld({ planItem, items }: Held): PlanChoice | null {
  if (planItem === null) return null;
  const { item, plan } = planItem;
  return {
    plan: plan.name,
    rank: plan.plan.rank,
    interval: intervalOf(item.price),
    quantity: item.quantity ?? 1,
    addons: addonsHeld(items),
  };
}

/** Units of the add-ons that are held, by name. */
export function addonsHeld(items: readonly HeldItem[]): Readonly<Record<string, number>> {
  const units: Record<string, number> = {};
  for (const { item, target } of items) {
    if (target?.kind !== 'addon') continue;
    units[target.addon.name] = (units[target.addon.name] ?? 0) + (item.quantity ?? 1);
  }
  return units;
}

export function intervalOf({ recurring }: Pick<StripeItem['price'], 'recurring'>): PaidInterval {
  return recurring == null ? 'once' : { unit: recurring.interval, count: recurring.interval_count };
}

/** Stripe's id of what is named by it or stands there whole. */
export function idOf(named: string | { readonly id: string }): string {
  return typeof named === 'string' ? named : named.id;
}
