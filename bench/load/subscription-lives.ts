import { createHmac } from 'node:crypto';
import { eventObject, type Price, type StripeObject } from '../../demo/stripe/event.js';
import { type InvoiceState, invoiceObject } from '../../demo/stripe/invoice.js';
import {
  type SubscriptionState,
  subscriptionItemObject,
  subscriptionObject,
} from '../../demo/stripe/subscription.js';
import { requestBytes } from './http-connection.js';

/** A run of subscription lives. The same plan always makes the same events, so that a count can be checked afterwards. */
export interface LivesPlan {
  /** Part of every id: two runs with different tags share nothing. */
  readonly tag: string;
  /** How many webhooks to make. */
  readonly count: number;
  /** Signs the bodies. */
  readonly secret: string;
  readonly order: WebhookOrder;
}

/**
 * `lives`: whole lives, a cohort after the other; `beginnings`: the first event of each subscription and nothing more;
 * `renewals`: one event of each subscription, of those after `BEGINNING`, as each month brings one of everybody.
 */
export type WebhookOrder = 'lives' | 'beginnings' | 'renewals';

/** Events with which a life begins: those of a subscription that exists when its renewal comes. */
export const BEGINNING = 2;

/** How many subscriptions live at the same time; each gets its next event when all others have had theirs. */
const COHORT = 500;

const PRICE: Price = { id: 'price_plus_m', product: 'prod_plus', name: 'Plus', unitAmount: 1_000 };
const MONTH = 30 * 86_400;
/** Stands for the second in which a life begins; ten digits from 20 on stand for nothing else in a body. */
const BASE_SECOND = 2_000_111_222;
const SECOND_MARK = /\b20\d{8}\b/g;
/** When each event of a life happens, in seconds after its begin: the first month, then the renewal. */
const STEP_SECONDS = [0, 5, MONTH, MONTH + 3_600, MONTH + 7_200, MONTH + 7_205];
/** How long ago lives begin, in seconds: all of their events lie in the past, the late payment within grace. */
const BEGAN_AGO = MONTH + 86_400;

interface Draft {
  readonly type: string;
  readonly object: StripeObject;
  readonly previous: StripeObject | null;
}

/** The six events of a life, written with marks where ids and times go. Stripe sends bodies indented by two. */
const STEPS: readonly Draft[] = life();
const TEMPLATES: readonly string[] = STEPS.map((draft, step) =>
  JSON.stringify(
    eventObject({
      id: `evt_@TAG@@NUMBER@s${step}`,
      type: draft.type,
      created: BASE_SECOND + (STEP_SECONDS[step] ?? 0),
      object: draft.object,
      previousAttributes: draft.previous,
    }),
    null,
    2,
  ),
);
export const EVENTS_PER_LIFE = STEPS.length;

/** User id of the `number`th subscription of a run. */
export function userOf(tag: string, number: number): string {
  return `user_${tag}${number}`;
}

/** Whole signed webhook requests in the order in which to send them, made before any clock starts. */
export function signedWebhooks(plan: LivesPlan): Buffer[] {
  const now = Math.floor(Date.now() / 1000);
  const requests: Buffer[] = [];
  for (let index = 0; requests.length < plan.count; index += 1) {
    const { number, step } = placeOf(index, plan.order);
    requests.push(signedWebhook(plan, number, step, now));
  }
  return requests;
}

/** Which event of which subscription the `index`-th webhook is. */
function placeOf(index: number, order: WebhookOrder): { readonly number: number; readonly step: number } {
  switch (order) {
    case 'lives': {
      const cohort = Math.floor(index / (COHORT * EVENTS_PER_LIFE));
      const step = Math.floor(index / COHORT) % EVENTS_PER_LIFE;
      return { number: cohort * COHORT + (index % COHORT), step };
    }
    case 'beginnings':
      return { number: index, step: 0 };
    case 'renewals':
      return { number: index, step: BEGINNING + (index % (EVENTS_PER_LIFE - BEGINNING)) };
  }
}

/** One webhook: event `step` of the life of subscription `number`, signed at `now` (Unix seconds). */
export function signedWebhook(
  plan: Pick<LivesPlan, 'tag' | 'secret'>,
  number: number,
  step: number,
  now: number,
): Buffer {
  const body = webhookBody(plan.tag, number, step, now);
  const signature = createHmac('sha256', plan.secret).update(`${now}.${body}`).digest('hex');
  return requestBytes(
    'POST',
    '/webhooks/stripe',
    { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': `t=${now},v1=${signature}` },
    body,
  );
}

/** The body of a webhook, as Stripe would send it at `now` (Unix seconds). */
export function webhookBody(tag: string, number: number, step: number, now: number): string {
  const template = TEMPLATES[step];
  if (template === undefined) throw new RangeError(`a life has ${EVENTS_PER_LIFE} events`);
  return template
    .replaceAll('@TAG@', tag)
    .replaceAll('@NUMBER@', String(number))
    .replaceAll(SECOND_MARK, (second) => String(Number(second) - BASE_SECOND + now - BEGAN_AGO));
}

function life(): readonly Draft[] {
  const started: SubscriptionState = {
    id: 'sub_@TAG@@NUMBER@',
    customer: 'cus_@TAG@@NUMBER@',
    itemId: 'si_@TAG@@NUMBER@',
    status: 'active',
    price: PRICE,
    period: { start: BASE_SECOND, end: BASE_SECOND + MONTH },
    created: BASE_SECOND,
    cancelAt: null,
    canceledAt: null,
    endedAt: null,
    latestInvoice: 'in_@TAG@@NUMBER@a',
    metadata: { user_id: 'user_@TAG@@NUMBER@' },
  };
  const renewed: SubscriptionState = {
    ...started,
    period: { start: BASE_SECOND + MONTH, end: BASE_SECOND + 2 * MONTH },
    latestInvoice: 'in_@TAG@@NUMBER@b',
  };
  const late: SubscriptionState = { ...renewed, status: 'past_due' };
  return [
    { type: 'customer.subscription.created', object: subscriptionObject(started), previous: null },
    paidInvoice(started, 'subscription_create'),
    {
      type: 'customer.subscription.updated',
      object: subscriptionObject(renewed),
      previous: {
        latest_invoice: started.latestInvoice,
        items: { data: [subscriptionItemObject(started)] },
      },
    },
    {
      type: 'customer.subscription.updated',
      object: subscriptionObject(late),
      previous: { status: 'active' },
    },
    paidInvoice(renewed, 'subscription_cycle'),
    {
      type: 'customer.subscription.updated',
      object: subscriptionObject(renewed),
      previous: { status: 'past_due' },
    },
  ];
}

function paidInvoice(subscription: SubscriptionState, reason: InvoiceState['reason']): Draft {
  const invoice = invoiceObject({
    id: subscription.latestInvoice,
    subscription: subscription.id,
    customer: subscription.customer,
    itemId: subscription.itemId,
    status: 'paid',
    reason,
    price: subscription.price,
    credited: null,
    period: subscription.period,
    created: subscription.period.start,
    attempts: 1,
  });
  return { type: 'invoice.paid', object: invoice, previous: null };
}

/** What the first `count` webhooks of a run are about, to check afterwards that all of them arrived. */
export function contentsOf(
  count: number,
  order: WebhookOrder,
): { readonly subscriptions: number; readonly invoices: number } {
  const subscriptions = new Set<number>();
  let invoices = 0;
  for (let index = 0; index < count; index += 1) {
    const { number, step } = placeOf(index, order);
    if (STEPS[step]?.type === 'invoice.paid') invoices += 1;
    else subscriptions.add(number);
  }
  return { subscriptions: subscriptions.size, invoices };
}
