import type { AccessPolicy } from '../events/catalog.events.js';
import { showsDelayedPayment, showsUnpaid } from './checkout-states.js';
import type { CheckoutObservation, Observation } from './facts.js';
import { type Invoice, isCreationOrCycle } from './invoices.js';
import { compareFactOrigins } from './order.js';
import type { PaidLine } from './paid-line.js';
import type { Payments } from './payments.js';
import { type PlanPeriod, rankOf } from './plan-periods.js';
import type { PriceBook } from './price-book.js';

/** A minute's slack, in seconds, between an invoice and the change it pays for. */
const INVOICE_SLACK_SECONDS = 60;

/** What settles the first plan period: the rules of DESIGN 8 "Payment before access" on it. */
export type FirstPeriodRule =
  | 'first_period'
  | 'first_asks_nothing'
  | 'first_delayed_payment_came'
  | 'first_paid_for';

/** What settles a later plan period. */
export type LaterPeriodRule =
  | 'no_plan_item'
  | 'paid_for'
  | 'still_paid_for'
  | 'payment_not_required'
  | 'in_trial'
  | 'asks_nothing_in_advance'
  | 'ranks_no_higher'
  | 'not_invoiced';

/**
 * A plan period that access may follow, and the rule that settled it: by the `line` that paid for it, or because it ranks no
 * higher than what was settled `after` which it came; by the checkout session whose money arrived. `previous` is the plan
 * period before it, where it matters that it began anew: without that it might be one with an earlier one.
 */
export interface Settlement {
  readonly period: PlanPeriod;
  readonly rule: FirstPeriodRule | LaterPeriodRule;
  readonly line: PaidLine | null;
  readonly after: Settlement | null;
  readonly previous: PlanPeriod | null;
  readonly checkout: CheckoutObservation | null;
}

/**
 * Which plan periods access may follow. `settled` is the newest settled one, `null` when none is; `waiting` are those after
 * it, which await a payment. `firstWaits` says that the first plan period awaits its own; `newestWaits` that the newest one
 * does. `endOfFirst` is the period that ends a first one without a plan, where it matters that what came later is no part of
 * that. `ofFirst` is how the first one is settled, or else `unpaid` the session whose money it waits for, if it is that.
 * `known` is the first known observation, by which the policy tells whether an invoice is sent for it. `invoicedUpgrade` is the newest invoice that is neither a creation nor a cycle one: such a one bills an upgrade at once.
 */
export interface PaymentGate {
  readonly settled: Settlement | null;
  readonly first: PlanPeriod | null;
  readonly newest: PlanPeriod | null;
  readonly waiting: readonly PlanPeriod[];
  readonly firstWaits: boolean;
  readonly newestWaits: boolean;
  readonly endOfFirst: PlanPeriod | null;
  readonly ofFirst: Settlement | null;
  readonly unpaid: CheckoutObservation | null;
  readonly known: Observation | null;
  readonly invoicedUpgrade: Invoice | null;
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
    return {
      settled: null,
      first: null,
      newest: null,
      waiting: [],
      firstWaits: false,
      newestWaits: false,
      endOfFirst: null,
      ofFirst: null,
      unpaid: null,
      known: null,
      invoicedUpgrade: null,
    };
  }
  const ofFirst = settlementOfFirst(first, facts, policy);
  const firstWaits = ofFirst === null;
  const invoicedUpgrade = newestOtherInvoice(facts.invoices);
  let settled = ofFirst;
  let waiting: PlanPeriod[] = firstWaits ? [first] : [];
  let previous = first;
  for (const planPeriod of later) {
    const settlement =
      settledByPayment(planPeriod, facts.payments) ??
      (firstWaits ? null : settledUnpaid(planPeriod, settled, invoicedUpgrade, policy));
    if (settlement === null) waiting.push(planPeriod);
    else {
      settled = BEGUN_ANEW.has(settlement.rule) ? { ...settlement, previous } : settlement;
      if (waiting.length > 0) waiting = [];
    }
    previous = planPeriod;
  }
  const newest = facts.planPeriods.at(-1) ?? first;
  const newestWaits = settled?.period !== newest;
  return {
    settled,
    first,
    newest,
    waiting,
    firstWaits,
    newestWaits,
    endOfFirst: first.of === null && endMatters(settled, ofFirst) ? (later[0] ?? null) : null,
    ofFirst,
    unpaid: firstWaits ? unpaidCheckout(facts.checkouts) : null,
    known: facts.ordered[0] ?? null,
    invoicedUpgrade,
  };
}

/** Rules by which a later plan period is settled that turn on when it began. */
const BEGUN_ANEW: ReadonlySet<Settlement['rule']> = new Set(['still_paid_for', 'not_invoiced']);

/** Whether it matters where a first plan period ended: a later stretch without a plan is settled in any case, and may ask for add-ons. */
function endMatters(settled: Settlement | null, ofFirst: Settlement | null): boolean {
  return ofFirst === null ? settled?.rule === 'no_plan_item' : ofFirst.rule === 'first_asks_nothing';
}

/** The checkout session that names the subscription and completed before its money came; `null` when none did. */
export function unpaidCheckout(checkouts: readonly CheckoutObservation[]): CheckoutObservation | null {
  return earliest(checkouts.filter(showsUnpaid));
}

function earliest(checkouts: readonly CheckoutObservation[]): CheckoutObservation | null {
  return checkouts.length > 1 ? ([...checkouts].sort(compareFactOrigins)[0] ?? null) : (checkouts[0] ?? null);
}

/** Paid for, or still paid for by what was paid before. A stretch without a plan asks for nothing. */
function settledByPayment(period: PlanPeriod, payments: Payments): Settlement | null {
  const price = period.of?.item.price;
  if (price === undefined) return settlement(period, 'no_plan_item');
  const line = lineFor(price, period, payments);
  if (line !== null) return settlement(period, 'paid_for', line);
  const still = payments.lineThatCovers(price, period.begin);
  return still === null ? null : settlement(period, 'still_paid_for', still);
}

/** The line for it, of an invoice created no earlier than the price was named, that paid for a time after its begin. */
function lineFor(price: string, { begin, before }: PlanPeriod, payments: Payments): PaidLine | null {
  const named = before?.created ?? Number.NEGATIVE_INFINITY;
  const line = payments.lineThatLasts(price, named - INVOICE_SLACK_SECONDS);
  return line !== null && line.end > begin ? line : null;
}

/** What settles a later plan period without a payment. */
function settledUnpaid(
  period: PlanPeriod,
  settled: Settlement | null,
  invoicedUpgrade: Invoice | null,
  policy: AccessPolicy,
): Settlement | null {
  if (!policy.requirePaymentForUpgrade) return settlement(period, 'payment_not_required');
  if (period.trialed !== null) return settlement(period, 'in_trial');
  if (period.asking === null) return settlement(period, 'asks_nothing_in_advance');
  if (settled !== null && rankOf(period) <= rankOf(settled.period)) {
    return settlement(period, 'ranks_no_higher', null, settled);
  }
  const invoiced = invoicedUpgrade?.data.created ?? Number.NEGATIVE_INFINITY;
  return policy.upgradeWithoutInvoice === 'allow' && invoiced < period.begin - INVOICE_SLACK_SECONDS
    ? settlement(period, 'not_invoiced')
    : null;
}

function settlement(
  period: PlanPeriod,
  rule: Settlement['rule'],
  line: PaidLine | null = null,
  after: Settlement | null = null,
): Settlement {
  return { period, rule, line, after, previous: null, checkout: null };
}

function newestOtherInvoice(invoices: readonly Invoice[]): Invoice | null {
  let newest: Invoice | null = null;
  for (const invoice of invoices) {
    if (isCreationOrCycle(invoice)) continue;
    if (newest === null || invoice.data.created > newest.data.created) newest = invoice;
  }
  return newest;
}

/** The first plan period is settled, except where the policy says that delayed money must arrive first. */
function settlementOfFirst(
  first: PlanPeriod,
  facts: PaymentGateFacts,
  policy: AccessPolicy,
): Settlement | null {
  const { checkouts, payments, book } = facts;
  if (!awaitsInvoice(facts, policy) && !awaitsDelayedPayment(facts, policy)) {
    return settlement(first, 'first_period');
  }
  if (first.asking === null) return settlement(first, 'first_asks_nothing');
  const checkout = earliest(checkouts.filter(showsDelayedPayment));
  if (checkout !== null) return { ...settlement(first, 'first_delayed_payment_came'), checkout };
  const line =
    first.of !== null
      ? lineFor(first.of.item.price, first, payments)
      : payments.lines.find(({ price, end }) => end > first.begin && book.addonOf(price) !== null);
  return line == null ? null : settlement(first, 'first_paid_for', line);
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
  return policy.delayedPayment === 'onPaid' && unpaidCheckout(checkouts) !== null;
}
