import type { Charge, Customer, Invoice, PaymentIntent, Subscription, SubscriptionItem } from './types.js';

/** What one resource tells the others, so that none of them needs to know who acts on it. */
export type InternalEvent =
  | { readonly kind: 'customer_deleted'; readonly customer: Customer }
  | {
      readonly kind: 'intent_succeeded' | 'intent_processing' | 'intent_failed' | 'intent_requires_action';
      readonly intent: PaymentIntent;
    }
  /** Its period is about to end at this second: what is to hold in the next one can be set. */
  | { readonly kind: 'period_ending'; readonly subscription: Subscription }
  /** Items that are to hold from the end of its period on. */
  | {
      readonly kind: 'change_at_period_end';
      readonly subscription: Subscription;
      readonly items: readonly SubscriptionItem[];
    }
  | { readonly kind: 'subscription_started' | 'subscription_ended'; readonly subscription: Subscription }
  | { readonly kind: 'charge_succeeded'; readonly charge: Charge }
  | {
      readonly kind:
        | 'invoice_paid'
        | 'invoice_processing'
        | 'invoice_payment_failed'
        | 'invoice_given_up'
        | 'invoice_voided'
        | 'invoice_uncollectible';
      readonly invoice: Invoice;
    };
