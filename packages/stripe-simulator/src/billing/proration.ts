import type { Account } from '../account.js';
import type { InvoiceItem, Subscription, SubscriptionItem } from '../types.js';
import { shareOf } from './amounts.js';
import { fullAmount } from './invoice-lines.js';
import type { Period } from './periods.js';

export interface Proration {
  readonly item: SubscriptionItem;
  /** Negative for time that was paid for and is not used. */
  readonly amount: number;
  readonly period: Period;
  readonly description: string;
}

/**
 * What a change of items in mid-period comes to: credit for the unused time of what went or changed, and the cost of the
 * remaining time of what came in its place (Stripe: "Prorations"). `fresh` are items whose period begins now: they are
 * billed whole by the invoice itself.
 */
export function prorationsOf(
  account: Account,
  before: readonly SubscriptionItem[],
  after: readonly SubscriptionItem[],
  fresh: ReadonlySet<string>,
  now: number,
): readonly Proration[] {
  const credits = before.flatMap((item): Proration[] => {
    const kept = after.find(({ id }) => id === item.id);
    if (kept !== undefined && !fresh.has(item.id) && isSameCost(item, kept)) return [];
    const period = { start: item.current_period_start, end: item.current_period_end };
    const amount = -shareOf(costOf(account, item, period), period, now);
    return [{ item, amount, period: { start: now, end: period.end }, description: 'Unused time' }];
  });
  const charges = after.flatMap((item): Proration[] => {
    const was = before.find(({ id }) => id === item.id);
    if (fresh.has(item.id) || (was !== undefined && isSameCost(was, item))) return [];
    const period = { start: item.current_period_start, end: item.current_period_end };
    const amount = shareOf(costOf(account, item, period), period, now);
    return [{ item, amount, period: { start: now, end: period.end }, description: 'Remaining time' }];
  });
  return [...credits, ...charges].filter(({ amount }) => amount !== 0);
}

/** Metered items are not paid in advance. */
function costOf(account: Account, item: SubscriptionItem, period: Period): number {
  return item.price.recurring?.usage_type === 'metered' ? 0 : fullAmount(account, item, period);
}

function isSameCost(one: SubscriptionItem, other: SubscriptionItem): boolean {
  return one.price.id === other.price.id && one.quantity === other.quantity;
}

/** Keeps a proration for the next invoice of the subscription; `invoiceitem.created`. */
export function keepProration(
  account: Account,
  subscription: Subscription,
  proration: Proration,
): InvoiceItem {
  const { item } = proration;
  const name = account.products.find(item.price.product)?.name ?? item.price.product;
  const row: InvoiceItem = {
    id: account.ids.next('ii'),
    object: 'invoiceitem',
    amount: proration.amount,
    currency: subscription.currency,
    customer: subscription.customer,
    customer_account: null,
    date: account.now,
    description: `${proration.description} on ${item.quantity ?? 1} × ${name}`,
    discountable: false,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: {},
    net_amount: proration.amount,
    parent: {
      subscription_details: { subscription: subscription.id, subscription_item: item.id },
      type: 'subscription_details',
    },
    period: proration.period,
    pricing: {
      price_details: { price: item.price.id, product: item.price.product },
      type: 'price_details',
      unit_amount_decimal: item.price.unit_amount_decimal,
    },
    proration: true,
    quantity: item.quantity ?? 1,
    quantity_decimal: String(item.quantity ?? 1),
    tax_rates: [],
    test_clock: subscription.test_clock,
  };
  return account.add(account.invoiceItems, row, 'invoiceitem.created');
}
