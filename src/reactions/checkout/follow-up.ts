import { isCompletedCheckout } from '../../events/checkout.events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';

/** What may have to be done at Stripe after a payment: of a session that was paid, or of a subscription that was changed. */
export type FollowUp =
  | { readonly of: 'session'; readonly session: string }
  | { readonly of: 'subscription'; readonly subscription: string };

/**
 * What an event may call for. Of a subscription it is looked at when its items changed or a change of it was paid: whether
 * Tenure began that, the subscription itself says.
 */
export function followUpOf(event: EventEnvelope): FollowUp | null {
  if (event.type === 'CheckoutPaymentSucceeded') return { of: 'session', session: event.data.session };
  if (isCompletedCheckout(event)) {
    const { session, paymentStatus } = event.data;
    const isPaid = paymentStatus === 'paid' || paymentStatus === 'no_payment_required';
    return isPaid ? { of: 'session', session } : null;
  }
  if (event.type === 'SubscriptionPaid') {
    const { subscription, billingReason } = event.data;
    return billingReason === 'subscription_update' ? { of: 'subscription', subscription } : null;
  }
  if ('previous' in event.data && event.data.previous?.items !== undefined) {
    return { of: 'subscription', subscription: event.data.subscription };
  }
  return null;
}
