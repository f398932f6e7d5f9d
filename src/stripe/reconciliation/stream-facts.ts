import type { EventStore } from '../../event-store/event-store.js';
import { streamPages } from '../../event-store/stream-pages.js';
import { CHECKOUT_EVENT_TYPES, type CheckoutEventType } from '../../events/checkout.events.js';
import { type EventEnvelope, parseEvent } from '../../events/event-envelope.js';
import {
  CUSTOMER_INVOICE_EVENT_TYPES,
  type CustomerInvoiceEventType,
  INVOICE_EVENT_TYPES,
  type InvoiceEventType,
} from '../../events/invoice.events.js';
import {
  SUBSCRIPTION_OBSERVATION_TYPES,
  type SubscriptionObservationType,
} from '../../events/subscription.events.js';
import type { CustomerObservation } from '../../policy/customer-sights.js';
import type {
  CheckoutObservation,
  CheckoutStart,
  InvoiceObservation,
  Observation,
  PaymentObservation,
} from '../../policy/facts.js';
import { EventLoopShare } from '../../projections/engine/yield-if-due.js';
import {
  customerObservationOf,
  factOriginOf,
  observationOf,
  startOf,
} from '../../projections/entitlements/fact-rows.js';
import { isPaymentEvent, paymentObservationOf } from '../../projections/entitlements/payment-facts.js';

/** What a stream tells of a subscription, of invoices, of a customer, of a checkout session and of a payment, as the projection folds it. */
export interface StreamFacts {
  readonly observations: readonly Observation[];
  /** Of a customer's invoice the lines of all subscriptions, and `subscription` is empty. */
  readonly invoices: readonly InvoiceObservation[];
  readonly customers: readonly CustomerObservation[];
  readonly checkouts: readonly CheckoutObservation[];
  /** What Tenure started a session to sell once. */
  readonly started: CheckoutStart | null;
  readonly payments: readonly PaymentObservation[];
  /** Stripe was asked which invoices a payment paid, and named none. */
  readonly isOfNoInvoice: boolean;
  /** Whose it is by the latest link of operators; `null` when none stands. */
  readonly link: string | null;
}

/** Reads a stream to its end. A long one is parsed a while at a time: others have the process between. */
export async function readStreamFacts(
  store: Pick<EventStore, 'readPage'>,
  stream: string,
): Promise<StreamFacts> {
  const loopShare = new EventLoopShare();
  const observations: Observation[] = [];
  const invoices: InvoiceObservation[] = [];
  const customers: CustomerObservation[] = [];
  const checkouts: CheckoutObservation[] = [];
  const payments: PaymentObservation[] = [];
  let isOfNoInvoice = false;
  let started: CheckoutStart | null = null;
  let link: string | null = null;
  for await (const page of streamPages(store, stream, 0)) {
    for (const stored of page) {
      const event = parseEvent(stored);
      if (isOf<SubscriptionObservationType>(event, OBSERVATIONS)) {
        observations.push(observationOf(event));
      } else if (isOf<InvoiceEventType>(event, INVOICES)) {
        invoices.push({ ...factOriginOf(event), type: event.type, data: event.data });
      } else if (isOf<CustomerInvoiceEventType>(event, CUSTOMER_INVOICES)) {
        const data = { ...event.data, subscription: '' };
        invoices.push({ ...factOriginOf(event), type: event.type, data });
      } else if (isOf<CustomerSightType>(event, CUSTOMERS)) {
        customers.push(customerObservationOf(event));
      } else if (isOf<CheckoutEventType>(event, CHECKOUTS)) {
        checkouts.push({ ...factOriginOf(event), type: event.type, data: event.data });
      } else if (isPaymentEvent(event)) {
        const told = paymentObservationOf(event);
        if (told === null) isOfNoInvoice = true;
        else payments.push(told);
      } else if (event.type === 'CheckoutStarted') {
        started = startOf(event);
      } else {
        link = linkAfter(link, event);
      }
      await loopShare.yieldIfDue();
    }
  }
  return { observations, invoices, customers, checkouts, payments, isOfNoInvoice, started, link };
}

/** The link that stands after an event that is no sight of Stripe's. */
function linkAfter(link: string | null, event: EventEnvelope): string | null {
  switch (event.type) {
    case 'SubscriptionLinked':
    case 'CustomerLinked':
    case 'CheckoutLinked':
      return event.data.userId;
    case 'SubscriptionUnlinked':
    case 'CustomerUnlinked':
    case 'CheckoutUnlinked':
      return null;
    default:
      return link;
  }
}

type CustomerSightType = 'CustomerObserved' | 'CustomerDeleted' | 'CustomerRetrieved';

const OBSERVATIONS: ReadonlySet<string> = new Set(SUBSCRIPTION_OBSERVATION_TYPES);
const INVOICES: ReadonlySet<string> = new Set(INVOICE_EVENT_TYPES);
const CUSTOMER_INVOICES: ReadonlySet<string> = new Set(CUSTOMER_INVOICE_EVENT_TYPES);

const CHECKOUTS: ReadonlySet<string> = new Set(CHECKOUT_EVENT_TYPES);
const CUSTOMERS: ReadonlySet<string> = new Set<CustomerSightType>([
  'CustomerObserved',
  'CustomerDeleted',
  'CustomerRetrieved',
]);

function isOf<T extends EventEnvelope['type']>(
  event: EventEnvelope,
  types: ReadonlySet<string>,
): event is Extract<EventEnvelope, { type: T }> {
  return types.has(event.type);
}
