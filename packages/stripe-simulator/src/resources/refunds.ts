import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { createRefund } from '../billing/refunds.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Charge, Refund } from '../types.js';
import { intentOf } from './payment-intents.js';

/** `/v1/refunds`: money that goes back, in whole or in parts. */
export function refundRoutes(router: Router, account: Account): void {
  const { refunds } = account;
  const create = z.strictObject({
    amount: p.integer.optional(),
    charge: p.text.optional(),
    metadata: p.metadata.optional(),
    payment_intent: p.text.optional(),
    reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/refunds', create, (params) =>
    createRefund(account, {
      charge: chargeMeant(account, params),
      amount: params.amount ?? null,
      reason: params.reason ?? null,
      metadata: params.metadata ?? {},
    }),
  );
  const list = z.strictObject({
    ...p.cursor,
    charge: p.text.optional(),
    created: p.range,
    payment_intent: p.text.optional(),
  });
  router.on('GET', '/v1/refunds', list, (params) =>
    listOf('/v1/refunds', refunds, params, {
      by:
        params.charge !== undefined
          ? ['charge', params.charge]
          : params.payment_intent === undefined
            ? undefined
            : ['payment_intent', params.payment_intent],
      where: (row) => p.isWithin(params.created, row.created),
    }),
  );
  router.on('GET', '/v1/refunds/:id', z.strictObject({ expand: p.expand }), (_, { id }) =>
    refundOf(account, id),
  );
  const update = z.strictObject({ metadata: p.emptyable(p.metadata).optional(), expand: p.expand });
  router.on('POST', '/v1/refunds/:id', update, ({ metadata }, { id }) => {
    const before = refundOf(account, id);
    const merged = p.mergeMetadata(before.metadata ?? {}, metadata);
    return account.change(refunds, id, { metadata: merged }, 'refund.updated');
  });
}

/** @throws ApiError 404 */
export function refundOf(account: Account, id: string): Refund {
  const refund = account.refunds.find(id);
  if (refund === undefined) throw resourceMissing('refund', id);
  return refund;
}

function chargeMeant(
  account: Account,
  {
    charge,
    payment_intent,
  }: { readonly charge?: string | undefined; readonly payment_intent?: string | undefined },
): Charge {
  if (charge === undefined && payment_intent === undefined) {
    throw invalidRequest(
      'One of the following params should be provided for this request: payment_intent or charge.',
    );
  }
  const id = charge ?? intentOf(account, payment_intent ?? '', 'payment_intent').latest_charge ?? '';
  const found = account.charges.find(id);
  if (found === undefined) throw resourceMissing('charge', id, 'charge');
  return found;
}
