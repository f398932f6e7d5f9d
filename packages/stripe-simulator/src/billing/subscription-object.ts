import type { Account } from '../account.js';
import type { PendingUpdate } from '../account-tables.js';
import { planOf } from '../resources/prices.js';
import { listInside } from '../stored-list.js';
import type { Customer, EventType, Metadata, Price, Subscription, SubscriptionItem } from '../types.js';
import type { Period } from './periods.js';

export interface ItemParts {
  readonly price: Price;
  /** `undefined` for a metered price. */
  readonly quantity: number | undefined;
  readonly metadata: Metadata;
  readonly discounts: readonly string[];
}

/** An item of a subscription in its first period. */
export function itemObject(
  account: Account,
  subscription: string,
  parts: ItemParts,
  period: Period,
): SubscriptionItem {
  const isMetered = parts.price.recurring?.usage_type === 'metered';
  const id = `si_${account.ids.letters(14)}`;
  account.itemOwners.set(id, subscription);
  return {
    id,
    object: 'subscription_item',
    billing_thresholds: null,
    created: account.now,
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: parts.discounts,
    metadata: parts.metadata,
    plan: planOf(parts.price),
    price: parts.price,
    ...(isMetered ? {} : { quantity: parts.quantity ?? 1 }),
    subscription,
    tax_rates: [],
  };
}

export interface SubscriptionParts {
  readonly id: string;
  readonly customer: Customer;
  readonly items: readonly SubscriptionItem[];
  readonly anchor: number;
  readonly startDate: number;
  readonly billingMode: 'classic' | 'flexible';
  readonly collection: Subscription['collection_method'];
  readonly daysUntilDue: number | null;
  readonly currency: string;
  readonly description: string | null;
  readonly discounts: readonly string[];
  readonly metadata: Metadata;
  readonly method: string | null;
  readonly missingMethod: 'cancel' | 'create_invoice' | 'pause';
  readonly saveMethod: 'off' | 'on_subscription';
  readonly trial: Period | null;
}

const NO_TAX = { disabled_reason: null, enabled: false, liability: null } as const;
const NO_INVOICE_SETTINGS: Subscription['invoice_settings'] = {
  account_tax_ids: null,
  custom_fields: null,
  description: null,
  footer: null,
  issuer: { type: 'self' },
};
export const NOT_CANCELED: NonNullable<Subscription['cancellation_details']> = {
  comment: null,
  feedback: null,
  feedback_option: null,
  reason: null,
};

/** A subscription that has just begun: trialing where it has a trial, else incomplete until its first invoice is paid. */
export function subscriptionObject(account: Account, parts: SubscriptionParts): Subscription {
  return {
    id: parts.id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: NO_TAX,
    billing_cycle_anchor: parts.anchor,
    billing_cycle_anchor_config: null,
    billing_mode:
      parts.billingMode === 'flexible'
        ? { flexible: { proration_discounts: 'included' }, type: 'flexible', updated_at: account.now }
        : { flexible: null, type: 'classic' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: NOT_CANCELED,
    collection_method: parts.collection,
    created: account.now,
    currency: parts.currency,
    customer: parts.customer.id,
    customer_account: null,
    days_until_due: parts.daysUntilDue,
    default_payment_method: parts.method,
    default_source: null,
    default_tax_rates: [],
    description: parts.description,
    discounts: parts.discounts,
    ended_at: null,
    invoice_settings: NO_INVOICE_SETTINGS,
    items: itemsInside(parts.id, parts.items),
    latest_invoice: null,
    livemode: false,
    managed_payments: null,
    metadata: parts.metadata,
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: parts.saveMethod,
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: parts.startDate,
    status: parts.trial === null ? 'incomplete' : 'trialing',
    test_clock: parts.customer.test_clock ?? null,
    transfer_data: null,
    trial_end: parts.trial?.end ?? null,
    trial_settings: {
      end_behavior: { billing_cycle_anchor: 'now', missing_payment_method: parts.missingMethod },
    },
    trial_start: parts.trial?.start ?? null,
  };
}

function itemsInside(id: string, items: readonly SubscriptionItem[]): Subscription['items'] {
  return listInside(items, `/v1/subscription_items?subscription=${id}`);
}

/** All items, of which the subscription itself shows ten. */
export function itemsOf(account: Account, subscription: Subscription): readonly SubscriptionItem[] {
  return account.subscriptionItems.get(subscription.id) ?? subscription.items.data;
}

/** Changes a subscription, its items among it, by one event. */
export function changeSubscription(
  account: Account,
  id: string,
  { items, ...changes }: PendingUpdate,
  type: EventType = 'customer.subscription.updated',
): Subscription {
  if (items !== undefined) account.subscriptionItems.set(id, items);
  const inside = items === undefined ? {} : { items: itemsInside(id, items) };
  const told = account.beingCreated.has(id) ? undefined : type;
  return account.change(account.subscriptions, id, { ...changes, ...inside }, told);
}

/** Whether a subscription is over for good. */
export function hasEnded({ status }: Subscription): boolean {
  return status === 'canceled' || status === 'incomplete_expired';
}

/** The second at which the first of its items' periods ends. */
export function nextPeriodEnd(items: readonly SubscriptionItem[]): number {
  return Math.min(...items.map((item) => item.current_period_end));
}

/** The period of a subscription as its items span it. */
export function spanOf(items: readonly SubscriptionItem[]): Period {
  return {
    start: Math.min(...items.map((item) => item.current_period_start)),
    end: Math.max(...items.map((item) => item.current_period_end)),
  };
}
