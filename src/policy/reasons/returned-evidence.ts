import type { Returned, ReturnedInvoices, ReturnedPayment } from '../taken-back.js';
import { rfc3339 } from '../time.js';
import { type Evidence, eventsOf, type Facts, type Reason, reasonOf, timeOf } from './reason.js';

/** Invoices of which something was refunded or disputed, taken back or not, with all that was told of their payments. */
export function returnedEvidence(returned: ReturnedInvoices): Evidence | null {
  if (returned.size === 0) return null;
  const all = [...returned.values()];
  return {
    facts: Object.fromEntries(all.map((each) => [each.invoice.data.invoice, factsOf(each)])),
    events: all.flatMap(toldOf),
  };
}

/** Why each invoice of which something was refunded or disputed is taken back or stays paid, each once. */
export function returnedReasons(all: readonly ReturnedInvoices[]): readonly Reason[] {
  const byId = new Map(all.flatMap((returned) => [...returned]));
  return [...byId].flatMap(([id, returned]) => {
    const code = returned.rule === null ? returned.kept : (`invoice_${returned.rule}` as const);
    if (code === null) return [];
    const facts = { ...factsOf(returned), invoice: id, ...decidedBy(returned) };
    return [reasonOf(`invoice:${id}`, code, { facts, events: toldOf(returned) })];
  });
}

/** The dispute that decided, and of how much; `null` where a refund did. */
function decidedBy({ payments, rule, kept }: Returned): Facts {
  const back = payments.map((each) => each.back);
  const disputes =
    kept === 'dispute_takes_nothing'
      ? back.flatMap(({ harmless }) => harmless)
      : rule === 'refunded_in_full'
        ? []
        : back.flatMap((each) => each.disputes);
  const [dispute] = disputes;
  const [of] = back.filter((each) => each.disputes.some((one) => one === dispute));
  return {
    dispute: dispute?.data.dispute ?? null,
    status: dispute?.data.status ?? null,
    askedBack: of?.asked ?? null,
    paid: of?.paid ?? null,
  };
}

function toldOf({ invoice, payments }: Returned): readonly string[] {
  return [
    ...eventsOf(invoice.told),
    ...payments.flatMap(({ payment }) => eventsOf(...payment.told, ...payment.namedBy)),
  ];
}

function factsOf({ invoice, rule, payments }: Returned): Facts {
  return {
    takenBackBy: rule,
    on: rfc3339(invoice.data.created),
    toldAt: timeOf(invoice.told),
    amountDue: invoice.data.amountDue,
    total: invoice.data.total,
    payments: payments.map(paymentFacts),
  };
}

/** What was told of a payment, and what of it went back. */
export function paymentFacts({ payment, back }: ReturnedPayment): Facts {
  return {
    ids: payment.ids,
    disputes: back.disputes.map(({ data }) => ({
      dispute: data.dispute,
      status: data.status,
      amount: data.amount,
      currency: data.currency,
    })),
    askedBack: back.asked,
    paid: back.paid,
    refundedInFull: back.isRefunded,
    told: payment.told.map((each) => ({ event: each.type, at: timeOf(each) })),
    namedAt: payment.namedBy.map(timeOf),
  };
}

/** What a rule that took an invoice back says of it; the dispute is the one that decided. */
export function takenBackFacts({ invoice, rule, payments }: Returned): Facts {
  const [dispute] = rule === 'disputed' ? payments.flatMap(({ back }) => back.disputes) : [];
  return {
    invoice: invoice.data.invoice,
    on: rfc3339(invoice.data.created),
    toldAt: rfc3339(invoice.told.created),
    by: rule,
    dispute: dispute?.data.dispute ?? null,
    status: dispute?.data.status ?? null,
  };
}
