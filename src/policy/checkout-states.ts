import type { CheckoutObservation } from './facts.js';

/** Whether a sight of a session may claim a user (DESIGN 6): every one but of a session that expired. */
export function mayClaim({ type, data }: CheckoutObservation): boolean {
  return type !== 'CheckoutExpired' && !(type === 'CheckoutRetrieved' && data.status === 'expired');
}

/** Whether a session was seen complete, told by Stripe or asked of it. */
export function showsComplete({ type, data }: CheckoutObservation): boolean {
  return type === 'CheckoutCompleted' || (type === 'CheckoutRetrieved' && data.status === 'complete');
}

/** Whether a session is seen complete and paid for, or in need of no payment. */
export function showsPaid(observation: CheckoutObservation): boolean {
  const { type, data } = observation;
  if (type === 'CheckoutPaymentSucceeded') return true;
  return (
    showsComplete(observation) &&
    (data.paymentStatus === 'paid' || data.paymentStatus === 'no_payment_required')
  );
}

/** Whether a session was seen complete before its money came (Stripe: "Delayed notification payment methods"). */
export function showsUnpaid(observation: CheckoutObservation): boolean {
  return showsComplete(observation) && observation.data.paymentStatus === 'unpaid';
}

/** Whether the money of a session is seen to have come after it completed. */
export function showsDelayedPayment({ type, data }: CheckoutObservation): boolean {
  return (
    type === 'CheckoutPaymentSucceeded' || (type === 'CheckoutRetrieved' && data.paymentStatus === 'paid')
  );
}
