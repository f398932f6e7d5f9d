import { isKnownDisputeStatus, takesMoney } from './disputes.js';
import type { PaymentObservation } from './facts.js';
import type { Payment } from './joined-payments.js';
import { compareText } from './order.js';

/** Minor units in a currency. */
export interface Money {
  readonly amount: number;
  readonly currency: string;
}

type Seen<T extends PaymentObservation['type']> = Extract<PaymentObservation, { type: T }>;
export type DisputeObservation = Seen<'PaymentDisputed' | 'DisputeClosed'>;
export type ChargeObservation = Seen<'PaymentRefunded'>;
type FailedRefund = Seen<'PaymentRefundFailed'>;

/**
 * What of a payment went back, or is asked back (DESIGN 8 "Taken back"). `disputes` are those that take money, `harmless` those
 * that do not, each as it was seen last; `asked` is what they and its refunds ask back, `paid` what it paid; `null` where that is not known, or is not in
 * one currency. `charge` is the newest sight of its charges, `isRefunded` whether all of it was refunded and that did not fail.
 */
export interface MoneyBack {
  readonly disputes: readonly DisputeObservation[];
  readonly harmless: readonly DisputeObservation[];
  readonly asked: number | null;
  readonly paid: number | null;
  readonly charge: ChargeObservation | null;
  readonly isRefunded: boolean;
}

/** Less than nine tenths of what was paid asked back is a part, and takes nothing. */
const PART = { numerator: 9, denominator: 10 };

/** What of a payment went back; `elsePaid` is what it paid where neither its charge nor an invoice says so. */
export function moneyBackOf({ told }: Payment, elsePaid: Money | null = null): MoneyBack {
  const latest = latestDisputes(told);
  const disputes = latest.filter(({ data }) => takesMoney(data));
  const charge = newestCharge(told);
  const failed = charge === null ? [] : failedSince(told, charge);
  const asked = [
    ...disputes.map(({ data }) => moneyOf(data.amount, data.currency)),
    ...refundedOf(charge, failed),
  ];
  const paid = paidBy(told, charge) ?? elsePaid;
  const all = sumOf([...asked, paid]);
  const isOneCurrency = all !== null;
  return {
    disputes,
    harmless: latest.filter(({ data }) => !takesMoney(data)),
    asked: isOneCurrency ? (sumOf(asked)?.amount ?? 0) : null,
    paid: isOneCurrency ? (paid?.amount ?? null) : null,
    charge,
    isRefunded: charge?.data.refunded === true && failed.length === 0,
  };
}

/** Whether a payment is taken back by its disputes: not while all that is asked back is known to be a part of it. */
export function isTakenBackByDispute({ disputes, asked, paid }: MoneyBack): boolean {
  if (disputes.length === 0) return false;
  return asked === null || paid === null || asked * PART.denominator >= paid * PART.numerator;
}

/** Each dispute as it was seen last in a state that we know, by id. */
function latestDisputes(told: readonly PaymentObservation[]): readonly DisputeObservation[] {
  const latest = new Map<string, DisputeObservation>();
  for (const observation of told) {
    if (observation.type !== 'PaymentDisputed' && observation.type !== 'DisputeClosed') continue;
    const { dispute, status } = observation.data;
    if (!isKnownDisputeStatus(status)) continue;
    const before = latest.get(dispute);
    if (before === undefined || compareDisputes(before, observation) < 0) latest.set(dispute, observation);
  }
  return [...latest.values()].sort((a, b) => compareText(a.data.dispute, b.data.dispute));
}

/** Order by second; within one what was retrieved first, then the `created`, and the `closed` last, then by event id. */
export function compareDisputes(a: DisputeObservation, b: DisputeObservation): number {
  return a.created - b.created || stepOf(a) - stepOf(b) || compareText(a.eventId, b.eventId);
}

function stepOf({ stripeType, type }: DisputeObservation): number {
  if (stripeType === '') return -1;
  return stripeType === 'charge.dispute.created' ? 0 : type === 'PaymentDisputed' ? 1 : 2;
}

/** The newest sight of a charge: by second; within one the greater amount refunded last, then by event id. */
export function newestCharge(told: readonly PaymentObservation[]): ChargeObservation | null {
  let newest: ChargeObservation | null = null;
  for (const observation of told) {
    if (observation.type !== 'PaymentRefunded') continue;
    if (newest === null || compareCharges(newest, observation) < 0) newest = observation;
  }
  return newest;
}

function compareCharges(a: ChargeObservation, b: ChargeObservation): number {
  const refunded = (a.data.amountRefunded ?? -1) - (b.data.amountRefunded ?? -1);
  return a.created - b.created || refunded || compareText(a.eventId, b.eventId);
}

/** Refunds that were first seen failed in the second in which a charge was seen, or later: `told` is oldest first. */
function failedSince(
  told: readonly PaymentObservation[],
  charge: ChargeObservation,
): readonly FailedRefund[] {
  const first = new Map<string, FailedRefund>();
  for (const observation of told) {
    if (observation.type !== 'PaymentRefundFailed' || first.has(observation.data.refund)) continue;
    first.set(observation.data.refund, observation);
  }
  return [...first.values()].filter(({ created }) => created >= charge.created);
}

/** What of a charge was refunded and did not fail; nothing where no refund was seen. */
function refundedOf(
  charge: ChargeObservation | null,
  failed: readonly FailedRefund[],
): readonly (Money | null)[] {
  if (charge === null) return [];
  const refunded = moneyOf(charge.data.amountRefunded, charge.data.currency);
  const lost = sumOf([
    refunded === null ? null : { ...refunded, amount: 0 },
    ...failed.map(({ data }) => moneyOf(data.amount, data.currency)),
  ]);
  if (refunded === null || lost === null) return [null];
  return [{ ...refunded, amount: Math.max(0, refunded.amount - lost.amount) }];
}

/** What a payment paid: its charge, else what was attached of it to invoices. */
function paidBy(told: readonly PaymentObservation[], charge: ChargeObservation | null): Money | null {
  const charged = charge === null ? null : moneyOf(charge.data.amount, charge.data.currency);
  if (charged !== null) return charged;
  const attached = new Map<string, Seen<'PaymentAttachedToInvoice'>>();
  for (const observation of told) {
    if (observation.type === 'PaymentAttachedToInvoice')
      attached.set(observation.data.invoicePayment, observation);
  }
  if (attached.size === 0) return null;
  return sumOf([...attached.values()].map(({ data }) => moneyOf(data.amountPaid, data.currency)));
}

/** Money, where both are known. */
export function moneyOf(amount: number | null, currency: string | null): Money | null {
  return amount === null || currency === null ? null : { amount, currency };
}

/** The sum of what is all known and in one currency; `null` else, and of nothing. */
function sumOf(all: readonly (Money | null)[]): Money | null {
  const [first] = all;
  if (first === undefined || first === null) return null;
  let amount = 0;
  for (const money of all) {
    if (money === null || money.currency !== first.currency) return null;
    amount = Math.min(amount + money.amount, Number.MAX_SAFE_INTEGER);
  }
  return { amount, currency: first.currency };
}
