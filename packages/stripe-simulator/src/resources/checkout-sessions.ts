import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { expireCheckout } from '../billing/checkout.js';
import { listOf, pageOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { CheckoutSession } from '../types.js';
import { lineItemsOf, sessionObject } from './checkout-session-object.js';
import { type SessionParams, sessionParams } from './checkout-session-params.js';
import { customerOf } from './customers.js';

const HALF_AN_HOUR = 1_800;
const DAY = 86_400;

/** `/v1/checkout/sessions`: a purchase on the hosted page, or by `/_simulator/checkout/sessions/:id/complete`. */
export function checkoutSessionRoutes(router: Router, account: Account): void {
  const { checkoutSessions } = account;
  const path = '/v1/checkout/sessions';
  router.on('POST', path, sessionParams, (params) => createSession(account, params));
  const list = z.strictObject({
    ...p.cursor,
    created: p.range,
    customer: p.text.optional(),
    customer_details: z.strictObject({ email: p.text }).optional(),
    payment_intent: p.text.optional(),
    status: z.enum(['complete', 'expired', 'open']).optional(),
    subscription: p.text.optional(),
  });
  router.on('GET', path, list, (params) =>
    listOf(path, checkoutSessions, params, {
      where: (row) =>
        (params.customer === undefined || row.customer === params.customer) &&
        (params.customer_details === undefined ||
          row.customer_details?.email === params.customer_details.email) &&
        (params.payment_intent === undefined || row.payment_intent === params.payment_intent) &&
        (params.status === undefined || row.status === params.status) &&
        (params.subscription === undefined || row.subscription === params.subscription) &&
        p.isWithin(params.created, row.created),
    }),
  );
  router.on('GET', `${path}/:id`, z.strictObject({ expand: p.expand }), (_, { id }) =>
    sessionOf(account, id),
  );
  router.on('GET', `${path}/:id/line_items`, z.strictObject(p.cursor), (cursor, { id }) =>
    pageOf(
      `${path}/${id}/line_items`,
      account.checkoutDetails.get(sessionOf(account, id).id)?.lineItems ?? [],
      cursor,
    ),
  );
  router.on('POST', `${path}/:id/expire`, z.strictObject({ expand: p.expand }), (_, { id }) => {
    const session = sessionOf(account, id);
    if (session.status !== 'open') {
      throw invalidRequest(
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
      );
    }
    return expireCheckout(account, session);
  });
  const update = z.strictObject({ metadata: p.emptyable(p.metadata).optional(), expand: p.expand });
  router.on('POST', `${path}/:id`, update, ({ metadata }, { id }) => {
    const before = sessionOf(account, id);
    return account.change(checkoutSessions, id, {
      metadata: p.mergeMetadata(before.metadata ?? {}, metadata),
    });
  });
}

/** @throws ApiError 404 */
export function sessionOf(account: Account, id: string): CheckoutSession {
  const session = account.checkoutSessions.find(id);
  if (session === undefined) throw resourceMissing('checkout.session', id);
  return session;
}

function createSession(account: Account, params: SessionParams): CheckoutSession {
  if (params.customer !== undefined) customerOf(account, params.customer, 'customer');
  const isEmbedded = params.ui_mode === 'embedded_page';
  const back = isEmbedded ? 'return_url' : 'success_url';
  if (params[back] === undefined) {
    throw invalidRequest(`Missing required param: ${back}.`, { code: 'parameter_missing', param: back });
  }
  const unfit = isEmbedded ? (['success_url', 'cancel_url'] as const) : (['return_url'] as const);
  for (const param of unfit) {
    if (params[param] === undefined) continue;
    throw invalidRequest(`You can not pass \`${param}\` in this \`ui_mode\`.`, { param });
  }
  const lineItems = lineItemsOf(account, params);
  if (params.mode !== 'setup' && lineItems.length === 0) {
    throw invalidRequest('Missing required param: line_items.', {
      code: 'parameter_missing',
      param: 'line_items',
    });
  }
  if (params.mode === 'subscription' && lineItems.every(({ price }) => price?.recurring == null)) {
    throw invalidRequest('You must provide at least one recurring price in `subscription` mode.', {
      param: 'line_items',
    });
  }
  const lasts = (params.expires_at ?? account.now + DAY) - account.now;
  if (lasts < HALF_AN_HOUR || lasts > DAY) {
    throw invalidRequest(
      'The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from now.',
      {
        param: 'expires_at',
      },
    );
  }
  const session = sessionObject(account, params, lineItems);
  const data = params.subscription_data;
  account.checkoutSessions.put(session);
  account.checkoutDetails.set(session.id, {
    lineItems,
    discounts: params.discounts ?? [],
    paymentMetadata: params.payment_intent_data?.metadata ?? {},
    paymentDescription: params.payment_intent_data?.description ?? null,
    savesMethod: params.payment_intent_data?.setup_future_usage ?? null,
    subscription: {
      anchor: data?.billing_cycle_anchor ?? null,
      billingMode: data?.billing_mode?.type ?? 'flexible',
      description: data?.description ?? null,
      metadata: data?.metadata ?? {},
      missingMethod: data?.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
      trial:
        data?.trial_end !== undefined
          ? { end: data.trial_end }
          : data?.trial_period_days === undefined
            ? null
            : { days: data.trial_period_days },
    },
  });
  account.at(session.expires_at, () => {
    const due = account.checkoutSessions.find(session.id);
    if (due?.status === 'open') expireCheckout(account, due);
  });
  return session;
}
