import type { CheckoutObservation } from './facts.js';

/** Whether a sight of a session may claim a user (DESIGN 6): every one but of a session that expired. */
export function mayClaim({ type, data }: CheckoutObservation): boolean {
  return type !== 'CheckoutExpired' && !(type === 'CheckoutRetrieved' && data.status === 'expired');
}

/** Whether a session was seen complete before its money came (Stripe: "Delayed notification payment methods"). */
export function showsUnpaid({ type, data }: CheckoutObservation): boolean {
  const isComplete =
    type === 'CheckoutCompleted' || (type === 'CheckoutRetrieved' && data.status === 'complete');
  return isComplete && data.paymentStatus === 'unpaid';
}

/** Whether the money of a session is seen to have come after it completed. */
export function showsDelayedPayment({ type, data }: CheckoutObservation): boolean {
  return (
    type === 'CheckoutPaymentSucceeded' || (type === 'CheckoutRetrieved' && data.paymentStatus === 'paid')
  );
}
