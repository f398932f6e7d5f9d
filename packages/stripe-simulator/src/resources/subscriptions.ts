import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { discountsFor } from '../billing/discounts.js';
import { createSubscription } from '../billing/subscription-create.js';
import { endSubscription } from '../billing/subscription-end.js';
import { hasEnded, itemsOf, spanOf } from '../billing/subscription-object.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Subscription } from '../types.js';
import { customerOf } from './customers.js';
import { paymentMethodOf } from './payment-methods.js';
import { priceOf } from './prices.js';
import { cancellationDetails, commonFields, partsOf } from './subscription-params.js';
import { changedSubscription, updateParams } from './subscription-updates.js';

const DAY = 86_400;

const create = z.strictObject({
  ...commonFields,
  customer: p.text,
  currency: p.ignored,
  backdate_start_date: p.timestamp.optional(),
  billing_cycle_anchor: p.timestamp.optional(),
  billing_mode: z.strictObject({ type: z.enum(['classic', 'flexible']), flexible: p.ignored }).optional(),
  trial_period_days: p.integer.optional(),
});

/** `/v1/subscriptions`: created, listed, changed and canceled; pausing and resuming are in their own file. */
export function subscriptionRoutes(router: Router, account: Account): void {
  router.on('POST', '/v1/subscriptions', create, (params) => started(account, params));
  const list = z.strictObject({
    ...p.cursor,
    collection_method: p.text.optional(),
    created: p.range,
    current_period_end: p.range,
    current_period_start: p.range,
    customer: p.text.optional(),
    price: p.text.optional(),
    plan: p.text.optional(),
    status: p.text.optional(),
    test_clock: p.text.optional(),
  });
  router.on('GET', '/v1/subscriptions', list, (params) =>
    listOf('/v1/subscriptions', account.subscriptions, params, {
      by: params.customer === undefined ? undefined : ['customer', params.customer],
      where: (row) =>
        hasStatus(row, params.status) &&
        (params.collection_method === undefined || row.collection_method === params.collection_method) &&
        (params.price === undefined ||
          itemsOf(account, row).some(({ price }) => price.id === params.price)) &&
        (params.customer !== undefined || (row.test_clock ?? undefined) === params.test_clock) &&
        p.isWithin(params.created, row.created) &&
        p.isWithin(params.current_period_end, spanOf(row.items.data).end) &&
        p.isWithin(params.current_period_start, spanOf(row.items.data).start),
    }),
  );
  router.on('GET', '/v1/subscriptions/:id', z.strictObject({ expand: p.expand }), (_, { id }) =>
    subscriptionOf(account, id),
  );
  router.on('POST', '/v1/subscriptions/:id', updateParams, (params, { id }) =>
    changedSubscription(account, subscriptionOf(account, id), params),
  );
  const cancel = z.strictObject({
    cancellation_details: cancellationDetails,
    invoice_now: p.boolean.optional(),
    prorate: p.boolean.optional(),
    expand: p.expand,
  });
  router.on('DELETE', '/v1/subscriptions/:id', cancel, (params, { id }) => {
    const subscription = subscriptionOf(account, id);
    if (hasEnded(subscription)) throw resourceMissing('subscription', id);
    return endSubscription(
      account,
      subscription,
      'cancellation_requested',
      params.cancellation_details ?? {},
    );
  });
}

/** Lists leave ended subscriptions out unless they are asked for; `ended` is both kinds of end. */
function hasStatus({ status }: Subscription, wanted: string | undefined): boolean {
  const isOver = status === 'canceled' || status === 'incomplete_expired';
  if (wanted === undefined) return status !== 'canceled';
  if (wanted === 'all') return true;
  return wanted === 'ended' ? isOver : status === wanted;
}

/** @throws ApiError 404, or 400 where a parameter names it */
export function subscriptionOf(account: Account, id: string, param = 'id'): Subscription {
  const subscription = account.subscriptions.find(id);
  if (subscription === undefined) throw resourceMissing('subscription', id, param);
  return subscription;
}

function started(account: Account, params: z.output<typeof create>): Subscription {
  const customer = customerOf(account, params.customer, 'customer');
  const items = (params.items ?? []).map((item, index) => partsOf(account, item, index));
  const once = (params.add_invoice_items ?? []).map(({ price = '', quantity = 1 }, index) => ({
    parts: {
      price: priceOf(account, price, `add_invoice_items[${index}][price]`),
      quantity,
      metadata: {},
      discounts: [],
    },
    quantity,
  }));
  if (params.collection_method === 'send_invoice' && params.days_until_due === undefined) {
    throw invalidRequest('Missing required param: days_until_due.', {
      code: 'parameter_missing',
      param: 'days_until_due',
    });
  }
  const trialEnd =
    params.trial_end === 'now'
      ? null
      : (params.trial_end ??
        (params.trial_period_days === undefined ? null : account.now + params.trial_period_days * DAY));
  const method = params.default_payment_method ?? null;
  if (method !== null) paymentMethodOf(account, method, 'default_payment_method');
  return createSubscription(account, {
    customer,
    items,
    once,
    anchor: params.billing_cycle_anchor ?? null,
    backdatedTo: params.backdate_start_date ?? null,
    billingMode: params.billing_mode?.type ?? 'flexible',
    cancelAt: typeof params.cancel_at === 'number' ? params.cancel_at : null,
    cancelAtPeriodEnd: params.cancel_at_period_end === true ? 'yes' : 'no',
    collection: params.collection_method ?? 'charge_automatically',
    daysUntilDue: params.days_until_due ?? null,
    description: params.description ?? null,
    discounts: discountsFor(account, customer.id, params.discounts ?? []),
    metadata: params.metadata ?? {},
    method,
    missingMethod: params.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
    behaviour: params.payment_behavior ?? 'allow_incomplete',
    presence: params.off_session === true ? 'off_session' : 'on_session',
    saveMethod: params.payment_settings?.save_default_payment_method ?? 'off',
    trialEnd,
    told: 'after_payment',
  });
}
