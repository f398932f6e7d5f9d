import { z } from 'zod';
import {
  CHECKOUT_EVENT_TYPES,
  checkoutObservationSchema,
  upcastCheckout,
} from '../../events/checkout.events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { EVENT_TYPES, isRetrievedType } from '../../events/event-types.js';
import {
  CUSTOMER_INVOICE_EVENT_TYPES,
  INVOICE_EVENT_TYPES,
  invoiceObservationSchema,
  upcastInvoice,
} from '../../events/invoice.events.js';
import { textReader } from '../../events/plain-reader.js';
import {
  SUBSCRIPTION_OBSERVATION_TYPES,
  type SubscriptionObservationType,
  subscriptionObservationSchema,
} from '../../events/subscription.events.js';
import type { CustomerObservation } from '../../policy/customer-sights.js';
import type { CheckoutStart, FactOrigin, Observation } from '../../policy/facts.js';

const origin = { eventId: z.string(), stripeType: z.string(), created: z.number() };

/** Texts of fact rows, as written by this projection. */
export const observationText = z.strictObject({
  ...origin,
  type: z.enum(SUBSCRIPTION_OBSERVATION_TYPES),
  data: subscriptionObservationSchema,
});
const writtenInvoice = z.strictObject({
  ...origin,
  type: z.enum([...INVOICE_EVENT_TYPES, ...CUSTOMER_INVOICE_EVENT_TYPES]),
  data: invoiceObservationSchema,
});
export const invoiceText = z.strictObject({
  ...writtenInvoice.shape,
  // Rows that earlier code wrote are read until a rebuild.
  data: z.preprocess(upcastInvoice, invoiceObservationSchema),
});
const writtenCheckout = z.strictObject({
  link: z.string().nullable(),
  started: z.strictObject({ ...origin, price: z.string(), quantity: z.number().nullable() }).nullable(),
  observations: z.array(
    z.strictObject({ ...origin, type: z.enum(CHECKOUT_EVENT_TYPES), data: checkoutObservationSchema }),
  ),
});
/** What is known of a session. Rows that earlier code wrote are its observations alone. */
export const checkoutText = z.preprocess(
  (facts) => (Array.isArray(facts) ? { link: null, started: null, observations: facts } : facts),
  z.strictObject({
    ...writtenCheckout.shape,
    observations: z.array(
      z.strictObject({
        ...writtenCheckout.shape.observations.element.shape,
        // Rows that earlier code wrote are read until a rebuild.
        data: z.preprocess(upcastCheckout, checkoutObservationSchema),
      }),
    ),
  }),
);
// Keys in the order of the fact: a row that is read and written again has the same text.
export const paymentText = z.array(
  z.discriminatedUnion('type', [
    z.strictObject({ ...origin, ...EVENT_TYPES.PaymentAttachedToInvoice.event.shape }),
    z.strictObject({ ...origin, ...EVENT_TYPES.PaymentRefunded.event.shape }),
    z.strictObject({ ...origin, ...EVENT_TYPES.PaymentRefundFailed.event.shape }),
    z.strictObject({ ...origin, ...EVENT_TYPES.PaymentDisputed.event.shape }),
    z.strictObject({ ...origin, ...EVENT_TYPES.DisputeClosed.event.shape }),
    z.strictObject({ ...origin, ...EVENT_TYPES.PaymentWarned.event.shape }),
  ]),
);
export const customerText = z.strictObject({
  link: z.string().nullable(),
  observations: z.array(z.strictObject({ ...origin, userId: z.string().nullable() })),
});

/** What reads the texts of fact rows where many are read at a time; as the schemas above do. They throw ZodError. */
export const readObservation = textReader(observationText);
export const readInvoice = textReader(invoiceText, writtenInvoice);
export const readCheckout = textReader(checkoutText, writtenCheckout);
export const readPayments = textReader(paymentText);
export const readCustomer = textReader(customerText);

/**
 * The origin of a fact: Stripe's event, or for what is not from Stripe our own. What was retrieved has
 * the key of what was asked: two of one second stand by their keys (DESIGN 5.4).
 */
export function factOriginOf(event: EventEnvelope): FactOrigin {
  const { metadata, id } = event;
  return {
    eventId: metadata.stripeEventId ?? (isRetrievedType(event.type) ? metadata.causationId : null) ?? id,
    stripeType: metadata.stripeEventType ?? '',
    created: metadata.stripeCreated ?? Math.floor(Date.parse(metadata.recordedAt) / 1000),
  };
}

/** What an event says of a subscription. One that Stripe no longer has counts as canceled from that second (DESIGN 5.4). */
export function observationOf(
  event: Extract<EventEnvelope, { type: SubscriptionObservationType }>,
): Observation {
  const origin = factOriginOf(event);
  if (event.type !== 'SubscriptionRetrieved') return { ...origin, type: event.type, data: event.data };
  const { gone, ...shown } = event.data;
  const data = gone ? { ...shown, status: 'canceled', endedAt: origin.created } : shown;
  return { ...origin, type: event.type, data };
}

/** What an event says of a customer. One that Stripe's API shows deleted, or no longer has, counts as `customer.deleted` does. */
export function customerObservationOf(
  event: Extract<EventEnvelope, { type: 'CustomerObserved' | 'CustomerDeleted' | 'CustomerRetrieved' }>,
): CustomerObservation {
  const { userId } = event.data;
  return showsDeleted(event)
    ? { ...factOriginOf(event), stripeType: 'customer.deleted', userId }
    : { ...factOriginOf(event), userId };
}

/** What Tenure started a session of mode `payment` to sell; `null` of one that tells itself. */
export function startOf(event: Extract<EventEnvelope, { type: 'CheckoutStarted' }>): CheckoutStart | null {
  const { mode, price, quantity } = event.data;
  return mode === 'payment' ? { ...factOriginOf(event), price, quantity } : null;
}

/** Whether an event says that a customer is deleted at Stripe, or no longer there. */
export function showsDeleted(
  event: EventEnvelope,
): event is Extract<EventEnvelope, { type: 'CustomerDeleted' | 'CustomerRetrieved' }> {
  if (event.type === 'CustomerDeleted') return true;
  return event.type === 'CustomerRetrieved' && (event.data.deleted || event.data.gone);
}
