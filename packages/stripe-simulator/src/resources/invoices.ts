import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { totalsOf } from '../billing/invoice-object.js';
import { attemptPayment, intentOfInvoice } from '../billing/invoice-payments.js';
import {
  createInvoice,
  finalizeInvoice,
  markUncollectible,
  pendingItems,
  settleInvoice,
  voidInvoice,
} from '../billing/invoicing.js';
import { declined } from '../declined.js';
import { listOf, pageOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Invoice } from '../types.js';
import { customerOf } from './customers.js';
import { subscriptionOf } from './subscriptions.js';

const one = z.strictObject({ expand: p.expand });

/** `/v1/invoices`: what was asked for and paid, with all lines at `/v1/invoices/:id/lines`. */
export function invoiceRoutes(router: Router, account: Account): void {
  const { invoices } = account;
  const create = z.strictObject({
    customer: p.text,
    subscription: p.text.optional(),
    auto_advance: p.boolean.optional(),
    collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
    currency: p.text.optional(),
    days_until_due: p.integer.optional(),
    default_payment_method: p.text.optional(),
    description: p.text.optional(),
    metadata: p.metadata.optional(),
    pending_invoice_items_behavior: z.enum(['include', 'exclude']).optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/invoices', create, (params) => {
    const customer = customerOf(account, params.customer, 'customer');
    const subscription =
      params.subscription === undefined ? null : subscriptionOf(account, params.subscription, 'subscription');
    const takes = params.pending_invoice_items_behavior === 'include' || subscription !== null;
    return createInvoice(account, {
      customer,
      subscription,
      reason: subscription === null ? 'manual' : 'subscription_update',
      currency: params.currency ?? subscription?.currency ?? customer.currency ?? 'usd',
      period: { start: account.now, end: account.now },
      lines: [],
      autoAdvance: params.auto_advance ?? false,
      finalizes: params.auto_advance === true ? 'later' : 'when_told',
      pending: takes ? pendingItems(account, customer.id, subscription?.id ?? null) : [],
      collection: params.collection_method ?? 'charge_automatically',
      daysUntilDue: params.days_until_due ?? null,
      method: params.default_payment_method ?? null,
      description: params.description ?? null,
      metadata: params.metadata ?? {},
    });
  });
  const list = z.strictObject({
    ...p.cursor,
    collection_method: p.text.optional(),
    created: p.range,
    customer: p.text.optional(),
    due_date: p.range,
    status: z.enum(['draft', 'open', 'paid', 'uncollectible', 'void']).optional(),
    subscription: p.text.optional(),
  });
  router.on('GET', '/v1/invoices', list, (params) =>
    listOf('/v1/invoices', invoices, params, {
      by:
        params.subscription !== undefined
          ? ['subscription', params.subscription]
          : params.customer === undefined
            ? undefined
            : ['customer', params.customer],
      where: (row) =>
        (params.status === undefined || row.status === params.status) &&
        (params.customer === undefined || row.customer === params.customer) &&
        (params.collection_method === undefined || row.collection_method === params.collection_method) &&
        p.isWithin(params.created, row.created) &&
        (params.due_date === undefined || p.isWithin(params.due_date, row.due_date ?? -1)),
    }),
  );
  router.on('GET', '/v1/invoices/:id', one, (_, { id }) => invoiceOf(account, id));
  router.on('GET', '/v1/invoices/:id/lines', z.strictObject(p.cursor), (cursor, { id }) =>
    pageOf(`/v1/invoices/${id}/lines`, account.invoiceLines.get(invoiceOf(account, id).id) ?? [], cursor),
  );
  const update = z.strictObject({
    auto_advance: p.boolean.optional(),
    collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
    default_payment_method: p.emptyable(p.text).optional(),
    description: p.emptyable(p.text).optional(),
    metadata: p.emptyable(p.metadata).optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/invoices/:id', update, (params, { id }) => {
    const before = invoiceOf(account, id);
    const { metadata, expand: _, ...fields } = params;
    const merged = p.mergeMetadata(before.metadata ?? {}, metadata);
    const changes = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    return account.change(invoices, id, { ...changes, metadata: merged }, 'invoice.updated');
  });
  router.on('DELETE', '/v1/invoices/:id', z.strictObject({}), (_, { id }) => {
    const draft = invoiceOf(account, id);
    if (draft.status !== 'draft') throw invalidRequest('You can only delete draft invoices.');
    invoices.remove(id);
    account.emit('invoice.deleted', draft);
    return { id, object: 'invoice', deleted: true };
  });
  actionRoutes(router, account);
}

function actionRoutes(router: Router, account: Account): void {
  const finalize = z.strictObject({ auto_advance: p.ignored, expand: p.expand });
  router.on('POST', '/v1/invoices/:id/finalize', finalize, (_, { id }) =>
    finalizeInvoice(account, invoiceOf(account, id)),
  );
  const pay = z.strictObject({
    off_session: p.boolean.optional(),
    paid_out_of_band: p.boolean.optional(),
    payment_method: p.text.optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/invoices/:id/pay', pay, (params, { id }) => {
    const invoice = invoiceOf(account, id);
    const open = invoice.status === 'draft' ? finalizeInvoice(account, invoice) : invoice;
    if (open.status === 'paid' && invoice.status === 'draft') return open;
    if (open.status !== 'open' && open.status !== 'uncollectible') {
      throw invalidRequest(`Invoice is already ${open.status}`, {
        code: 'invoice_payment_intent_requires_action',
      });
    }
    return params.paid_out_of_band === true
      ? paidElsewhere(account, open)
      : paid(account, open, params.payment_method ?? null, params.off_session === true);
  });
  const send = z.strictObject({ expand: p.expand });
  router.on('POST', '/v1/invoices/:id/send', send, (_, { id }) => {
    const invoice = invoiceOf(account, id);
    const open = invoice.status === 'draft' ? finalizeInvoice(account, invoice) : invoice;
    account.emit('invoice.sent', open);
    return open;
  });
  router.on('POST', '/v1/invoices/:id/void', one, (_, { id }) =>
    voidInvoice(account, invoiceOf(account, id)),
  );
  router.on('POST', '/v1/invoices/:id/mark_uncollectible', one, (_, { id }) =>
    markUncollectible(account, invoiceOf(account, id), 'user'),
  );
  const addLines = z.strictObject({
    lines: z.array(z.strictObject({ amount: p.integer, description: p.text.optional() })),
    expand: p.expand,
  });
  router.on('POST', '/v1/invoices/:id/add_lines', addLines, ({ lines }, { id }) => {
    const draft = invoiceOf(account, id);
    if (draft.status !== 'draft') {
      throw invalidRequest('This invoice is no longer editable', { code: 'invoice_not_editable' });
    }
    const all = [
      ...(account.invoiceLines.get(id) ?? []),
      ...lines.map((line) => manualLine(account, draft, line)),
    ];
    account.invoiceLines.set(id, all);
    return account.change(account.invoices, id, totalsOf(draft, all), 'invoice.updated');
  });
}

function manualLine(
  account: Account,
  invoice: Invoice,
  { amount, description }: { readonly amount: number; readonly description?: string | undefined },
): Invoice['lines']['data'][number] {
  return {
    id: account.ids.next('il'),
    object: 'line_item',
    amount,
    currency: invoice.currency,
    description: description ?? null,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: invoice.id,
    livemode: false,
    metadata: {},
    parent: {
      invoice_item_details: {
        invoice_item: account.ids.next('ii'),
        proration: false,
        proration_details: null,
        subscription: null,
      },
      subscription_item_details: null,
      type: 'invoice_item_details',
    },
    period: { start: account.now, end: account.now },
    pretax_credit_amounts: [],
    pricing: null,
    quantity: 1,
    quantity_decimal: '1',
    subscription: null,
    subtotal: amount,
    taxes: [],
  };
}

/** @throws ApiError 404, or 400 where a parameter names it */
export function invoiceOf(account: Account, id: string, param = 'id'): Invoice {
  const invoice = account.invoices.find(id);
  if (invoice === undefined) throw resourceMissing('invoice', id, param);
  return invoice;
}

/** Paid by cash or transfer: no payment of Stripe's stands behind it. */
function paidElsewhere(account: Account, open: Invoice): Invoice {
  return settleInvoice(account, open, {
    attempted: true,
    amount_paid: open.amount_due,
    amount_paid_off_stripe: open.amount_due,
  });
}

/** @throws ApiError 402 when the payment is declined */
function paid(account: Account, open: Invoice, method: string | null, offSession: boolean): Invoice {
  const presence = offSession ? 'off_session' : 'on_session';
  const intent = attemptPayment(account, open, { presence, method });
  if (intent === null) {
    throw invalidRequest(
      'There is no `default_payment_method` set on this Customer or Invoice. Please set a `default_payment_method`.',
      {
        code: 'missing',
      },
    );
  }
  const now = intentOfInvoice(account, open) ?? intent;
  if (now.status === 'requires_payment_method') throw declined(now);
  return invoiceOf(account, open.id);
}
