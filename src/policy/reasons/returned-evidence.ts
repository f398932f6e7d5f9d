import type { Returned, ReturnedInvoices, ReturnedPayment } from '../taken-back.js';
import { rfc3339 } from '../time.js';
import { type Evidence, eventsOf, type Facts, timeOf } from './reason.js';

/** Invoices of which something was refunded or disputed, taken back or not, with all that was told of their payments. */
export function returnedEvidence(returned: ReturnedInvoices): Evidence | null {
  if (returned.size === 0) return null;
  const all = [...returned.values()];
  return {
    facts: Object.fromEntries(all.map((each) => [each.invoice.data.invoice, factsOf(each)])),
    events: all.flatMap(({ invoice, payments }) => [
      ...eventsOf(invoice.told),
      ...payments.flatMap(({ payment }) => eventsOf(...payment.told, ...payment.namedBy)),
    ]),
  };
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
    by: rule,
    dispute: dispute?.data.dispute ?? null,
    status: dispute?.data.status ?? null,
  };
}
