import { createHmac, randomBytes } from 'node:crypto';
import { type CheckoutState, checkoutSessionObject as paidSession } from '../../demo/stripe/checkout.js';
import {
  type InvoiceContent,
  invoiceIn,
  NEWEST,
  type Period,
  PLANS,
  subscriptionIn,
} from './stripe-shapes.js';

/** A Stripe event as JSON, new shape (2026). */
export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Services of the tests take both. */
export const SECRET = 'whsec_of_the_tests_0123456789';
export const SECOND_SECRET = 'whsec_of_the_tests_9876543210';

let counter = 0;

/** An event about `object`. `previous` becomes `previous_attributes`. */
export function stripeEvent(
  type: string,
  object: object,
  {
    id,
    created,
    previous,
    ...more
  }: { id?: string; created?: number; previous?: object; [field: string]: unknown } = {},
): StripeEvent {
  counter += 1;
  return {
    id: id ?? `evt_test${counter}x${process.pid}`,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: created ?? now(),
    data: { object, ...(previous === undefined ? {} : { previous_attributes: previous }) },
    livemode: false,
    type,
    ...more,
  };
}

/** A thin event about an object (Stripe: API v2 events); `snapshot` is the id of the v1 event that stands for the same. */
export function thinEvent(
  type: string,
  related: { readonly type: string; readonly id: string } | null,
  { snapshot, ...more }: { snapshot?: string; [field: string]: unknown } = {},
): StripeEvent {
  counter += 1;
  return {
    id: `evt_thin${counter}x${process.pid}`,
    object: 'v2.core.event',
    created: new Date().toISOString(),
    livemode: false,
    type,
    related_object: related === null ? null : { ...related, url: `/v1/anything/${related.id}` },
    ...(snapshot === undefined ? {} : { snapshot_event: snapshot }),
    ...more,
  };
}

/** Unix seconds. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** The month under way, ten days old. */
function month(): Period {
  return { from: now() - 10 * 86_400, until: now() + 20 * 86_400 };
}

/** An item on a price of quantity 1, its period running for another 20 days. */
export function itemObject(price: string, more: object = {}): object {
  return { ...NEWEST.item({ price }, month()), ...more };
}

/** A subscription: active, with one item on `price`. */
export function subscriptionObject(id: string, price: string, more: object = {}): object {
  const customer = `cus_${id}`;
  return subscriptionIn(NEWEST, { id, customer, items: [{ price }], period: month(), more });
}

/** The list of items as `previous_attributes` names it. */
export function previousItems(price: string): object {
  return { data: [itemObject(price)] };
}

/** An invoice of a subscription over one line on `price`. */
export function invoiceObject(id: string, subscription: string, price: string, more: object = {}): object {
  return invoiceIn(NEWEST, { ...invoiceTold(id, subscription, price), more: { ...CREATING, ...more } });
}

/** The same subscription as Stripe showed it in 2020: the period on the subscription, `plan` for a price. */
export function subscriptionObject2020(id: string, price: string, more: object = {}): object {
  const customer = `cus_${id}`;
  return subscriptionIn(PLANS, { id, customer, items: [{ price }], period: month(), more });
}

/** An invoice of 2020: the subscription on top, `plan` on the line. */
export function invoiceObject2020(
  id: string,
  subscription: string,
  price: string,
  more: object = {},
): object {
  return invoiceIn(PLANS, { ...invoiceTold(id, subscription, price), more: { ...CREATING, ...more } });
}

const CREATING = { billing_reason: 'subscription_create' };

function invoiceTold(id: string, subscription: string, price: string): InvoiceContent {
  return {
    id,
    customer: `cus_${subscription}`,
    subscription,
    linesOf: subscription,
    created: now(),
    lines: [{ price, amount: 1000 }],
    period: { from: now() - 86_400, until: now() + 20 * 86_400 },
  };
}

/** A customer, `metadata` naming nobody. */
export function customerObject(id: string, more: object = {}): object {
  return { id, object: 'customer', metadata: {}, ...more };
}

/** A completed and paid checkout of a subscription; `userId` is its client reference. */
export function checkoutObject(
  id: string,
  { subscription, userId }: Pick<CheckoutState, 'subscription' | 'userId'>,
  more: object = {},
): object {
  const customer = `cus_${subscription}`;
  const state = { id, customer, subscription, invoice: `in_${id}`, userId, amount: 1000, created: now() };
  return { ...paidSession(state), ...more };
}

/** An event of Stripe as text, of a customer that names nobody, to be bent. */
export function customerEvent(changes: Readonly<Record<string, unknown>> = {}): string {
  const customer = customerObject(`cus_${randomBytes(8).toString('hex')}`);
  return JSON.stringify({ ...stripeEvent('customer.created', customer), ...changes });
}

/** A body ready to post: the exact text and the header that signs it. `timestamp` is Unix seconds. */
export function signed(
  event: StripeEvent | string,
  secret = SECRET,
  { timestamp = now() }: { readonly timestamp?: number } = {},
): { readonly body: string; readonly signature: string } {
  const body = typeof event === 'string' ? event : JSON.stringify(event);
  return { body, signature: signatureOf(body, secret, timestamp) };
}

/** The headers of a delivery of `body`, signed so many seconds ago; negative lies ahead. */
export function signedHeaders(body: string | Uint8Array, secret = SECRET, age = 0): Record<string, string> {
  const signature = signatureOf(body, secret, now() - age);
  return { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature };
}

/** A `Stripe-Signature` header (Stripe: "Verify webhook signatures manually"); `timestamp` is Unix seconds. */
export function signatureOf(payload: string | Uint8Array, secret = SECRET, timestamp = now()): string {
  const mac = createHmac('sha256', secret).update(`${timestamp}.`).update(payload).digest('hex');
  return `t=${timestamp},v1=${mac}`;
}
