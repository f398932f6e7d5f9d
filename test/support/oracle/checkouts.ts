import type { CheckoutObservation } from '../../../src/policy/facts.js';

/** A session that was complete while its money was still to come. */
export function completedUnpaid({ type, data }: CheckoutObservation): boolean {
  if (data.paymentStatus !== 'unpaid') return false;
  return type === 'CheckoutCompleted' || (type === 'CheckoutRetrieved' && data.status === 'complete');
}

/** A session whose money came later, as an event or an answer of Stripe's API tells. */
export function moneyCame({ type, data }: CheckoutObservation): boolean {
  return type === 'CheckoutRetrieved' ? data.paymentStatus === 'paid' : type === 'CheckoutPaymentSucceeded';
}
