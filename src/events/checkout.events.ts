import { z } from 'zod';

/**
 * One sight of a Stripe checkout session. `metadataUserId` and `clientReferenceId` are its claims, each `null` when
 * absent or not a valid user id. `created` is the session's own second.
 */
export const checkoutObservationSchema = z.strictObject({
  session: z.string(),
  customer: z.string().nullable(),
  subscription: z.string().nullable(),
  invoice: z.string().nullable(),
  paymentIntent: z.string().nullable(),
  mode: z.string().nullable(),
  status: z.string().nullable(),
  paymentStatus: z.string().nullable(),
  created: z.number().int().nullable(),
  metadataUserId: z.string().nullable(),
  clientReferenceId: z.string().nullable(),
});
export type CheckoutObservationData = z.infer<typeof checkoutObservationSchema>;

export const CHECKOUT_EVENT_TYPES = [
  'CheckoutCompleted',
  'CheckoutPaymentSucceeded',
  'CheckoutPaymentFailed',
  'CheckoutExpired',
  'CheckoutRetrieved',
] as const;
export type CheckoutEventType = (typeof CHECKOUT_EVENT_TYPES)[number];

/** Whether an event says that a checkout was completed, told by Stripe or asked of it. */
export function isCompletedCheckout<E extends { readonly type: string; readonly data: object }>(
  event: E,
): event is E & { readonly data: CheckoutObservationData } {
  if (event.type === 'CheckoutCompleted') return true;
  return event.type === 'CheckoutRetrieved' && 'status' in event.data && event.data.status === 'complete';
}
