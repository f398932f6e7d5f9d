import { createHash } from 'node:crypto';
import type { CheckoutEventType, CheckoutObservationData } from '../../src/events/checkout.events.js';
import type { DomainEvent } from '../../src/events/event-types.js';
import type {
  CustomerInvoiceEventType,
  InvoiceEventType,
  InvoiceLine,
  InvoiceObservationData,
} from '../../src/events/invoice.events.js';
import type {
  PreviousAttributes,
  SubscriptionItem,
  SubscriptionObservationData,
  SubscriptionObservationType,
} from '../../src/events/subscription.events.js';
import type { CheckoutObservation, InvoiceObservation, Observation } from '../../src/policy/facts.js';
import type { Price } from './lives.catalog.js';

/** Second at which every life begins, and the grid on which it moves (Unix seconds). */
export const DAWN = 1_750_000_000;
export const DAY = 86_400;
export const MONTH = 30 * DAY;
/** The last second that Stripe's objects may name (DESIGN 5 "Shapes"). */
export const LAST_SECOND = 253_402_300_799;

export function item(
  price: Price,
  quantity: number | null,
  periodStart: number | null,
  periodEnd: number | null,
): SubscriptionItem {
  return {
    id: `si_${price.price}`,
    ...price,
    quantity,
    currency: 'usd',
    currentPeriodStart: periodStart,
    currentPeriodEnd: periodEnd,
  };
}

/** The state of a subscription with nothing special about it. */
export function subscriptionState(
  subscription: string,
  changes: Partial<SubscriptionObservationData>,
): SubscriptionObservationData {
  return {
    subscription,
    customer: 'cus_1',
    status: 'active',
    startedAt: DAWN,
    items: [],
    itemsTruncated: false,
    cancelAt: null,
    cancelAtPeriodEnd: false,
    canceledAt: null,
    endedAt: null,
    trialStart: null,
    trialEnd: null,
    pauseCollection: null,
    collectionMethod: 'charge_automatically',
    pendingUpdate: null,
    latestInvoice: null,
    testClock: null,
    cancellationReason: null,
    userId: 'u1',
    previous: null,
    ...changes,
  };
}

/** `previous_attributes` with the digest that its content deserves. */
export function previousAttributes(
  told: Omit<PreviousAttributes, 'names' | 'digest'>,
  others: Readonly<Record<string, unknown>>,
): PreviousAttributes {
  const names = [...Object.keys(told), ...Object.keys(others)].sort();
  const content = JSON.stringify([Object.entries(told).sort(byKey), Object.entries(others).sort(byKey)]);
  return { names, digest: createHash('sha256').update(content).digest('hex'), ...told };
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

const OBSERVED_AS: Readonly<Record<string, SubscriptionObservationType>> = {
  'customer.subscription.created': 'SubscriptionStarted',
  'customer.subscription.deleted': 'SubscriptionCanceled',
  'customer.subscription.paused': 'SubscriptionSuspended',
  'customer.subscription.resumed': 'SubscriptionResumed',
  'customer.subscription.trial_will_end': 'SubscriptionTrialEnding',
  retrieved: 'SubscriptionRetrieved',
};

/** The event that an observation is of. */
export function observationEvent({ type, data }: Observation): DomainEvent {
  return type === 'SubscriptionRetrieved' ? { type, data: { ...data, gone: false } } : { type, data };
}

/** `stripeType` may be `retrieved`, for an answer of Stripe's API. */
export function observation(
  eventId: string,
  stripeType: string,
  created: number,
  data: SubscriptionObservationData,
): Observation {
  return { eventId, stripeType, created, type: OBSERVED_AS[stripeType] ?? 'SubscriptionUpdated', data };
}

/** A line of one price, with `amount` as its subtotal. */
export function line(
  price: string,
  amount: number,
  periodStart: number | null,
  periodEnd: number | null,
  changes: Partial<InvoiceLine> = {},
): InvoiceLine {
  return {
    id: `il_${price}`,
    price,
    product: null,
    subscription: null,
    billingScheme: null,
    amount,
    subtotal: amount,
    discounts: 0,
    credits: 0,
    reduced: (changes.discounts ?? 0) + (changes.credits ?? 0) > 0,
    proration: false,
    quantity: 1,
    periodStart,
    periodEnd,
    ...changes,
  };
}

const TOLD_AS: Readonly<Record<string, InvoiceEventType>> = {
  'invoice.paid': 'SubscriptionPaid',
  'invoice.payment_succeeded': 'SubscriptionPaid',
  'invoice.payment_failed': 'SubscriptionPaymentFailed',
  'invoice.marked_uncollectible': 'SubscriptionInvoiceUncollectible',
  'invoice.finalized': 'SubscriptionInvoiceFinalized',
  'invoice.sent': 'SubscriptionInvoiceFinalized',
  'invoice.overdue': 'SubscriptionInvoiceFinalized',
  'invoice.payment_action_required': 'SubscriptionInvoiceFinalized',
  'invoice.voided': 'SubscriptionInvoiceVoided',
};

const OF_CUSTOMER: Readonly<Record<InvoiceEventType, CustomerInvoiceEventType>> = {
  SubscriptionPaid: 'CustomerInvoicePaid',
  SubscriptionPaymentFailed: 'CustomerInvoicePaymentFailed',
  SubscriptionInvoiceFinalized: 'CustomerInvoiceFinalized',
  SubscriptionInvoiceUncollectible: 'CustomerInvoiceUncollectible',
  SubscriptionInvoiceVoided: 'CustomerInvoiceVoided',
  SubscriptionInvoiceRetrieved: 'CustomerInvoiceRetrieved',
};

/** The same invoice, made for the customer: it names its subscription in its lines alone. Without lines it names none. */
export function throughCustomer(fact: InvoiceObservation, customer: string): InvoiceObservation {
  const { subscription, lines } = fact.data;
  if (lines.length === 0) return fact;
  return {
    ...fact,
    type: isOfCustomer(fact.type) ? fact.type : OF_CUSTOMER[fact.type],
    data: { ...fact.data, customer, lines: lines.map((one) => ({ ...one, subscription })) },
  };
}

export function isOfCustomer(type: InvoiceObservation['type']): type is CustomerInvoiceEventType {
  return (Object.values(OF_CUSTOMER) as readonly string[]).includes(type);
}

export function invoiceFact(
  eventId: string,
  stripeType: string,
  created: number,
  data: Pick<InvoiceObservationData, 'invoice' | 'subscription' | 'status' | 'created' | 'lines'> &
    Partial<InvoiceObservationData>,
): InvoiceObservation {
  const total = data.lines.reduce((sum, one) => sum + one.amount, 0);
  return {
    eventId,
    stripeType,
    created,
    type: TOLD_AS[stripeType] ?? 'SubscriptionPaid',
    data: {
      customer: 'cus_1',
      billingReason: 'subscription_cycle',
      collectionMethod: 'charge_automatically',
      attemptCount: 0,
      uncollectibleReason: null,
      paymentIntent: null,
      charge: null,
      currency: 'usd',
      total,
      amountDue: total,
      amountPaid: data.status === 'paid' ? total : 0,
      linesTruncated: false,
      ...data,
    },
  };
}

const CHECKOUT_TYPES: Readonly<Record<CheckoutEventType, string>> = {
  CheckoutCompleted: 'checkout.session.completed',
  CheckoutPaymentSucceeded: 'checkout.session.async_payment_succeeded',
  CheckoutPaymentFailed: 'checkout.session.async_payment_failed',
  CheckoutExpired: 'checkout.session.expired',
  CheckoutRetrieved: '',
};

export function checkoutFact(
  eventId: string,
  type: CheckoutEventType,
  created: number,
  subscription: string,
  paymentStatus: string,
): CheckoutObservation {
  const data: CheckoutObservationData = {
    session: `cs_${subscription}`,
    customer: 'cus_1',
    subscription,
    invoice: null,
    paymentIntent: null,
    mode: 'subscription',
    status: type === 'CheckoutExpired' ? 'expired' : 'complete',
    paymentStatus,
    created,
    metadataUserId: 'u1',
    clientReferenceId: null,
    amountTotal: null,
    currency: null,
    lineItems: null,
  };
  return { eventId, stripeType: CHECKOUT_TYPES[type], created, type, data };
}
