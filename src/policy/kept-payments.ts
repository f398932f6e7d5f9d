import type { InvoiceObservation, Observation } from './facts.js';
import { isGrowing } from './growing-list.js';
import type { Invoice } from './invoices.js';
import { gatherPayments, type Payments } from './payments.js';
import type { PriceBook } from './price-book.js';
import type { ReturnedInvoices } from './taken-back.js';

/** Payments of fewer lines cost no more from scratch than what is kept of them would cost memory. */
const KEPT_FROM = 64;

/** Whether payments are as many as are kept, so that what is made of them is worth keeping with them. */
export function areMany({ lines }: Payments): boolean {
  return lines.length >= KEPT_FROM;
}

const kept = new WeakMap<
  readonly InvoiceObservation[],
  { readonly count: number; readonly returned: ReturnedInvoices; readonly payments: Payments }
>();

/**
 * What was paid for by `invoices`, which is what the growing list `told` makes, as `gatherPayments` finds it: kept while no
 * invoice was told of since, and what else it rests on is as it was. `returned` are those that were taken back.
 */
export function paymentsOf(
  told: readonly InvoiceObservation[],
  invoices: readonly Invoice[],
  returned: ReturnedInvoices,
  ordered: readonly Observation[],
  book: PriceBook,
): Payments {
  const before = kept.get(told);
  if (before?.count === told.length && before.returned === returned && isReadAlike(before.payments, book))
    return before.payments;
  const payments = gatherPayments(invoices, returned, ordered, book);
  if (isGrowing(told) && areMany(payments) && !payments.restOn.observations) {
    kept.set(told, { count: told.length, returned, payments });
  } else if (before !== undefined) kept.delete(told);
  return payments;
}

/** What a line takes in payments that are kept and in what is made of them; bytes, measured: 580 to 720. */
const LINE_BYTES = 650;

/** Bytes of what is kept of the payments of a list of invoices. */
export function keptPaymentBytes(told: readonly InvoiceObservation[]): number {
  return (kept.get(told)?.payments.lines.length ?? 0) * LINE_BYTES;
}

function isReadAlike({ restOn }: Payments, book: PriceBook): boolean {
  return [...restOn.tiered].every(([price, answer]) => book.isTiered(price) === answer);
}
