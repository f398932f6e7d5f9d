import type { Period, Price, StripeObject } from './event.js';

export interface SubscriptionState {
  readonly id: string;
  readonly customer: string;
  readonly itemId: string;
  readonly status: string;
  readonly price: Price;
  readonly period: Period;
  readonly created: number;
  /** When it is to end, and when that was asked for. */
  readonly cancelAt: number | null;
  readonly canceledAt: number | null;
  readonly endedAt: number | null;
  readonly latestInvoice: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export function subscriptionObject(state: SubscriptionState): StripeObject {
  return {
    id: state.id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: state.created,
    billing_cycle_anchor_config: null,
    billing_mode: {
      flexible: { proration_discounts: 'included' },
      type: 'flexible',
      updated_at: state.created,
    },
    billing_thresholds: null,
    cancel_at: state.cancelAt,
    cancel_at_period_end: state.cancelAt !== null && state.endedAt === null,
    canceled_at: state.canceledAt,
    cancellation_details: {
      comment: null,
      feedback: null,
      reason: state.canceledAt === null ? null : 'cancellation_requested',
    },
    collection_method: 'charge_automatically',
    created: state.created,
    currency: 'usd',
    customer: state.customer,
    customer_account: null,
    days_until_due: null,
    default_payment_method: 'pm_demo_visa',
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    ended_at: state.endedAt,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: {
      object: 'list',
      data: [subscriptionItemObject(state)],
      has_more: false,
      total_count: 1,
      url: `/v1/subscription_items?subscription=${state.id}`,
    },
    latest_invoice: state.latestInvoice,
    livemode: false,
    metadata: state.metadata,
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: 'off',
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: state.created,
    status: state.status,
    test_clock: null,
    transfer_data: null,
    trial_end: null,
    trial_settings: { end_behavior: { missing_payment_method: 'create_invoice' } },
    trial_start: null,
  };
}

export function subscriptionItemObject(state: SubscriptionState): StripeObject {
  return {
    id: state.itemId,
    object: 'subscription_item',
    billing_thresholds: null,
    created: state.created,
    current_period_end: state.period.end,
    current_period_start: state.period.start,
    discounts: [],
    metadata: {},
    plan: planObject(state.price),
    price: priceObject(state.price),
    quantity: 1,
    subscription: state.id,
    tax_rates: [],
  };
}

function priceObject(price: Price): StripeObject {
  return {
    id: price.id,
    object: 'price',
    active: true,
    billing_scheme: 'per_unit',
    created: 1_700_000_000,
    currency: 'usd',
    custom_unit_amount: null,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    product: price.product,
    recurring: {
      interval: 'month',
      interval_count: 1,
      meter: null,
      trial_period_days: null,
      usage_type: 'licensed',
    },
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: 'recurring',
    unit_amount: price.unitAmount,
    unit_amount_decimal: String(price.unitAmount),
  };
}

/** The older twin of a price, which Stripe still sends beside it. */
function planObject(price: Price): StripeObject {
  return {
    id: price.id,
    object: 'plan',
    active: true,
    amount: price.unitAmount,
    amount_decimal: String(price.unitAmount),
    billing_scheme: 'per_unit',
    created: 1_700_000_000,
    currency: 'usd',
    interval: 'month',
    interval_count: 1,
    livemode: false,
    metadata: {},
    meter: null,
    nickname: null,
    product: price.product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: 'licensed',
  };
}
