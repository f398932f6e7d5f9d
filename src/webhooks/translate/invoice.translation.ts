import type { InvoiceLine, InvoiceObservationData } from '../../events/invoice.events.js';
import { field, finite, id, idOf, items, type JsonObject, text, whole } from './read-json.js';

/**
 * Reads a Stripe invoice of any API version. `no_subscription` when it is of none; problems name what identifies it
 * and is missing. `eventCreated` stands in for an invoice without a second of its own.
 */
export function readInvoice(
  value: JsonObject,
  eventCreated: number,
): InvoiceObservationData | 'no_subscription' | { readonly problems: readonly string[] } {
  const invoice = id(value.id);
  const status = text(value.status);
  if (invoice === null || status === null || status === '') {
    return {
      problems: [
        ...(invoice === null ? ['data.object.id must be an id'] : []),
        ...(status === null || status === '' ? ['data.object.status must be a string'] : []),
      ],
    };
  }
  const subscription =
    idOf(value.subscription) ?? idOf(field(value, 'parent', 'subscription_details', 'subscription'));
  if (subscription === null) return 'no_subscription';
  return {
    invoice,
    subscription,
    customer: idOf(value.customer),
    status,
    created: whole(value.created) ?? eventCreated,
    billingReason: text(value.billing_reason),
    collectionMethod: text(value.collection_method),
    attemptCount: whole(value.attempt_count) ?? 0,
    uncollectibleReason: text(field(value, 'status_details', 'uncollectible', 'reason')),
    currency: text(value.currency),
    total: finite(value.total),
    amountDue: finite(value.amount_due),
    amountPaid: finite(value.amount_paid),
    lines: items(field(value, 'lines', 'data')).map(readLine),
    linesTruncated: field(value, 'lines', 'has_more') === true,
  };
}

/** A line; its price is an id or an object, in old versions `plan`, since 2025-03-31 in `pricing`. */
function readLine(line: unknown): InvoiceLine {
  const price = field(line, 'price');
  const details = field(line, 'pricing', 'price_details');
  const item = field(line, 'parent', 'subscription_item_details');
  return {
    id: id(field(line, 'id')),
    price: idOf(price) ?? idOf(field(details, 'price')) ?? idOf(field(line, 'plan')),
    product:
      idOf(field(price, 'product')) ??
      idOf(field(details, 'product')) ??
      idOf(field(line, 'plan', 'product')),
    amount: finite(field(line, 'amount')) ?? 0,
    subtotal: finite(field(line, 'subtotal')),
    discounts: sum(field(line, 'discount_amounts')),
    credits: sum(field(line, 'pretax_credit_amounts')),
    proration: (field(line, 'proration') ?? field(item, 'proration') ?? prorationOfItem(line)) === true,
    quantity: finite(field(line, 'quantity')),
    periodStart: whole(field(line, 'period', 'start')),
    periodEnd: whole(field(line, 'period', 'end')),
  };
}

function prorationOfItem(line: unknown): unknown {
  return field(line, 'parent', 'invoice_item_details', 'proration');
}

/** Amounts are whole minor units; what is none counts nothing, so no sum leaves the numbers JSON has. */
function sum(list: unknown): number {
  return items(list).reduce<number>((total, entry) => total + (whole(field(entry, 'amount')) ?? 0), 0);
}
