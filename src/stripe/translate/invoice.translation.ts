import {
  type CustomerInvoiceObservationData,
  type InvoiceLine,
  type InvoiceObservationData,
  subscriptionsOfLines,
} from '../../events/invoice.events.js';
import {
  createdSecond,
  field,
  finite,
  id,
  idOf,
  items,
  type JsonObject,
  lineQuantityOf,
  object,
  seconds,
  text,
  whole,
} from './read-json.js';

/** Whose stream an invoice is recorded on: the subscription it is of, or the customer whose subscriptions its lines name. */
export type ReadInvoice =
  | { readonly of: 'subscription'; readonly data: InvoiceObservationData }
  | { readonly of: 'customer'; readonly data: CustomerInvoiceObservationData };

/**
 * Reads a Stripe invoice of any API version. `no_subscription` when neither it nor a line of it is of one; problems name
 * what identifies it and is missing. `eventCreated` stands in for an invoice without a second of its own.
 * @throws OutOfRangeError
 */
export function readInvoice(
  value: JsonObject,
  eventCreated: number,
): ReadInvoice | 'no_subscription' | { readonly problems: readonly string[] } {
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
  const customer = idOf(value.customer);
  const data = {
    invoice,
    status,
    created: createdSecond(value.created, 'data.object.created') ?? eventCreated,
    billingReason: text(value.billing_reason),
    collectionMethod: text(value.collection_method),
    attemptCount: whole(value.attempt_count) ?? 0,
    uncollectibleReason: text(field(value, 'status_details', 'uncollectible', 'reason')),
    paymentIntent: idOf(value.payment_intent),
    charge: idOf(value.charge),
    currency: text(value.currency),
    total: finite(value.total),
    amountDue: finite(value.amount_due),
    amountPaid: finite(value.amount_paid),
    lines: items(field(value, 'lines', 'data')).map(readLine),
    linesTruncated: field(value, 'lines', 'has_more') === true,
  };
  if (subscription !== null) return { of: 'subscription', data: { ...data, subscription, customer } };
  if (subscriptionsOfLines(data).length === 0) return 'no_subscription';
  if (customer === null) return { problems: ['data.object.customer must be an id'] };
  return { of: 'customer', data: { ...data, customer } };
}

/** Lists of a line that name what it was reduced by, whatever that took. */
const LISTED = ['discounts', 'discount_amounts', 'pretax_credit_amounts'];

/** A line; its price is an id or an object, in old versions `plan`, since 2025-03-31 in `pricing`. */
function readLine(line: unknown, index: number): InvoiceLine {
  const at = `data.object.lines.data.${index}`;
  const price = field(line, 'price');
  const details = field(line, 'pricing', 'price_details');
  return {
    id: id(field(line, 'id')),
    price: idOf(price) ?? idOf(field(details, 'price')) ?? idOf(field(line, 'plan')),
    product:
      idOf(field(price, 'product')) ??
      idOf(field(details, 'product')) ??
      idOf(field(line, 'plan', 'product')),
    subscription: idOf(field(line, 'subscription')) ?? idOf(field(parentOfLine(line), 'subscription')),
    billingScheme: text(field(price, 'billing_scheme')) ?? text(field(line, 'plan', 'billing_scheme')),
    amount: finite(field(line, 'amount')) ?? 0,
    subtotal: finite(field(line, 'subtotal')),
    discounts: sum(field(line, 'discount_amounts')),
    credits: sum(field(line, 'pretax_credit_amounts')),
    reduced: LISTED.some((list) => items(field(line, list)).length > 0),
    proration: (field(line, 'proration') ?? field(parentOfLine(line), 'proration')) === true,
    quantity: lineQuantityOf(field(line, 'quantity'), `${at}.quantity`),
    periodStart: seconds(field(line, 'period', 'start'), `${at}.period.start`),
    periodEnd: seconds(field(line, 'period', 'end'), `${at}.period.end`),
  };
}

/** What a line says of where it comes from, since 2025-03-31: an item of a subscription, or one of the invoice. */
function parentOfLine(line: unknown): unknown {
  return (
    object(field(line, 'parent', 'subscription_item_details')) ??
    object(field(line, 'parent', 'invoice_item_details'))
  );
}

/** Amounts are whole minor units; what is none counts nothing, so no sum leaves the numbers JSON has. */
function sum(list: unknown): number {
  return items(list).reduce<number>((total, entry) => total + (whole(field(entry, 'amount')) ?? 0), 0);
}
