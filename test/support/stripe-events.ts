import { createHmac, randomBytes } from 'node:crypto';
import { type CheckoutState, checkoutSessionObject as paidSession } from '../../demo/stripe/checkout.js';

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

/** Unix seconds. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** An item on a price of quantity 1, its period running for another 20 days. */
export function itemObject(price: string, more: object = {}): object {
  return {
    id: `si_${price}`,
    current_period_start: now() - 10 * 86_400,
    current_period_end: now() + 20 * 86_400,
    price: {
      id: price,
      lookup_key: null,
      product: `prod_${price}`,
      billing_scheme: 'per_unit',
      currency: 'usd',
      unit_amount: 1000,
      unit_amount_decimal: '1000',
      recurring: { usage_type: 'licensed' },
    },
    quantity: 1,
    ...more,
  };
}

/** A subscription: active, with one item on `price`. */
export function subscriptionObject(id: string, price: string, more: object = {}): object {
  return {
    id,
    object: 'subscription',
    customer: `cus_${id}`,
    status: 'active',
    items: { object: 'list', data: [itemObject(price)], has_more: false },
    metadata: {},
    cancel_at: null,
    cancel_at_period_end: false,
    collection_method: 'charge_automatically',
    pause_collection: null,
    trial_end: null,
    ...more,
  };
}

/** The list of items as `previous_attributes` names it. */
export function previousItems(price: string): object {
  return { data: [itemObject(price)] };
}

/** An invoice of a subscription over one line on `price`. */
export function invoiceObject(id: string, subscription: string, price: string, more: object = {}): object {
  return {
    id,
    object: 'invoice',
    customer: `cus_${subscription}`,
    status: 'paid',
    created: now(),
    billing_reason: 'subscription_create',
    attempt_count: 1,
    parent: { type: 'subscription_details', subscription_details: { subscription } },
    lines: {
      data: [
        {
          id: `il_${id}`,
          amount: 1000,
          subtotal: 1000,
          discount_amounts: [],
          pretax_credit_amounts: [],
          period: { start: now() - 86_400, end: now() + 20 * 86_400 },
          pricing: { type: 'price_details', price_details: { price, product: `prod_${price}` } },
        },
      ],
      has_more: false,
    },
    ...more,
  };
}

/** The same subscription as Stripe showed it in 2020: the period on the subscription, `plan` for a price. */
export function subscriptionObject2020(id: string, price: string, more: object = {}): object {
  return {
    ...subscriptionObject(id, price),
    current_period_start: now() - 10 * 86_400,
    current_period_end: now() + 20 * 86_400,
    items: {
      object: 'list',
      data: [{ id: `si_${price}`, plan: planObject2020(price), quantity: 1 }],
      has_more: false,
    },
    plan: planObject2020(price),
    ...more,
  };
}

/** An invoice of 2020: the subscription on top, `plan` on the line. */
export function invoiceObject2020(
  id: string,
  subscription: string,
  price: string,
  more: object = {},
): object {
  const line = {
    id: `il_${id}`,
    amount: 1000,
    proration: false,
    period: { start: now() - 86_400, end: now() + 20 * 86_400 },
    plan: planObject2020(price),
  };
  const lines = { object: 'list', data: [line], has_more: false };
  return { ...invoiceObject(id, subscription, price), parent: undefined, subscription, lines, ...more };
}

function planObject2020(price: string): object {
  return {
    id: price,
    object: 'plan',
    amount: 1000,
    amount_decimal: '1000',
    billing_scheme: 'per_unit',
    currency: 'usd',
    product: `prod_${price}`,
    usage_type: 'licensed',
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
