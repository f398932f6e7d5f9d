import { z } from 'zod';
import type { Account } from '../account.js';
import { resourceMissing } from '../api-error.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';

/** `/v1/invoiceitems`: what an invoice to come, or one that came, asks for beside what renews. */
export function invoiceItemRoutes(router: Router, account: Account): void {
  const list = z.strictObject({
    ...p.cursor,
    created: p.range,
    customer: p.text.optional(),
    invoice: p.text.optional(),
    pending: p.boolean.optional(),
  });
  router.on('GET', '/v1/invoiceitems', list, ({ created, customer, invoice, pending, ...cursor }) =>
    listOf('/v1/invoiceitems', account.invoiceItems, cursor, {
      by: customer === undefined ? undefined : ['customer', customer],
      where: (row) =>
        (invoice === undefined || row.invoice === invoice) &&
        (pending === undefined || pending === (row.invoice === null)) &&
        p.isWithin(created, row.date),
    }),
  );
  router.on('GET', '/v1/invoiceitems/:id', z.strictObject({ expand: p.expand }), (_, { id }) => {
    const item = account.invoiceItems.find(id);
    if (item === undefined) throw resourceMissing('invoiceitem', id);
    return item;
  });
}
