import type { Account } from '../account.js';
import type { Period } from '../billing/periods.js';
import type { Metadata, Subscription, SubscriptionSchedule } from '../types.js';

export type Phase = SubscriptionSchedule['phases'][number];

export interface ScheduleParts {
  readonly subscription: Subscription;
  readonly phases: readonly Phase[];
  readonly endBehavior: 'cancel' | 'release';
  readonly metadata: Metadata;
}

const NO_TAX = { disabled_reason: null, enabled: false, liability: null } as const;

/** A schedule that is in its first phase. */
export function scheduleObject(account: Account, parts: ScheduleParts): SubscriptionSchedule {
  const { subscription, phases } = parts;
  const current = phases.find((one) => one.start_date <= account.now && account.now < one.end_date);
  return {
    id: account.ids.next('sub_sched'),
    object: 'subscription_schedule',
    application: null,
    billing_mode: subscription.billing_mode,
    canceled_at: null,
    completed_at: null,
    created: account.now,
    current_phase:
      current === undefined ? null : { start_date: current.start_date, end_date: current.end_date },
    customer: subscription.customer,
    customer_account: null,
    default_settings: {
      application_fee_percent: null,
      automatic_tax: NO_TAX,
      billing_cycle_anchor: 'automatic',
      billing_thresholds: null,
      collection_method: 'charge_automatically',
      default_payment_method: null,
      description: null,
      invoice_settings: {
        account_tax_ids: null,
        custom_fields: null,
        days_until_due: null,
        description: null,
        footer: null,
        issuer: { type: 'self' },
      },
      on_behalf_of: null,
      transfer_data: null,
    },
    end_behavior: parts.endBehavior,
    livemode: false,
    metadata: parts.metadata,
    pause_schedules: [],
    phases,
    released_at: null,
    released_subscription: null,
    status: 'active',
    subscription: subscription.id,
    test_clock: subscription.test_clock,
  };
}

/** A phase from a second (Unix) to another. */
export function phaseObject(
  currency: string,
  items: readonly { readonly price: string; readonly quantity?: number | undefined }[],
  { start, end }: Period,
  prorationBehavior: Phase['proration_behavior'],
): Phase {
  return {
    add_invoice_items: [],
    application_fee_percent: null,
    automatic_tax: NO_TAX,
    billing_cycle_anchor: null,
    billing_thresholds: null,
    collection_method: null,
    currency,
    default_payment_method: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    end_date: end,
    invoice_settings: null,
    items: items.map(({ price, quantity }) => ({
      billing_thresholds: null,
      discounts: [],
      metadata: {},
      plan: price,
      price,
      ...(quantity === undefined ? {} : { quantity }),
      tax_rates: [],
    })),
    metadata: {},
    on_behalf_of: null,
    proration_behavior: prorationBehavior,
    start_date: start,
    transfer_data: null,
    trial_end: null,
  };
}
