import type { PendingPaymentReason } from './entitlement.js';
import type { CheckoutObservation, Observation } from './facts.js';
import type { Invoice } from './invoices.js';
import { compareText } from './order.js';
import { isCheckoutUnpaid, type PaymentGate } from './payment-gate.js';
import { planItem } from './plan-item.js';
import { rankOf } from './plan-periods.js';
import type { NamedPlan, PriceBook } from './price-book.js';

/** A higher plan that a subscription asked for and has not paid yet. `since` is the Unix second of its first observation. */
export interface Awaited {
  readonly plan: NamedPlan;
  readonly price: string;
  readonly since: number;
  readonly invoice: string | null;
  readonly reason: PendingPaymentReason;
}

interface AwaitedFacts {
  readonly ordered: readonly Observation[];
  readonly book: PriceBook;
  readonly paymentGate: PaymentGate;
  readonly invoices: readonly Invoice[];
  readonly checkouts: readonly CheckoutObservation[];
}

type AwaitedPrice = Pick<Awaited, 'plan' | 'price' | 'since'>;

/**
 * What a subscription waits to be paid for (DESIGN 8): the plan of its newest plan period while that waits, or of a
 * `pending_update` above the settled plan; the higher of the two.
 */
export function awaitedPayment(facts: AwaitedFacts): Awaited | null {
  const { ordered, book, paymentGate: settlement, invoices } = facts;
  const { newest, settled, newestWaits } = settlement;
  const period: AwaitedPrice | null =
    newestWaits && newest?.of != null && newest.since !== null
      ? { plan: newest.of.plan, price: newest.of.item.price, since: newest.since }
      : null;
  const settledRank = settled === null ? Number.NEGATIVE_INFINITY : rankOf(settled);
  const update = pendingUpdateOf(ordered, book);
  const isHigher =
    update !== null &&
    update.plan.plan.rank > settledRank &&
    (period === null || update.plan.plan.rank > period.plan.plan.rank);
  const awaited = isHigher ? update : period;
  if (awaited === null) return null;
  const invoice = openInvoiceFor(invoices, awaited.price);
  return { ...awaited, invoice: invoice?.data.invoice ?? null, reason: reasonFor(facts, invoice) };
}

/** Why the money is not there, the first that fits. */
function reasonFor(
  { ordered, paymentGate: settlement, checkouts }: AwaitedFacts,
  invoice: Invoice | null,
): PendingPaymentReason {
  if (settlement.firstWaits && isCheckoutUnpaid(checkouts)) return 'bank_debit';
  if (ordered.at(-1)?.data.collectionMethod === 'send_invoice') return 'sent_invoice';
  if (invoice === null) return 'no_invoice';
  return invoice.paymentFailures.length > 0 ? 'invoice_failed' : 'invoice_open';
}

/** The plan that a change held back by Stripe names, with the second it was first named without a break. */
function pendingUpdateOf(ordered: readonly Observation[], book: PriceBook): AwaitedPrice | null {
  const newest = ordered.at(-1);
  const pending = planItem(newest?.data.pendingUpdate?.items ?? [], book);
  if (newest === undefined || pending === null) return null;
  const { price } = pending.item;
  const lastWithout = ordered.findLastIndex(
    ({ data }) => !(data.pendingUpdate?.items ?? []).some((item) => item.price === price),
  );
  return { plan: pending.plan, price, since: ordered[lastWithout + 1]?.created ?? newest.created };
}

/** The open invoice with a line of that price; of several the one created last, then of greatest id. */
function openInvoiceFor(invoices: readonly Invoice[], price: string): Invoice | null {
  const [newest] = invoices
    .filter(({ data }) => data.status === 'open' && data.lines.some((line) => line.price === price))
    .sort((a, b) => b.data.created - a.data.created || compareText(b.data.invoice, a.data.invoice));
  return newest ?? null;
}
