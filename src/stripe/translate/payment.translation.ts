import type { DomainEvent } from '../../events/event-types.js';
import type { PaymentEventType, PaymentRetrievedData } from '../../events/payment.events.js';
import { field, id, idOf, type JsonObject, text, whole } from './read-json.js';

/** Why an event of a handled type about a payment is left alone. */
export type IgnoredPayment = 'no_payment' | 'refund_not_failed';

/** An event about a payment, and what its stream is called; or why there is none. */
export type ReadPayment<Type extends PaymentEventType = PaymentEventType> =
  | { readonly payment: string; readonly event: Extract<DomainEvent, { type: Type }> }
  | { readonly ignored: IgnoredPayment }
  | { readonly problems: readonly string[] };

/** How the objects of each Stripe type about a payment are read. */
const READERS = {
  'invoice_payment.paid': readAttachment,
  'charge.refunded': readRefundedCharge,
  'refund.failed': readFailedRefund,
  'refund.updated': readFailedRefund,
  'charge.refund.updated': readFailedRefund,
  'charge.dispute.created': (value: JsonObject) => readDispute('PaymentDisputed', value),
  'charge.dispute.updated': (value: JsonObject) => readDispute('PaymentDisputed', value),
  'charge.dispute.funds_withdrawn': (value: JsonObject) => readDispute('PaymentDisputed', value),
  'charge.dispute.funds_reinstated': (value: JsonObject) => readDispute('PaymentDisputed', value),
  'charge.dispute.closed': (value: JsonObject) => readDispute('DisputeClosed', value),
  'radar.early_fraud_warning.created': readWarning,
  'radar.early_fraud_warning.updated': readWarning,
} as const satisfies Readonly<Record<string, (value: JsonObject) => ReadPayment>>;

/** Stripe types whose events are about a payment. */
export const PAYMENT_TYPES: ReadonlyMap<string, (value: JsonObject) => ReadPayment> = new Map(
  Object.entries(READERS),
);

/** What Stripe's API shows of a payment, and what its stream is called; or why nothing is recorded of it. */
export type ShownPayment =
  | { readonly payment: string; readonly data: PaymentRetrievedData }
  | Exclude<ReadPayment, { event: unknown }>;

/** Kinds of objects about a payment. */
export type PaymentRetrievedKind = Exclude<PaymentRetrievedData['object'], 'none'>;

/** Reads an object about a payment as Stripe's API shows it, as the one that a webhook brings. An invoice payment that is not paid is of no payment. */
export function readShownPayment(object: PaymentRetrievedKind, value: JsonObject): ShownPayment {
  switch (object) {
    case 'invoice_payment': {
      if (value.status !== 'paid') return { ignored: 'no_payment' };
      const read = readAttachment(value);
      return 'event' in read ? { payment: read.payment, data: { object, ...read.event.data } } : read;
    }
    case 'charge': {
      const read = readRefundedCharge(value);
      return 'event' in read ? { payment: read.payment, data: { object, ...read.event.data } } : read;
    }
    case 'dispute': {
      const read = readDispute('PaymentDisputed', value);
      return 'event' in read ? { payment: read.payment, data: { object, ...read.event.data } } : read;
    }
    case 'early_fraud_warning': {
      const read = readWarning(value);
      return 'event' in read ? { payment: read.payment, data: { object, ...read.event.data } } : read;
    }
  }
}

/** States of a refund of which the money does not go back (Stripe: Refund `status`). */
const NOT_REFUNDED: ReadonlySet<string> = new Set(['failed', 'canceled']);

/** What a payment is called by an object about it. */
interface Names {
  readonly payment: string;
  readonly paymentIntent: string | null;
  readonly charge: string | null;
  readonly invoice: string | null;
}

/** What an object about a charge calls it; `null` where it names no payment. Its charge, and its intent, may be expanded. */
function namesIn(value: JsonObject, charge: string | null): Names | null {
  const paymentIntent = idOf(value.payment_intent) ?? idOf(field(value.charge, 'payment_intent'));
  const payment = paymentIntent ?? charge;
  if (payment === null) return null;
  const invoice =
    idOf(value.invoice) ??
    idOf(field(value.charge, 'invoice')) ??
    idOf(field(value.payment_intent, 'invoice'));
  return { payment, paymentIntent, charge, invoice };
}

/** Reads an invoice payment (Stripe: Invoice Payment, since 2025-03-31). */
function readAttachment(value: JsonObject): ReadPayment<'PaymentAttachedToInvoice'> {
  const invoicePayment = id(value.id);
  const invoice = idOf(value.invoice);
  if (invoicePayment === null || invoice === null) {
    return { problems: missing({ 'data.object.id': invoicePayment, 'data.object.invoice': invoice }) };
  }
  const by = value.payment;
  const paymentIntent = idOf(field(by, 'payment_intent')) ?? idOf(field(by, 'charge', 'payment_intent'));
  const charge = idOf(field(by, 'charge'));
  const paymentRecord = idOf(field(by, 'payment_record'));
  const payment = paymentIntent ?? charge ?? paymentRecord;
  if (payment === null) return { ignored: 'no_payment' };
  const data = {
    payment,
    paymentIntent,
    charge,
    invoice,
    invoicePayment,
    paymentRecord,
    status: text(value.status),
    amountPaid: whole(value.amount_paid),
    currency: text(value.currency),
  };
  return { payment, event: { type: 'PaymentAttachedToInvoice', data } };
}

function readRefundedCharge(value: JsonObject): ReadPayment<'PaymentRefunded'> {
  const charge = id(value.id);
  const names = charge === null ? null : namesIn(value, charge);
  if (charge === null || names === null) return { problems: missing({ 'data.object.id': charge }) };
  const data = {
    ...names,
    charge,
    amount: whole(value.amount),
    amountRefunded: whole(value.amount_refunded),
    refunded: value.refunded === true,
    currency: text(value.currency),
  };
  return { payment: names.payment, event: { type: 'PaymentRefunded', data } };
}

/** A refund of which all goes well says nothing that its charge does not say. */
function readFailedRefund(value: JsonObject): ReadPayment {
  const refund = id(value.id);
  const status = text(value.status);
  if (refund === null || status === null || status === '') {
    return { problems: missing({ 'data.object.id': refund, 'data.object.status': status || null }) };
  }
  if (!NOT_REFUNDED.has(status)) return { ignored: 'refund_not_failed' };
  const names = namesIn(value, idOf(value.charge));
  if (names === null) return { ignored: 'no_payment' };
  const data = {
    ...names,
    refund,
    status,
    failureReason: text(value.failure_reason),
    amount: whole(value.amount),
    currency: text(value.currency),
  };
  return { payment: names.payment, event: { type: 'PaymentRefundFailed', data } };
}

function readDispute(
  type: 'PaymentDisputed' | 'DisputeClosed',
  value: JsonObject,
): ReadPayment<'PaymentDisputed' | 'DisputeClosed'> {
  const dispute = id(value.id);
  const status = text(value.status);
  const names = namesIn(value, idOf(value.charge));
  if (dispute === null || status === null || status === '' || names === null) {
    return {
      problems: missing({
        'data.object.id': dispute,
        'data.object.status': status || null,
        'data.object.charge': names?.payment ?? null,
      }),
    };
  }
  const data = {
    ...names,
    dispute,
    status,
    caseType: text(field(value, 'payment_method_details', 'card', 'case_type')),
    reason: text(value.reason),
    amount: whole(value.amount),
    currency: text(value.currency),
  };
  return { payment: names.payment, event: { type, data } };
}

function readWarning(value: JsonObject): ReadPayment<'PaymentWarned'> {
  const warning = id(value.id);
  const names = namesIn(value, idOf(value.charge));
  if (warning === null || names === null) {
    return {
      problems: missing({ 'data.object.id': warning, 'data.object.charge': names?.payment ?? null }),
    };
  }
  const data = {
    ...names,
    warning,
    fraudType: text(value.fraud_type),
    actionable: value.actionable === true,
  };
  return { payment: names.payment, event: { type: 'PaymentWarned', data } };
}

/** Names the fields that identify an object and are not there. */
function missing(fields: Readonly<Record<string, string | null>>): readonly string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const kind = name.endsWith('.status') ? 'a string' : 'an id';
    return value === null ? [`${name} must be ${kind}`] : [];
  });
}
