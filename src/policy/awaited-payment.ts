import type { PendingPaymentReason } from './entitlement.js';
import type { CheckoutObservation, InvoiceObservation, Observation, PaymentObservation } from './facts.js';
import type { Invoice } from './invoices.js';
import { compareText } from './order.js';
import { type PaymentGate, unpaidCheckout } from './payment-gate.js';
import { planItem } from './plan-item.js';
import { rankOf } from './plan-periods.js';
import type { NamedPlan, PriceBook } from './price-book.js';
import { decisiveOf, type Returned, type ReturnedInvoices } from './taken-back.js';

/**
 * A higher plan that a subscription asked for and has not paid yet, by a plan period or a `pending_update`. `since` is its
 * first observation, `invoice` an open one for it. `told` is what the reason follows from.
 */
export interface Awaited {
  readonly plan: NamedPlan;
  readonly price: string;
  readonly by: 'plan_period' | 'pending_update';
  readonly since: Observation;
  readonly invoice: Invoice | null;
  readonly reason: PendingPaymentReason;
  readonly told: CheckoutObservation | Observation | InvoiceObservation | PaymentObservation | null;
  /** The invoice for it that was taken back, where one was. */
  readonly returned: Returned | null;
}

interface AwaitedFacts {
  readonly ordered: readonly Observation[];
  readonly book: PriceBook;
  readonly paymentGate: PaymentGate;
  readonly invoices: readonly Invoice[];
  readonly returned: ReturnedInvoices;
  readonly checkouts: readonly CheckoutObservation[];
}

type AwaitedPrice = Pick<Awaited, 'plan' | 'price' | 'by' | 'since'>;

/**
 * What a subscription waits to be paid for (DESIGN 8): the plan of its newest plan period while that waits, or of a
 * `pending_update` above the settled plan; the higher of the two.
 */
export function awaitedPayment(facts: AwaitedFacts): Awaited | null {
  const { ordered, book, paymentGate: settlement, invoices } = facts;
  const { newest, settled, newestWaits } = settlement;
  const period: AwaitedPrice | null =
    newestWaits && newest?.of != null && newest.seen !== null
      ? { plan: newest.of.plan, price: newest.of.item.price, by: 'plan_period', since: newest.seen }
      : null;
  const settledRank = settled === null ? Number.NEGATIVE_INFINITY : rankOf(settled.period);
  const update = pendingUpdateOf(ordered, book);
  const isHigher =
    update !== null &&
    update.plan.plan.rank > settledRank &&
    (period === null || update.plan.plan.rank > period.plan.plan.rank);
  const awaited = isHigher ? update : period;
  if (awaited === null) return null;
  const invoice = openInvoiceFor(invoices, awaited.price);
  const returned = takenBackFor(facts.returned, awaited.price);
  const because =
    returned === null
      ? reasonFor(facts, invoice)
      : ({ reason: 'taken_back', told: decisiveOf(returned) } as const);
  return { ...awaited, invoice, returned, ...because };
}

/** The invoice with a line of that price that was taken back; of several the one created last, then of greatest id. */
function takenBackFor(all: ReturnedInvoices, price: string): Returned | null {
  const [newest] = [...all.values()]
    .filter(({ rule, invoice }) => rule !== null && invoice.data.lines.some((line) => line.price === price))
    .sort((a, b) => compareNewest(a.invoice, b.invoice));
  return newest ?? null;
}

/** Why the money is not there, the first that fits where nothing was taken back. */
function reasonFor(
  { ordered, paymentGate: settlement, checkouts }: AwaitedFacts,
  invoice: Invoice | null,
): Pick<Awaited, 'reason' | 'told'> {
  const checkout = settlement.firstWaits ? unpaidCheckout(checkouts) : null;
  if (checkout !== null) return { reason: 'bank_debit', told: checkout };
  const newest = ordered.at(-1) ?? null;
  if (newest?.data.collectionMethod === 'send_invoice') return { reason: 'sent_invoice', told: newest };
  if (invoice === null) return { reason: 'no_invoice', told: null };
  const failure = invoice.paymentFailures[0];
  return failure === undefined
    ? { reason: 'invoice_open', told: invoice.told }
    : { reason: 'invoice_failed', told: failure };
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
  return { plan: pending.plan, price, by: 'pending_update', since: ordered[lastWithout + 1] ?? newest };
}

/** The open invoice with a line of that price; of several the one created last, then of greatest id. */
function openInvoiceFor(invoices: readonly Invoice[], price: string): Invoice | null {
  const [newest] = invoices
    .filter(({ data }) => data.status === 'open' && data.lines.some((line) => line.price === price))
    .sort(compareNewest);
  return newest ?? null;
}

/** The invoice created last first, then that of greatest id. */
function compareNewest(a: Invoice, b: Invoice): number {
  return b.data.created - a.data.created || compareText(b.data.invoice, a.data.invoice);
}
