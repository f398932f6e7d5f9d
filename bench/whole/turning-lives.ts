import { createHmac } from 'node:crypto';
import { eventObject, type Price } from '../../demo/stripe/event.js';
import { type SubscriptionState, subscriptionObject } from '../../demo/stripe/subscription.js';
import { requestBytes } from '../load/http-connection.js';

const PRICE: Price = { id: 'price_plus_m', product: 'prod_plus', name: 'Plus', unitAmount: 1_000 };
const MONTH = 30 * 86_400;
/** How long ago subscriptions began, in seconds: so what is past due is within grace. */
const BEGAN_AGO = 3_600;

/** User id of the `number`th life. */
export function turningUser(tag: string, number: number): string {
  return `user_${tag}${number}`;
}

/**
 * A signed webhook of a life without end: its first `turn` (0) buys, and each later one makes the subscription past due or
 * active again, so every one of them is seen: the user's version grows by one. Turns of one life must be a second apart,
 * in which Stripe's times count. `now` in Unix milliseconds.
 */
export function turn(
  { tag, secret }: { readonly tag: string; readonly secret: string },
  number: number,
  turn: number,
  now: number,
): Buffer {
  const second = Math.floor(now / 1_000);
  const name = `${tag}${number}`;
  const state: SubscriptionState = {
    id: `sub_${name}`,
    customer: `cus_${name}`,
    itemId: `si_${name}`,
    status: turn % 2 === 0 ? 'active' : 'past_due',
    price: PRICE,
    period: { start: second - BEGAN_AGO, end: second - BEGAN_AGO + MONTH },
    created: second - BEGAN_AGO,
    cancelAt: null,
    canceledAt: null,
    endedAt: null,
    latestInvoice: `in_${name}`,
    metadata: { user_id: turningUser(tag, number) },
  };
  const body = JSON.stringify(
    eventObject({
      id: `evt_${name}t${turn}`,
      type: turn === 0 ? 'customer.subscription.created' : 'customer.subscription.updated',
      created: second,
      object: subscriptionObject(state),
      previousAttributes: turn === 0 ? null : { status: turn % 2 === 0 ? 'past_due' : 'active' },
    }),
    null,
    2,
  );
  const signature = createHmac('sha256', secret).update(`${second}.${body}`).digest('hex');
  return requestBytes(
    'POST',
    '/webhooks/stripe',
    {
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': `t=${second},v1=${signature}`,
    },
    body,
  );
}
