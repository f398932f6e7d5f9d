import type { AccessPolicy } from '../events/catalog.events.js';
import type { CheckoutObservation, Observation } from './facts.js';
import { type Invoice, isCreationOrCycle } from './invoices.js';
import type { Payments } from './payments.js';
import { type PlanPeriod, rankOf } from './plan-periods.js';
import type { PriceBook } from './price-book.js';

/** A minute's slack, in seconds, between an invoice and the change it pays for. */
const INVOICE_SLACK_SECONDS = 60;

/**
 * Which plan periods access may follow. `settled` is the newest settled one, `null` when none is; `firstWaits` says that
 * the first plan period awaits its payment; `newestWaits` that the newest one does.
 */
export interface PaymentGate {
  readonly settled: PlanPeriod | null;
  readonly first: PlanPeriod | null;
  readonly newest: PlanPeriod | null;
  readonly firstWaits: boolean;
  readonly newestWaits: boolean;
}

/** What settlement is decided from. */
export interface PaymentGateFacts {
  readonly ordered: readonly Observation[];
  readonly planPeriods: readonly PlanPeriod[];
  readonly invoices: readonly Invoice[];
  readonly payments: Payments;
  readonly checkouts: readonly CheckoutObservation[];
  readonly book: PriceBook;
}

/** Payment before access (DESIGN 8): walks the plan periods in order and says which one access follows. */
export function paymentGateOf(facts: PaymentGateFacts, policy: AccessPolicy): PaymentGate {
  const [first, ...later] = facts.planPeriods;
  if (first === undefined) {
    return { settled: null, first: null, newest: null, firstWaits: false, newestWaits: false };
  }
  const firstWaits = firstPeriodWaits(first, facts, policy);
  const invoicedUpgrade = newestOtherInvoice(facts.invoices);
  let settled = firstWaits ? null : first;
  for (const planPeriod of later) {
    const isSettled =
      isPaid(planPeriod, facts.payments) ||
      (!firstWaits && isSettledUnpaid(planPeriod, settled, invoicedUpgrade, policy));
    if (isSettled) settled = planPeriod;
  }
  const newest = facts.planPeriods.at(-1) ?? first;
  return { settled, first, newest, firstWaits, newestWaits: settled !== newest };
}

/** Whether a checkout session that names the subscription completed before its money came. */
export function isCheckoutUnpaid(checkouts: readonly CheckoutObservation[]): boolean {
  return checkouts.some(
    (checkout) => checkout.type === 'CheckoutCompleted' && checkout.data.paymentStatus === 'unpaid',
  );
}

/** Paid for, or still paid for by what was paid before. A stretch without a plan asks for nothing. */
function isPaid(planPeriod: PlanPeriod, payments: Payments): boolean {
  const price = planPeriod.of?.item.price;
  return (
    price === undefined ||
    isPaidFor(price, planPeriod, payments) ||
    payments.stillPaidAt(price, planPeriod.begin)
  );
}

/** Whether an invoice for it, created no earlier than the price was named, paid for a period that ends in the plan period. */
function isPaidFor(price: string, { begin, named }: PlanPeriod, payments: Payments): boolean {
  return payments.paidUntil(price, named - INVOICE_SLACK_SECONDS) > begin;
}

/** What settles a later plan period without a payment. */
function isSettledUnpaid(
  planPeriod: PlanPeriod,
  settled: PlanPeriod | null,
  invoicedUpgrade: number,
  policy: AccessPolicy,
): boolean {
  if (!policy.requirePaymentForUpgrade || planPeriod.trialing || !planPeriod.asks) return true;
  if (settled !== null && rankOf(planPeriod) <= rankOf(settled)) return true;
  return (
    policy.upgradeWithoutInvoice === 'allow' && invoicedUpgrade < planPeriod.begin - INVOICE_SLACK_SECONDS
  );
}

/** Creation of the newest invoice that is neither a creation nor a cycle one: such a one bills an upgrade at once. */
function newestOtherInvoice(invoices: readonly Invoice[]): number {
  return invoices.reduce(
    (newest, invoice) => (isCreationOrCycle(invoice) ? newest : Math.max(newest, invoice.data.created)),
    Number.NEGATIVE_INFINITY,
  );
}

/** The first plan period is settled, except where the policy says that delayed money must arrive first. */
function firstPeriodWaits(first: PlanPeriod, facts: PaymentGateFacts, policy: AccessPolicy): boolean {
  if (!first.asks) return false;
  if (!awaitsInvoice(facts, policy) && !awaitsDelayedPayment(facts, policy)) return false;
  if (facts.checkouts.some(({ type }) => type === 'CheckoutPaymentSucceeded')) return false;
  if (first.of !== null) return !isPaidFor(first.of.item.price, first, facts.payments);
  return !facts.payments.lines.some(
    ({ price, end }) => end > first.begin && facts.book.addonOf(price) !== null,
  );
}

function awaitsInvoice({ ordered }: PaymentGateFacts, policy: AccessPolicy): boolean {
  const known = ordered[0];
  return (
    policy.sendInvoice === 'onPaid' &&
    known?.stripeType === 'customer.subscription.created' &&
    known.data.collectionMethod === 'send_invoice'
  );
}

function awaitsDelayedPayment({ checkouts }: PaymentGateFacts, policy: AccessPolicy): boolean {
  return policy.delayedPayment === 'onPaid' && isCheckoutUnpaid(checkouts);
}
