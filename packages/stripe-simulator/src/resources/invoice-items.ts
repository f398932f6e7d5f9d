import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { lineOfInvoiceItem, linesOf } from '../billing/invoice-lines.js';
import { totalsOf } from '../billing/invoice-object.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { InvoiceItem } from '../types.js';
import { customerOf } from './customers.js';
import { invoiceOf } from './invoices.js';
import { priceOf } from './prices.js';

/** `/v1/invoiceitems`: what is asked for besides, by a draft that is there or by the next invoice. */
export function invoiceItemRoutes(router: Router, account: Account): void {
  const { invoiceItems } = account;
  const path = '/v1/invoiceitems';
  const create = z.strictObject({
    amount: p.integer.optional(),
    currency: p.text.optional(),
    customer: p.text,
    description: p.text.optional(),
    invoice: p.text.optional(),
    metadata: p.metadata.optional(),
    pricing: z.strictObject({ price: p.text }).optional(),
    quantity: p.integer.optional(),
    subscription: p.text.optional(),
    expand: p.expand,
  });
  router.on('POST', path, create, (params) => {
    const customer = customerOf(account, params.customer, 'customer');
    const price =
      params.pricing === undefined ? null : priceOf(account, params.pricing.price, 'pricing[price]');
    const quantity = params.quantity ?? 1;
    if (price === null && params.amount === undefined) {
      throw invalidRequest('Missing required param: amount.', { code: 'parameter_missing', param: 'amount' });
    }
    const item: InvoiceItem = {
      id: account.ids.next('ii'),
      object: 'invoiceitem',
      amount: params.amount ?? Math.round(Number(price?.unit_amount_decimal ?? 0) * quantity),
      currency: params.currency ?? price?.currency ?? customer.currency ?? 'usd',
      customer: customer.id,
      customer_account: null,
      date: account.now,
      description: params.description ?? null,
      discountable: true,
      discounts: [],
      invoice: null,
      livemode: false,
      metadata: params.metadata ?? {},
      parent:
        params.subscription === undefined
          ? null
          : { subscription_details: { subscription: params.subscription }, type: 'subscription_details' },
      period: { start: account.now, end: account.now },
      pricing:
        price === null
          ? null
          : {
              price_details: { price: price.id, product: price.product },
              type: 'price_details',
              unit_amount_decimal: price.unit_amount_decimal,
            },
      proration: false,
      quantity,
      quantity_decimal: String(quantity),
      tax_rates: [],
      test_clock: customer.test_clock ?? null,
    };
    account.add(invoiceItems, item, 'invoiceitem.created');
    return params.invoice === undefined ? item : putOn(account, item, params.invoice);
  });
  const list = z.strictObject({
    ...p.cursor,
    created: p.range,
    customer: p.text.optional(),
    invoice: p.text.optional(),
    pending: p.boolean.optional(),
  });
  router.on('GET', path, list, (params) =>
    listOf(path, invoiceItems, params, {
      by: params.customer === undefined ? undefined : ['customer', params.customer],
      where: (row) =>
        (params.invoice === undefined || row.invoice === params.invoice) &&
        (params.pending === undefined || (row.invoice === null) === params.pending) &&
        p.isWithin(params.created, row.date),
    }),
  );
  router.on('GET', `${path}/:id`, z.strictObject({ expand: p.expand }), (_, { id }) => itemOf(account, id));
  router.on('DELETE', `${path}/:id`, z.strictObject({}), (_, { id }) => {
    const item = itemOf(account, id);
    if (item.invoice !== null)
      throw invalidRequest('This invoice item is on an invoice and cannot be deleted.');
    invoiceItems.remove(id);
    account.emit('invoiceitem.deleted', item);
    return { id, object: 'invoiceitem', deleted: true };
  });
}

function itemOf(account: Account, id: string): InvoiceItem {
  const item = account.invoiceItems.find(id);
  if (item === undefined) throw resourceMissing('invoiceitem', id);
  return item;
}

/** @throws ApiError 400 when the invoice is no draft any more */
function putOn(account: Account, item: InvoiceItem, id: string): InvoiceItem {
  const draft = invoiceOf(account, id, 'invoice');
  if (draft.status !== 'draft') {
    throw invalidRequest('This invoice is no longer editable', {
      code: 'invoice_not_editable',
      param: 'invoice',
    });
  }
  const lines = [
    ...(account.invoiceLines.get(id) ?? []),
    ...linesOf(account, id, [lineOfInvoiceItem(account, item)]),
  ];
  account.invoiceLines.set(id, lines);
  account.change(account.invoices, id, totalsOf(draft, lines), 'invoice.updated');
  return account.change(account.invoiceItems, item.id, { invoice: id });
}
