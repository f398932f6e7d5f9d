import { z } from 'zod';
import type { Account } from './account.js';
import { resourceMissing } from './api-error.js';
import { completeCheckout } from './billing/checkout.js';
import { createDispute, createEarlyFraudWarning, moveDispute } from './billing/disputes.js';
import { finishAction } from './billing/payments.js';
import { failRefund } from './billing/refunds.js';
import type { Router } from './http/router.js';
import { sessionOf } from './resources/checkout-sessions.js';
import { disputeOf } from './resources/disputes.js';
import { intentOf } from './resources/payment-intents.js';
import { paymentMethodOf } from './resources/payment-methods.js';
import { refundOf } from './resources/refunds.js';
import { TEST_METHODS } from './test-cards.js';
import type { Charge } from './types.js';

/** `/_simulator/…` of what buyers and their banks do. */
export function paymentControls(router: Router, account: Account): void {
  /** Runs in the time of whoever the ids are of. */
  const inTime = <Result>(ids: readonly (string | null)[], act: () => Result): Result =>
    account.inTimeOf(account.testClockOf(ids.filter((id) => id !== null)), act);

  const method = z.strictObject({ token: z.enum(Object.keys(TEST_METHODS)) });
  router.on('POST', '/_simulator/payment_methods/:id', method, ({ token }, { id }) => {
    account.tokens.set(paymentMethodOf(account, id).id, token);
    return { id, token };
  });
  const action = z.strictObject({ outcome: z.enum(['succeeded', 'failed']).default('succeeded') });
  router.on('POST', '/_simulator/payment_intents/:id/authenticate', action, ({ outcome }, { id }) => {
    const intent = intentOf(account, id);
    if (intent.status !== 'requires_action' || intent.payment_method === null) {
      throw resourceMissing('payment_intent that requires action', id);
    }
    const chosen = paymentMethodOf(account, intent.payment_method);
    return inTime([intent.customer], () => finishAction(account, intent, chosen, outcome));
  });
  const purchase = z.strictObject({
    token: z.string().nullable().default('pm_card_visa'),
    email: z.string().nullable().default(null),
    name: z.string().nullable().default(null),
    authentication: z.enum(['succeeded', 'failed']).default('succeeded'),
    promotion_code: z.string().nullable().default(null),
  });
  router.on('POST', '/_simulator/checkout/sessions/:id/complete', purchase, (params, { id }) => {
    const session = sessionOf(account, id);
    const { promotion_code: promotionCode, ...rest } = params;
    return inTime([session.customer], () => completeCheckout(account, session, { ...rest, promotionCode }));
  });
  const usage = z.strictObject({ subscription_item: z.string(), units: z.number().int().min(0) });
  router.on('POST', '/_simulator/usage', usage, ({ subscription_item, units }) => {
    const owner = account.itemOwners.get(subscription_item);
    if (owner === undefined) throw resourceMissing('subscription_item', subscription_item);
    inTime([owner], () => {
      const known = account.usage.get(subscription_item) ?? [];
      account.usage.set(subscription_item, [...known, { second: account.now, units }]);
    });
    return { subscription_item, units };
  });

  const dispute = z.strictObject({
    amount: z.number().int().min(1).nullable().default(null),
    reason: z.string().default('fraudulent'),
    kind: z.enum(['chargeback', 'inquiry', 'resolution', 'block']).default('chargeback'),
  });
  router.on('POST', '/_simulator/charges/:id/dispute', dispute, (params, { id }) => {
    const charge = chargeOf(account, id);
    return inTime([charge.customer], () => createDispute(account, { ...params, charge }));
  });
  router.on('POST', '/_simulator/charges/:id/early_fraud_warning', z.strictObject({}), (_, { id }) => {
    const charge = chargeOf(account, id);
    return inTime([charge.customer], () => createEarlyFraudWarning(account, charge));
  });
  const status = z.strictObject({
    status: z.enum([
      'warning_under_review',
      'warning_closed',
      'needs_response',
      'under_review',
      'won',
      'lost',
      'appeal_needs_response',
      'appeal_under_review',
    ]),
  });
  router.on('POST', '/_simulator/disputes/:id', status, (params, { id }) => {
    const { charge } = disputeOf(account, id);
    return inTime([chargeOf(account, charge).customer], () => moveDispute(account, id, params.status));
  });
  const failure = z.strictObject({ reason: z.string().default('expired_or_canceled_card') });
  router.on('POST', '/_simulator/refunds/:id/fail', failure, ({ reason }, { id }) =>
    inTime([refundOf(account, id).customer], () => failRefund(account, id, reason)),
  );
}

function chargeOf(account: Account, id: string): Charge {
  const charge = account.charges.find(id);
  if (charge === undefined) throw resourceMissing('charge', id);
  return charge;
}
