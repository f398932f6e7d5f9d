import type { PaidBy, PaidLine } from '../paid-line.js';
import type { Settlement } from '../payment-gate.js';
import type { Payments } from '../payments.js';
import type { PlanPeriod } from '../plan-periods.js';
import type { PriceBook } from '../price-book.js';
import { rfc3339 } from '../time.js';
import { type Evidence, eventsOf, timeOf } from './reason.js';

/** What is known of a plan period, and the events that tell of it. */
export function periodEvidence(
  { of, from, told, seen, before, asking }: PlanPeriod,
  book: PriceBook,
): Evidence {
  const price = of?.item.price ?? null;
  const reading = price === null ? null : book.readingOf(price);
  return {
    facts: {
      plan: of?.plan.name ?? null,
      price,
      since: timeOf(seen ?? told),
      from: timeOf(from),
      toldOf: timeOf(told),
      lastBefore: timeOf(before),
      asksAt: timeOf(asking),
      pricedBy: reading?.by ?? null,
      pricedAt: timeOf(reading?.shown),
    },
    events: eventsOf(from, told, seen, before, asking, reading?.shown),
  };
}

/** Rules by which a later plan period is settled without a payment: only where the first one does not wait for its own. */
const UNPAID: ReadonlySet<Settlement['rule']> = new Set([
  'payment_not_required',
  'in_trial',
  'asks_nothing_in_advance',
  'ranks_no_higher',
  'not_invoiced',
]);

/**
 * Why a plan period is settled: what it follows from, after which other where that is so, and how the first one was settled
 * where that had to be paid for.
 */
export function settlementEvidence(
  settlement: Settlement,
  ofFirst: Settlement | null,
  book: PriceBook,
): Evidence {
  const { period, rule, after, previous, ...by } = settlement;
  const own = periodEvidence(period, book);
  const earlier = after === null ? null : settlementEvidence(after, null, book);
  const isUnpaid = UNPAID.has(rule) && ofFirst !== null && ofFirst.rule !== 'first_period';
  const first = isUnpaid ? settlementEvidence(ofFirst, null, book) : null;
  const paid = by.line === null ? null : lineEvidence(by.line, book);
  const moved = previous === null ? null : periodEvidence(previous, book);
  return {
    facts: {
      ...own.facts,
      rule,
      trialed: timeOf(rule === 'in_trial' ? period.trialed : null),
      paid: paid?.facts ?? null,
      session: by.checkout?.data.session ?? null,
      sessionAt: timeOf(by.checkout),
      after: earlier?.facts ?? null,
      movedFrom: moved?.facts ?? null,
      first: first?.facts ?? null,
    },
    events: [
      ...own.events,
      ...eventsOf(rule === 'in_trial' ? period.trialed : null, by.checkout),
      ...(paid?.events ?? []),
      ...(earlier?.events ?? []),
      ...(moved?.events ?? []),
      ...(first?.events ?? []),
    ],
  };
}

/** The line of an invoice that paid for something, and what shows what its price is of. */
export function lineEvidence(line: PaidLine, book: PriceBook): Evidence {
  const { facts, events } = paidByEvidence(line, book);
  const { price, units, end } = line;
  return { facts: { ...facts, price, units, until: Number.isFinite(end) ? rfc3339(end) : null }, events };
}

/** An invoice that pays, and what was observed by which it does. */
export function paidByEvidence(paid: PaidBy, book: PriceBook): Evidence {
  const { invoice, price, outOfTrial, held, periodFrom } = paid;
  const shown = price === null ? [] : [book.readingOf(price)?.shown ?? null, book.tieredBy(price)];
  return {
    facts: {
      invoice: invoice.data.invoice,
      on: rfc3339(invoice.data.created),
      toldAt: rfc3339(invoice.told.created),
      pricedAt: shown.map(timeOf),
      outOfTrialAt: timeOf(outOfTrial),
      heldAt: timeOf(held),
      periodShownAt: timeOf(periodFrom),
    },
    events: eventsOf(invoice.told, outOfTrial, held, periodFrom, ...shown),
  };
}

/** What does not pay by what was observed: what was passed over, and for what else invoices pay whose lines were cut. */
export function unpaidEvidence({ lines, passedOver }: Payments): Evidence {
  const cut = [...new Set(lines.flatMap(({ held, periodFrom }) => [held, periodFrom]))];
  return {
    facts: {
      cutInvoicesPaidFor: cut.flatMap((each) => timeOf(each) ?? []),
      passedOver: passedOver.map(({ invoice, seen }) => ({
        invoice: invoice.data.invoice,
        toldAt: timeOf(invoice.told),
        seenAt: timeOf(seen),
      })),
    },
    events: eventsOf(...cut, ...passedOver.flatMap(({ invoice, seen }) => [invoice.told, seen])),
  };
}

/** What keeps a plan period waiting: besides that nothing paid for it, what takes away that it still were paid for. */
export function waitingEvidence(period: PlanPeriod, book: PriceBook, payments: Payments): Evidence {
  const own = periodEvidence(period, book);
  const price = period.of?.item.price ?? null;
  const covered = payments.lines.some(
    (line) => line.price === price && line.start <= period.begin && line.end > period.begin,
  );
  const credit = price !== null && covered ? payments.takenBackBy(price) : null;
  const unpaid = unpaidEvidence(payments);
  return {
    facts: {
      ...own.facts,
      creditedBy: credit?.data.invoice ?? null,
      creditToldAt: timeOf(credit?.told),
      ...unpaid.facts,
    },
    events: [...own.events, ...eventsOf(credit?.told), ...unpaid.events],
  };
}
