import type { StripeOrigin } from '../../commands/aggregate.js';
import type { StripeStream } from '../../commands/recording.js';
import { NotCanonicalError } from '../../events/canonical-json.js';
import type { CheckoutEventType } from '../../events/checkout.events.js';
import type { DomainEvent } from '../../events/event-types.js';
import type { CustomerInvoiceEventType, InvoiceEventType } from '../../events/invoice.events.js';
import type { ClaimReading } from '../../events/user-id.js';
import { readCheckout } from './checkout.translation.js';
import { readInvoice } from './invoice.translation.js';
import { type IgnoredPayment, PAYMENT_TYPES } from './payment.translation.js';
import {
  claimInMetadata,
  field,
  id,
  type JsonObject,
  LAST_CREATED,
  OutOfRangeError,
  object,
  TooManyEntriesError,
  text,
  whole,
} from './read-json.js';
import { readSubscription } from './subscription.translation.js';
import { subscriptionEventName } from './subscription-event-name.js';

/** Why an event is left alone. */
export type IgnoredReason =
  | 'unhandled_type'
  | 'connect_account'
  | 'other_account'
  | 'no_subscription'
  | IgnoredPayment;

/** What a Stripe event means to us: one event for one stream, nothing, or something that cannot be. */
export type Translation =
  | {
      readonly outcome: 'recorded';
      readonly stream: StripeStream;
      readonly event: DomainEvent;
      readonly stripe: StripeOrigin;
    }
  | { readonly outcome: 'ignored'; readonly reason: IgnoredReason; readonly livemode: boolean | null }
  | { readonly outcome: 'malformed'; readonly problems: readonly string[] };

/** How claims are read, and `account`, the one whose events count besides those that name none (`null`: no other). */
export interface TranslationOptions extends ClaimReading {
  readonly account: string | null;
}

/** What an invoice event is on the stream of a subscription, and on that of a customer. */
interface InvoiceNames {
  readonly subscription: InvoiceEventType;
  readonly customer: CustomerInvoiceEventType;
}

const PAID: InvoiceNames = { subscription: 'SubscriptionPaid', customer: 'CustomerInvoicePaid' };
const FINALIZED: InvoiceNames = {
  subscription: 'SubscriptionInvoiceFinalized',
  customer: 'CustomerInvoiceFinalized',
};

const INVOICE_TYPES: ReadonlyMap<string, InvoiceNames> = new Map([
  ['invoice.paid', PAID],
  ['invoice.payment_succeeded', PAID],
  [
    'invoice.payment_failed',
    { subscription: 'SubscriptionPaymentFailed', customer: 'CustomerInvoicePaymentFailed' },
  ],
  ['invoice.finalized', FINALIZED],
  ['invoice.sent', FINALIZED],
  ['invoice.overdue', FINALIZED],
  ['invoice.payment_action_required', FINALIZED],
  [
    'invoice.marked_uncollectible',
    { subscription: 'SubscriptionInvoiceUncollectible', customer: 'CustomerInvoiceUncollectible' },
  ],
  ['invoice.voided', { subscription: 'SubscriptionInvoiceVoided', customer: 'CustomerInvoiceVoided' }],
]);

const CHECKOUT_TYPES: ReadonlyMap<string, CheckoutEventType> = new Map([
  ['checkout.session.completed', 'CheckoutCompleted'],
  ['checkout.session.async_payment_succeeded', 'CheckoutPaymentSucceeded'],
  ['checkout.session.async_payment_failed', 'CheckoutPaymentFailed'],
  ['checkout.session.expired', 'CheckoutExpired'],
]);

const SUBSCRIPTION_TYPES: ReadonlySet<string> = new Set(
  [
    'created',
    'updated',
    'deleted',
    'paused',
    'resumed',
    'trial_will_end',
    'pending_update_applied',
    'pending_update_expired',
  ].map((name) => `customer.subscription.${name}`),
);

const CUSTOMER_TYPES: ReadonlyMap<string, 'CustomerObserved' | 'CustomerDeleted'> = new Map([
  ['customer.created', 'CustomerObserved'],
  ['customer.updated', 'CustomerObserved'],
  ['customer.deleted', 'CustomerDeleted'],
]);

/** Every Stripe type whose events are recorded. */
export const HANDLED_TYPES: ReadonlySet<string> = new Set([
  ...SUBSCRIPTION_TYPES,
  ...INVOICE_TYPES.keys(),
  ...CHECKOUT_TYPES.keys(),
  ...PAYMENT_TYPES.keys(),
  ...CUSTOMER_TYPES.keys(),
]);

/** Whether events of this Stripe type are recorded. */
export function isHandledType(type: string): boolean {
  return HANDLED_TYPES.has(type);
}

/**
 * Translates one Stripe event, read by shape from any API version (DESIGN 5 "Shapes"). Only what identifies must be
 * there; unknown fields pass, and what has another shape than expected counts as absent. Pure; never throws for JSON.
 */
export function translateStripeEvent(body: unknown, options: TranslationOptions): Translation {
  const event = object(body);
  if (event === null) return malformed('the body must be a JSON object');
  const livemode = typeof event.livemode === 'boolean' ? event.livemode : null;
  const eventId = id(event.id);
  const eventType = text(event.type);
  if (eventId === null || eventType === null) {
    return malformed(
      ...(eventId === null ? ['id must be an id of 1 to 255 characters'] : []),
      ...(eventType === null ? ['type must be a string'] : []),
    );
  }
  const elsewhere = otherAccount(event, options.account);
  if (elsewhere !== null) return { outcome: 'ignored', reason: elsewhere, livemode };
  if (!isHandledType(eventType)) return { outcome: 'ignored', reason: 'unhandled_type', livemode };

  const created = whole(event.created);
  const about = object(field(event, 'data', 'object'));
  if (created === null || created < 0 || created > LAST_CREATED || about === null) {
    return malformed(
      ...(about === null ? ['data.object must be an object'] : []),
      ...(about !== null || created === null ? [`created must be Unix seconds, 0 to ${LAST_CREATED}`] : []),
    );
  }
  const stripe = {
    eventId,
    eventType,
    created,
    apiVersion: text(event.api_version),
    livemode: livemode ?? false,
  };
  const previous = field(event, 'data', 'previous_attributes');
  try {
    return translateObject(about, previous, stripe, options);
  } catch (error) {
    if (error instanceof NotCanonicalError) return malformed(`data.previous_attributes: ${error.message}`);
    if (error instanceof OutOfRangeError || error instanceof TooManyEntriesError) {
      return malformed(error.message);
    }
    throw error;
  }
}

function translateObject(
  about: JsonObject,
  previous: unknown,
  stripe: StripeOrigin,
  claims: ClaimReading,
): Translation {
  const { eventType } = stripe;
  if (SUBSCRIPTION_TYPES.has(eventType)) {
    const data = readSubscription(about, previous, claims);
    if ('problems' in data) return malformed(...data.problems);
    const event = { type: subscriptionEventName(eventType, data), data };
    return {
      outcome: 'recorded',
      stream: { category: 'subscription', id: data.subscription },
      event,
      stripe,
    };
  }
  const invoiceNames = INVOICE_TYPES.get(eventType);
  if (invoiceNames !== undefined) {
    const read = readInvoice(about, stripe.created);
    if (read === 'no_subscription') {
      return { outcome: 'ignored', reason: 'no_subscription', livemode: stripe.livemode };
    }
    if ('problems' in read) return malformed(...read.problems);
    if (read.of === 'subscription') {
      const stream = { category: 'subscription', id: read.data.subscription } as const;
      const event = { type: invoiceNames.subscription, data: read.data };
      return { outcome: 'recorded', stream, event, stripe };
    }
    const stream = { category: 'customer', id: read.data.customer } as const;
    return { outcome: 'recorded', stream, event: { type: invoiceNames.customer, data: read.data }, stripe };
  }
  const checkoutType = CHECKOUT_TYPES.get(eventType);
  if (checkoutType !== undefined) {
    const data = readCheckout(about, claims);
    if ('problems' in data) return malformed(...data.problems);
    const stream = { category: 'checkout', id: data.session } as const;
    return { outcome: 'recorded', stream, event: { type: checkoutType, data }, stripe };
  }
  const readPayment = PAYMENT_TYPES.get(eventType);
  if (readPayment !== undefined) {
    const read = readPayment(about);
    if ('problems' in read) return malformed(...read.problems);
    if ('ignored' in read) return { outcome: 'ignored', reason: read.ignored, livemode: stripe.livemode };
    return {
      outcome: 'recorded',
      stream: { category: 'payment', id: read.payment },
      event: read.event,
      stripe,
    };
  }
  const customer = id(about.id);
  if (customer === null) return malformed('data.object.id must be an id');
  const data = { customer, userId: claimInMetadata(about, claims) };
  const type = CUSTOMER_TYPES.get(eventType) ?? 'CustomerObserved';
  return {
    outcome: 'recorded',
    stream: { category: 'customer', id: customer },
    event: { type, data },
    stripe,
  };
}

/**
 * Why an event is not of our account, `null` where it may be: it names another as `account` (Connect), or as the last part
 * of its `context` (an organisation's destinations). One Stripe account per Tenure (DESIGN 5).
 */
export function otherAccount(
  event: JsonObject,
  ours: string | null,
): 'connect_account' | 'other_account' | null {
  const account = text(event.account);
  if (account !== null && account !== ours) return 'connect_account';
  const last = text(event.context)?.split('/').at(-1) ?? '';
  return last.startsWith('acct_') && last !== ours ? 'other_account' : null;
}

function malformed(...problems: readonly string[]): Translation {
  return { outcome: 'malformed', problems };
}
