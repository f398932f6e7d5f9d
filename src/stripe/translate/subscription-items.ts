import type { SubscriptionItem } from '../../events/subscription.events.js';
import { field, finite, id, idOf, items, object, quantityOf, seconds, text } from './read-json.js';

export interface Period {
  readonly start: number | null;
  readonly end: number | null;
}

/** The period on the subscription itself, where it was before 2025-03-31. */
export function periodOf(value: unknown): Period {
  return {
    start: seconds(field(value, 'current_period_start'), 'current_period_start'),
    end: seconds(field(value, 'current_period_end'), 'current_period_end'),
  };
}

/** Items with a price, those marked `deleted` left out; `price` is an object or an id, in old versions `plan` stands for it. */
export function readItems(values: readonly unknown[], period: Period): SubscriptionItem[] {
  return items(values).flatMap((value) => readItem(value, period) ?? []);
}

function readItem(value: unknown, period: Period): SubscriptionItem | null {
  const item = object(value);
  if (item === null || item.deleted === true) return null;
  const price = idOf(item.price) ?? idOf(item.plan);
  if (price === null) return null;
  return {
    id: id(item.id),
    price,
    ...readPrice(item.price, item.plan),
    quantity: quantityOf(item.quantity, 'quantity of an item'),
    currentPeriodStart: seconds(item.current_period_start, 'current_period_start of an item') ?? period.start,
    currentPeriodEnd: seconds(item.current_period_end, 'current_period_end of an item') ?? period.end,
  };
}

type PriceFacts = Pick<
  SubscriptionItem,
  'lookupKey' | 'product' | 'unitAmount' | 'currency' | 'usageType' | 'billingScheme'
>;

export function readPrice(price: unknown, plan: unknown): PriceFacts {
  return {
    lookupKey: text(field(price, 'lookup_key')),
    product: idOf(field(price, 'product')) ?? idOf(field(plan, 'product')),
    unitAmount:
      object(price) === null
        ? amount(field(plan, 'amount_decimal'), field(plan, 'amount'))
        : amount(field(price, 'unit_amount_decimal'), field(price, 'unit_amount')),
    currency: text(field(price, 'currency')) ?? text(field(plan, 'currency')),
    usageType: text(field(price, 'recurring', 'usage_type')) ?? text(field(plan, 'usage_type')),
    billingScheme: text(field(price, 'billing_scheme')) ?? text(field(plan, 'billing_scheme')),
  };
}

/** A decimal string of minor units: `*_decimal` fields are strings, the others numbers. */
function amount(decimal: unknown, rounded: unknown): string | null {
  const exact = text(decimal);
  if (exact !== null && exact !== '') return exact;
  const number = finite(decimal) ?? finite(rounded);
  return number === null ? null : String(number);
}

/** Quantities and prices of a list of items, as the number of list entries Stripe sent may differ in order. */
export function samePrices(a: readonly SubscriptionItem[], b: readonly SubscriptionItem[]): boolean {
  const key = (list: readonly SubscriptionItem[]): string =>
    list
      .map((item) => item.price)
      .sort()
      .join('\n');
  return key(a) === key(b);
}

/** Whether any item's period differs: a renewal. */
export function periodsMoved(a: readonly SubscriptionItem[], b: readonly SubscriptionItem[]): boolean {
  const key = (list: readonly SubscriptionItem[]): string =>
    items(list)
      .map((_, index) => `${list[index]?.price}@${list[index]?.currentPeriodEnd}`)
      .sort()
      .join('\n');
  return key(a) !== key(b);
}
