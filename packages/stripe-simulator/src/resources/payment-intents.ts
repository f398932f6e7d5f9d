import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { cancelIntent, confirmIntent, createIntent } from '../billing/payments.js';
import { declined } from '../declined.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { PaymentIntent } from '../types.js';
import { attachPaymentMethod, createPaymentMethod } from './payment-methods.js';

/** `/v1/payment_intents` and `/v1/charges`: payments, each with the attempts that were made. */
export function paymentIntentRoutes(router: Router, account: Account): void {
  const { paymentIntents, charges } = account;
  const one = z.strictObject({ client_secret: p.ignored, expand: p.expand });
  const create = z.strictObject({
    amount: p.integer,
    currency: p.text,
    customer: p.text.optional(),
    description: p.text.optional(),
    metadata: p.metadata.optional(),
    payment_method: p.text.optional(),
    payment_method_types: p.ignored,
    automatic_payment_methods: p.ignored,
    return_url: p.ignored,
    confirm: p.boolean.optional(),
    off_session: p.boolean.optional(),
    setup_future_usage: z.enum(['off_session', 'on_session']).optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/payment_intents', create, (params) => {
    const intent = createIntent(account, {
      amount: params.amount,
      currency: params.currency.toLowerCase(),
      customer: params.customer ?? null,
      description: params.description ?? null,
      metadata: params.metadata ?? {},
      setupFutureUsage: params.setup_future_usage ?? null,
    });
    if (params.confirm !== true) return intent;
    return confirm(account, intent, params.payment_method, params.off_session === true);
  });
  const list = z.strictObject({ ...p.cursor, customer: p.text.optional(), created: p.range });
  router.on('GET', '/v1/payment_intents', list, (params) =>
    listOf('/v1/payment_intents', paymentIntents, params, {
      by: params.customer === undefined ? undefined : ['customer', params.customer],
      where: (row) => p.isWithin(params.created, row.created),
    }),
  );
  router.on('GET', '/v1/payment_intents/:id', one, (_, { id }) => intentOf(account, id));
  const confirmation = z.strictObject({
    payment_method: p.text.optional(),
    off_session: p.boolean.optional(),
    return_url: p.ignored,
    expand: p.expand,
  });
  router.on('POST', '/v1/payment_intents/:id/confirm', confirmation, (params, { id }) =>
    confirm(account, intentOf(account, id), params.payment_method, params.off_session === true),
  );
  const cancellation = z.strictObject({
    cancellation_reason: z.enum(['abandoned', 'requested_by_customer']).optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/payment_intents/:id/cancel', cancellation, (params, { id }) => {
    const intent = intentOf(account, id);
    if (intent.status === 'succeeded' || intent.status === 'canceled')
      throw unexpectedState(intent, 'cancel');
    return cancelIntent(account, intent, params.cancellation_reason ?? null);
  });

  const listCharges = z.strictObject({
    ...p.cursor,
    customer: p.text.optional(),
    payment_intent: p.text.optional(),
    created: p.range,
  });
  router.on('GET', '/v1/charges', listCharges, (params) =>
    listOf('/v1/charges', charges, params, {
      by:
        params.payment_intent !== undefined
          ? ['payment_intent', params.payment_intent]
          : params.customer === undefined
            ? undefined
            : ['customer', params.customer],
      where: (row) => p.isWithin(params.created, row.created),
    }),
  );
  router.on('GET', '/v1/charges/:id', z.strictObject({ expand: p.expand }), (_, { id }) => {
    const charge = charges.find(id);
    if (charge === undefined) throw resourceMissing('charge', id);
    return charge;
  });
}

/** @throws ApiError 404, or 400 where a parameter names it */
export function intentOf(account: Account, id: string, param = 'id'): PaymentIntent {
  const intent = account.paymentIntents.find(id);
  if (intent === undefined) throw resourceMissing('payment_intent', id, param);
  return intent;
}

/** @throws ApiError 402 with the intent when the payment is declined */
function confirm(
  account: Account,
  intent: PaymentIntent,
  method: string | undefined,
  offSession: boolean,
): object {
  if (intent.status === 'succeeded' || intent.status === 'canceled') throw unexpectedState(intent, 'confirm');
  const id = method ?? intent.payment_method;
  if (id === null) {
    const message = "You cannot confirm this PaymentIntent because it's missing a payment method.";
    throw invalidRequest(message, { code: 'payment_intent_unexpected_state' });
  }
  const customer = intent.customer === null ? undefined : account.customers.find(intent.customer);
  const known = account.paymentMethods.find(id);
  const chosen =
    known ??
    (customer === undefined ? createPaymentMethod(account, id) : attachPaymentMethod(account, id, customer));
  const after = confirmIntent(account, intent, chosen, offSession ? 'off_session' : 'on_session');
  if (after.status === 'requires_payment_method') throw declined(after);
  return after;
}

function unexpectedState(intent: PaymentIntent, verb: string): Error {
  const message = `You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}.`;
  return invalidRequest(message, { code: 'payment_intent_unexpected_state', payment_intent: intent });
}
