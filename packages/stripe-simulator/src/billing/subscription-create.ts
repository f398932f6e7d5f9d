import type { Account } from '../account.js';
import { invalidRequest } from '../api-error.js';
import { declined } from '../declined.js';
import type { Customer, Invoice, Metadata, PaymentIntent, Subscription, SubscriptionItem } from '../types.js';
import { shareOf } from './amounts.js';
import { type DraftLine, fullAmount, recurringLine } from './invoice-lines.js';
import { attemptPayment } from './invoice-payments.js';
import { createInvoice, finalizeInvoice, pendingItems } from './invoicing.js';
import type { Presence } from './payments.js';
import { endOfPeriod, type Period } from './periods.js';
import { watchPeriod, watchTrial } from './subscription-cycle.js';
import { expireIncomplete, watchCancellation } from './subscription-end.js';
import { type ItemParts, itemObject, spanOf, subscriptionObject } from './subscription-object.js';

const HOUR = 3_600;
/** Hours for which a first invoice may be unpaid (Stripe: "Subscription statuses", `incomplete`). */
export const INCOMPLETE_HOURS = 23;

export type PaymentBehavior =
  | 'allow_incomplete'
  | 'default_incomplete'
  | 'error_if_incomplete'
  | 'pending_if_incomplete';

export interface SubscriptionToMake {
  readonly customer: Customer;
  readonly items: readonly ItemParts[];
  /** Items of an invoice that are bought once with it. */
  readonly once: readonly { readonly parts: ItemParts; readonly quantity: number }[];
  readonly anchor: number | null;
  readonly backdatedTo: number | null;
  readonly billingMode: 'classic' | 'flexible';
  readonly cancelAt: number | null;
  readonly cancelAtPeriodEnd: 'yes' | 'no';
  readonly collection: Subscription['collection_method'];
  readonly daysUntilDue: number | null;
  readonly description: string | null;
  readonly discounts: readonly string[];
  readonly metadata: Metadata;
  readonly method: string | null;
  readonly missingMethod: 'cancel' | 'create_invoice' | 'pause';
  readonly behaviour: PaymentBehavior;
  readonly presence: Presence;
  readonly saveMethod: 'off' | 'on_subscription';
  /** The second (Unix) at which a trial ends. */
  readonly trialEnd: number | null;
  /** Says when `customer.subscription.created` is told: with how the payment went, or before there was one. */
  readonly told: 'after_payment' | 'before_payment';
}

/** Starts a subscription with its first invoice. @throws ApiError 400, or 402 under `error_if_incomplete` */
export function createSubscription(account: Account, wanted: SubscriptionToMake): Subscription {
  const currency = currencyOf(wanted.items);
  const id = account.ids.next('sub');
  const start = wanted.backdatedTo ?? account.now;
  const trial = wanted.trialEnd === null ? null : { start: account.now, end: wanted.trialEnd };
  const anchor = trial?.end ?? wanted.anchor ?? start;
  const items = wanted.items.map((parts) =>
    itemObject(account, id, parts, trial ?? firstPeriod(parts, anchor, account.now)),
  );
  const begun = subscriptionObject(account, {
    ...wanted,
    id,
    items,
    anchor,
    startDate: start,
    currency,
    trial,
  });
  account.subscriptionItems.set(id, items);
  account.subscriptions.put(begun);
  account.change(account.customers, wanted.customer.id, { currency }, 'customer.updated');
  if (wanted.behaviour === 'error_if_incomplete') refuseUnpayable(account, begun);
  account.beingCreated.add(id);
  const invoice = firstInvoice(account, begun, items, wanted);
  const waiting = account.change(account.subscriptions, id, { latest_invoice: invoice.id });
  if (wanted.told === 'before_payment') {
    account.beingCreated.delete(id);
    account.emit('customer.subscription.created', waiting);
  }
  payFirst(account, invoice, wanted);
  const end = wanted.cancelAtPeriodEnd === 'yes' ? spanOf(items).end : wanted.cancelAt;
  if (end !== null) {
    const cancel_at_period_end = wanted.cancelAtPeriodEnd === 'yes';
    account.change(account.subscriptions, id, {
      cancel_at: end,
      cancel_at_period_end,
      canceled_at: account.now,
    });
  }
  const made = current(account, id);
  account.beingCreated.delete(id);
  if (wanted.told === 'after_payment') account.emit('customer.subscription.created', made);
  account.tell({ kind: 'subscription_started', subscription: made });
  watchPeriod(account, made);
  watchTrial(account, made);
  watchCancellation(account, made);
  if (made.status === 'incomplete') {
    account.at(account.now + INCOMPLETE_HOURS * HOUR, () => expireIncomplete(account, id));
  }
  return current(account, id);
}

function current(account: Account, id: string): Subscription {
  const subscription = account.subscriptions.find(id);
  if (subscription === undefined) throw new Error(`${id} is gone`);
  return subscription;
}

function currencyOf(items: readonly ItemParts[]): string {
  const [first] = items;
  if (first === undefined)
    throw invalidRequest('Missing required param: items.', { code: 'parameter_missing', param: 'items' });
  const { currency } = first.price;
  if (items.some(({ price }) => price.currency !== currency)) {
    throw invalidRequest('All prices of a subscription must have the same currency.', { param: 'items' });
  }
  if (items.some(({ price }) => price.recurring === null)) {
    throw invalidRequest(
      'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
      {
        param: 'items[0][price]',
      },
    );
  }
  return currency;
}

function firstPeriod({ price }: ItemParts, anchor: number, now: number): Period {
  if (price.recurring === null) throw new Error(`${price.id} is not recurring`);
  const end = endOfPeriod(price.recurring, anchor, now);
  const start = anchor > now ? now : startBefore(price.recurring, anchor, end, now);
  return { start, end };
}

/** The last second before `end` that lies whole intervals from an anchor in the past. */
function startBefore(
  recurring: NonNullable<ItemParts['price']['recurring']>,
  anchor: number,
  end: number,
  now: number,
): number {
  let start = anchor;
  for (let next = endOfPeriod(recurring, anchor, start); next < end && next <= now; ) {
    start = next;
    next = endOfPeriod(recurring, anchor, start);
  }
  return start;
}

function firstInvoice(
  account: Account,
  subscription: Subscription,
  items: readonly SubscriptionItem[],
  wanted: SubscriptionToMake,
): Invoice {
  const lines = items.map((item) => firstLine(account, subscription, item));
  const once = wanted.once.map(({ parts, quantity }): DraftLine => {
    const item = itemObject(account, subscription.id, parts, { start: account.now, end: account.now });
    const period = { start: account.now, end: account.now };
    const amount = Math.round(Number(parts.price.unit_amount_decimal ?? 0) * quantity);
    const line = recurringLine(account, subscription, { ...item, quantity }, period, amount);
    return {
      ...line,
      parent: {
        invoice_item_details: {
          invoice_item: `ii_1${account.ids.letters(23)}`,
          proration: false,
          proration_details: null,
          subscription: subscription.id,
        },
        subscription_item_details: null,
        type: 'invoice_item_details',
      },
    };
  });
  return createInvoice(account, {
    customer: wanted.customer,
    subscription,
    reason: 'subscription_create',
    currency: subscription.currency,
    period: { start: account.now, end: account.now },
    lines: [...lines, ...once],
    autoAdvance: wanted.behaviour !== 'default_incomplete',
    finalizes: 'when_told',
    pending: pendingItems(account, wanted.customer.id, subscription.id),
  });
}

/** A trial costs nothing, a period cut short by an anchor its part, a metered price nothing in advance. */
function firstLine(account: Account, subscription: Subscription, item: SubscriptionItem): DraftLine {
  const period = { start: item.current_period_start, end: item.current_period_end };
  const isFree = subscription.status === 'trialing' || item.price.recurring?.usage_type === 'metered';
  const full = isFree ? 0 : fullAmount(account, item, period);
  const { recurring } = item.price;
  const whole = recurring === null ? period : { start: startOfWhole(recurring, period.end), end: period.end };
  const amount = subscription.billing_cycle_anchor > account.now ? shareOf(full, whole, account.now) : full;
  return recurringLine(account, subscription, item, period, amount);
}

/** Start of the whole interval that ends at `end`. */
function startOfWhole(recurring: NonNullable<SubscriptionItem['price']['recurring']>, end: number): number {
  const length = endOfPeriod(recurring, end, end) - end;
  return end - length;
}

function payFirst(account: Account, draft: Invoice, wanted: SubscriptionToMake): void {
  const open = finalizeInvoice(account, draft);
  if (open.status !== 'open') return;
  if (open.collection_method === 'send_invoice') {
    const id = open.parent?.subscription_details?.subscription ?? '';
    account.change(account.subscriptions, id, { status: 'active' });
    return;
  }
  if (wanted.behaviour === 'default_incomplete' || wanted.told === 'before_payment') return;
  const intent: PaymentIntent | null = attemptPayment(account, open, {
    presence: wanted.presence,
    method: null,
  });
  if (wanted.behaviour !== 'error_if_incomplete' || intent === null) return;
  if (intent.status === 'requires_payment_method') throw declined(intent);
}

/** `error_if_incomplete` makes nothing that cannot be paid. @throws ApiError 400 */
function refuseUnpayable(account: Account, subscription: Subscription): void {
  const customer = account.customers.find(subscription.customer);
  const method =
    subscription.default_payment_method ?? customer?.invoice_settings.default_payment_method ?? null;
  if (method !== null || subscription.status === 'trialing') return;
  account.subscriptions.remove(subscription.id);
  throw invalidRequest('This customer has no attached payment source or default payment method.', {
    code: 'resource_missing',
  });
}
