import { z } from 'zod';

/** A line of what a session sells: its price, by all that the catalogue may name it by, and the quantity. */
export const lineItemSchema = z.strictObject({
  price: z.string(),
  lookupKey: z.string().nullable(),
  product: z.string().nullable(),
  quantity: z.number().int().nullable(),
});
export type LineItem = z.infer<typeof lineItemSchema>;

/**
 * One sight of a Stripe checkout session. `metadataUserId` and `clientReferenceId` are its claims, each `null` when
 * absent or not a valid user id. `created` is the session's own second,
 * `amountTotal`, in minor units of `currency`, what it asks for. `lineItems` are all that it sells, where it was asked for
 * them; `null` where it was not.
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
  amountTotal: z.number().int().nullable(),
  currency: z.string().nullable(),
  lineItems: z.array(lineItemSchema).nullable(),
});
export type CheckoutObservationData = z.infer<typeof checkoutObservationSchema>;

const units = z.int().min(0).max(999_999_999);

/**
 * A purchase or an upgrade that Tenure began for a user. It claims nothing: whose a subscription is, and what it gives, is
 * told by what follows at Stripe. `session` is `cs_…`; in the customer portal `bps_…`; through the API `in_…`, the invoice
 * of the change. `interval` is the label of the plan's price.
 * `subscription` is the one that an upgrade changes; `ends` are those that end once this is paid.
 */
export const checkoutStartedSchema = z.strictObject({
  session: z.string(),
  userId: z.string(),
  customer: z.string(),
  purpose: z.enum(['purchase', 'upgrade']),
  mode: z.enum(['subscription', 'payment']),
  plan: z.string(),
  interval: z.string(),
  price: z.string(),
  quantity: units,
  addons: z.array(z.strictObject({ addon: z.string(), price: z.string(), quantity: units })),
  trialDays: z.int().min(0),
  subscription: z.string().nullable(),
  ends: z.array(z.string()),
  expiresAt: z.number().int().nullable(),
});
export type CheckoutStartedData = z.infer<typeof checkoutStartedSchema>;

/** Ops say whose a session is that sold a plan for good. */
export const checkoutLinkedSchema = z.strictObject({
  session: z.string(),
  userId: z.string(),
  reason: z.string().nullable(),
});

/** Ops take their word back: the facts decide again. */
export const checkoutUnlinkedSchema = z.strictObject({
  session: z.string(),
  reason: z.string().nullable(),
});

/** Version 1 had neither the sum nor the line items. */
export function upcastCheckout(data: unknown): unknown {
  return typeof data === 'object' && data !== null
    ? { amountTotal: null, currency: null, lineItems: null, ...data }
    : data;
}

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
