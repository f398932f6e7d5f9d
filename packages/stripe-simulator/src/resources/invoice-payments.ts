import { z } from 'zod';
import type { Account } from '../account.js';
import { resourceMissing } from '../api-error.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';

/** `/v1/invoice_payments`: which payment is of which invoice. */
export function invoicePaymentRoutes(router: Router, account: Account): void {
  const list = z.strictObject({
    ...p.cursor,
    created: p.range,
    invoice: p.text.optional(),
    payment: z
      .strictObject({ payment_intent: p.text.optional(), type: z.enum(['payment_intent', 'payment_record']) })
      .optional(),
    status: p.text.optional(),
  });
  router.on('GET', '/v1/invoice_payments', list, (params) => {
    const intent = params.payment?.payment_intent;
    return listOf('/v1/invoice_payments', account.invoicePayments, params, {
      by:
        intent !== undefined
          ? ['payment_intent', intent]
          : params.invoice === undefined
            ? undefined
            : ['invoice', params.invoice],
      where: (row) =>
        (params.status === undefined || row.status === params.status) &&
        p.isWithin(params.created, row.created),
    });
  });
  router.on('GET', '/v1/invoice_payments/:id', z.strictObject({ expand: p.expand }), (_, { id }) => {
    const payment = account.invoicePayments.find(id);
    if (payment === undefined) throw resourceMissing('invoice_payment', id);
    return payment;
  });
}
