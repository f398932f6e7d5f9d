import type { AccessPolicy } from '../events/catalog.events.js';
import type { InvoiceObservation, PaymentObservation } from './facts.js';
import { isGrowing } from './growing-list.js';
import type { Invoice } from './invoices.js';
import { joinPayments, type Payment } from './joined-payments.js';
import { isTakenBackByDispute, type MoneyBack, moneyBackOf } from './money-back.js';

/** What takes an invoice back: the rules of DESIGN 8 "Taken back". */
export type TakenBackRule = 'disputed' | 'refunded_in_full';

/** Why what was refunded or disputed of an invoice takes nothing. */
export type KeptRule =
  | 'dispute_takes_nothing'
  | 'dispute_kept'
  | 'part_asked_back'
  | 'refund_kept'
  | 'part_refunded';

/** A payment of an invoice, and what of it went back. */
export interface ReturnedPayment {
  readonly payment: Payment;
  readonly back: MoneyBack;
}

/**
 * An invoice of which something was refunded or disputed: all its payments, and the rule that took it back, or why none did;
 * neither where nothing but a dispute in a state that we do not know was seen.
 */
export interface Returned {
  readonly invoice: Invoice;
  readonly payments: readonly ReturnedPayment[];
  readonly rule: TakenBackRule | null;
  readonly kept: KeptRule | null;
}

/** Invoices of which something was refunded or disputed, by id. */
export type ReturnedInvoices = ReadonlyMap<string, Returned>;

export const NOTHING_RETURNED: ReturnedInvoices = new Map();

/** What is kept of growing lists of payments, and what it was made of. */
interface Kept {
  readonly paymentCount: number;
  readonly invoices: readonly InvoiceObservation[];
  readonly invoiceCount: number;
  readonly policy: Switches;
  readonly returned: ReturnedInvoices;
}

type Switches = Pick<AccessPolicy, 'dispute' | 'fullRefund'>;

const kept = new WeakMap<readonly PaymentObservation[], Kept>();

/**
 * Which invoices were taken back, and of which others something was. `told` is what was told of their payments, `invoices`
 * what the list `toldOfInvoices` makes. Of growing lists the answer is kept while they stay as they are.
 */
export function returnedInvoices(
  told: readonly PaymentObservation[],
  toldOfInvoices: readonly InvoiceObservation[],
  invoices: readonly Invoice[],
  { dispute, fullRefund }: Switches,
): ReturnedInvoices {
  if (told.length === 0 || (dispute === 'keep' && fullRefund === 'keep')) return NOTHING_RETURNED;
  const before = kept.get(told);
  if (
    before?.paymentCount === told.length &&
    before.invoices === toldOfInvoices &&
    before.invoiceCount === toldOfInvoices.length &&
    before.policy.dispute === dispute &&
    before.policy.fullRefund === fullRefund
  ) {
    return before.returned;
  }
  const policy = { dispute, fullRefund };
  const returned = findReturned(told, toldOfInvoices, invoices, policy);
  if (isGrowing(told) && isGrowing(toldOfInvoices)) {
    const counts = { paymentCount: told.length, invoiceCount: toldOfInvoices.length };
    kept.set(told, { ...counts, invoices: toldOfInvoices, policy, returned });
  }
  return returned;
}

/** What told last of what takes an invoice back; of several payments of the first by its ids. */
export function decisiveOf({ payments, rule }: Returned): PaymentObservation | null {
  for (const { back } of payments) {
    if (rule === 'refunded_in_full' && back.charge !== null) return back.charge;
    const [dispute] = back.disputes;
    if (rule === 'disputed' && dispute !== undefined && isTakenBackByDispute(back)) return dispute;
  }
  return null;
}

/** Whether an invoice was taken back, so that it counts as paid nowhere but for the choice of grace. */
export function isTakenBack(returned: ReturnedInvoices, { data }: Pick<Invoice, 'data'>): boolean {
  return (returned.get(data.invoice)?.rule ?? null) !== null;
}

function findReturned(
  told: readonly PaymentObservation[],
  toldOfInvoices: readonly InvoiceObservation[],
  invoices: readonly Invoice[],
  policy: Switches,
): ReturnedInvoices {
  const paymentsOf = joinPayments(told, toldOfInvoices);
  const found = new Map<string, Returned>();
  for (const invoice of invoices) {
    const payments = paymentsOf(invoice).map((payment) => ({ payment, back: moneyBackOf(payment) }));
    if (!payments.some(isOfReturn)) continue;
    const rule = ruleOf(invoice, payments, policy);
    const kept = rule === null ? keptBy(payments, isRefundedInFull(invoice, payments)) : null;
    found.set(invoice.data.invoice, { invoice, payments, rule, kept });
  }
  return found.size === 0 ? NOTHING_RETURNED : found;
}

/** Whether anything of a payment was ever refunded or disputed, whatever came of it. */
function isOfReturn({ payment }: ReturnedPayment): boolean {
  return payment.told.some(({ type }) => type !== 'PaymentAttachedToInvoice' && type !== 'PaymentWarned');
}

function ruleOf(
  invoice: Invoice,
  payments: readonly ReturnedPayment[],
  policy: Switches,
): TakenBackRule | null {
  if (policy.dispute === 'suspend' && payments.some(({ back }) => isTakenBackByDispute(back)))
    return 'disputed';
  return policy.fullRefund === 'suspend' && isRefundedInFull(invoice, payments) ? 'refunded_in_full' : null;
}

/** Why an invoice that no rule takes back is kept: of several by what its disputes say, then its refunds. */
function keptBy(payments: readonly ReturnedPayment[], isRefunded: boolean): KeptRule | null {
  if (payments.some(({ back }) => isTakenBackByDispute(back))) return 'dispute_kept';
  if (payments.some(({ back }) => back.disputes.length > 0)) return 'part_asked_back';
  if (payments.some(({ back }) => back.harmless.length > 0)) return 'dispute_takes_nothing';
  if (isRefunded) return 'refund_kept';
  return payments.some(({ back }) => back.charge !== null) ? 'part_refunded' : null;
}

/** All its payments are: one that customer balance paid a part of never is, nor is a payment record, which has no charge. */
function isRefundedInFull({ data }: Invoice, payments: readonly ReturnedPayment[]): boolean {
  const { amountDue, total } = data;
  if (amountDue !== null && total !== null && amountDue < total) return false;
  return payments.every(({ back }) => back.isRefunded);
}
