import type { PlanCatalog } from '../../../src/events/catalog.events.js';
import type { InvoiceObservation, Observation, SubscriptionFacts } from '../../../src/policy/facts.js';
import { completedUnpaid } from './checkouts.js';
import { currentInvoices, distinct, inOrder, TERMINAL } from './order.js';
import { askedBy, isBirth, isCreationOrCycle, type PaidLine, paidLines } from './payments.js';
import { type PlanPeriod, type PlanPeriods, planPeriodsOf } from './plan-periods.js';
import { type PriceBook, priceBook } from './prices.js';
import { takenBack } from './taken-back.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** The last second of the year 9999: nothing that slack or grace carries ends later. Unix milliseconds. */
export const END_OF_TIME = 253_402_300_799_000;

/** One subscription, understood as far as no clock is needed. Instants are Unix milliseconds. */
export interface Understood {
  readonly id: string;
  readonly catalog: PlanCatalog;
  readonly ordered: readonly Observation[];
  readonly newest: Observation;
  /** Newest observation whose list of items was whole. */
  readonly newestItems: Observation | undefined;
  readonly status: string;
  /** Each invoice as last known. */
  readonly invoices: readonly InvoiceObservation[];
  /** Ids of invoices of which a payment was seen to fail. */
  readonly failed: readonly string[];
  readonly paid: readonly PaidLine[];
  /** Ids of the invoices that were taken back. */
  readonly takenBack: readonly string[];
  /** The invoices again, those that were taken back with a status that is none of Stripe's: they are not paid. */
  readonly counting: readonly InvoiceObservation[];
  /** Whether a checkout session that names it completed without being paid. */
  readonly checkoutUnpaid: boolean;
  readonly prices: PriceBook;
  readonly planPeriods: PlanPeriods;
  readonly settled: PlanPeriod | undefined;
  readonly lost: Lost;
  /** When access ends by a cancellation, whether or not a clock of ours counts; `null`: never. */
  readonly cancelAt: number | null;
  readonly trialOver: number | null;
  readonly graceOver: number | null;
}

/** What invoices that were written off or taken back asked for, and no later payment gave back. */
export interface Lost {
  readonly plan: boolean;
  /** Names of add-ons. */
  readonly addons: readonly string[];
}

/** `undefined` when the subscription itself was never seen. */
export function understand(facts: SubscriptionFacts, catalog: PlanCatalog): Understood | undefined {
  const ordered = inOrder(facts.observations);
  const newest = ordered.at(-1);
  if (newest === undefined) return undefined;
  const invoiceFacts = distinct(facts.invoices);
  const invoices = currentInvoices(invoiceFacts);
  const prices = priceBook(catalog, ordered);
  const back = takenBack(distinct(facts.payments), invoices, invoiceFacts, catalog.policy);
  const counting = invoices.map((invoice) =>
    back.includes(invoice.data.invoice)
      ? { ...invoice, data: { ...invoice.data, status: 'taken back' } }
      : invoice,
  );
  const paid = paidLines(ordered, counting, prices);
  const everPaid = paidLines(ordered, invoices, prices);
  const status = statusOf(facts, ordered, newest);
  const checkouts = distinct(facts.checkouts);
  const planPeriods = planPeriodsOf({
    ordered,
    invoices: counting,
    paid,
    checkouts,
    policy: catalog.policy,
    prices,
    newestStatus: status,
  });
  const settled = planPeriods.all.filter((planPeriod) => planPeriod.settledBy !== null).at(-1);
  const newestItems = ordered.filter((o) => !o.data.itemsTruncated).at(-1);
  const { trialEnd } = newest.data;
  const slack = catalog.policy.trialEndSlackHours * HOUR;
  return {
    id: facts.subscription,
    catalog,
    ordered,
    newest,
    newestItems,
    status,
    invoices,
    failed: invoiceFacts.filter(isFailure).map((fact) => fact.data.invoice),
    paid,
    takenBack: back,
    counting,
    checkoutUnpaid: checkouts.some(completedUnpaid),
    prices,
    planPeriods,
    settled,
    lost: lostBy(ordered, invoices, back, paid, prices, settled),
    cancelAt: cancellation(newest, newestItems, prices),
    trialOver: trialEnd === null ? null : Math.min(trialEnd * 1000 + slack, END_OF_TIME),
    graceOver:
      status === 'past_due'
        ? graceEnd({ ordered, invoices: counting, invoiceFacts, paid: everPaid, catalog })
        : null,
  };
}

function statusOf(facts: SubscriptionFacts, ordered: readonly Observation[], newest: Observation): string {
  if (facts.customerDeleted) return 'canceled';
  const terminal = ordered.filter((o) => TERMINAL.includes(o.data.status)).at(-1);
  return terminal?.data.status ?? newest.data.status;
}

function isFailure(fact: InvoiceObservation): boolean {
  return fact.stripeType === 'invoice.payment_failed';
}

function cancellation(
  newest: Observation,
  newestItems: Observation | undefined,
  prices: PriceBook,
): number | null {
  if (newest.data.cancelAt !== null) return newest.data.cancelAt * 1000;
  if (!newest.data.cancelAtPeriodEnd) return null;
  const end = prices.planItem(newestItems?.data.items ?? [])?.item.currentPeriodEnd ?? null;
  return end === null ? null : end * 1000;
}

function lostBy(
  ordered: readonly Observation[],
  invoices: readonly InvoiceObservation[],
  back: readonly string[],
  paid: readonly PaidLine[],
  prices: PriceBook,
  settled: PlanPeriod | undefined,
): Lost {
  let plan = false;
  const addons: string[] = [];
  const isGone = (one: InvoiceObservation) => isWrittenOff(one, ordered) || back.includes(one.data.invoice);
  for (const invoice of invoices.filter(isGone)) {
    const asked = invoice.data.lines
      .filter((line) => askedBy(line) > 0)
      .map((line) => prices.meaningOf(line.price));
    const later = paid
      .filter((line) => line.created > invoice.data.created)
      .map((line) => prices.meaningOf(line.price));
    const own = settled?.planItem?.meaning;
    const planIsBack = later.some(
      (meaning) =>
        meaning.kind === 'plan' &&
        (meaning.name === own?.name || meaning.plan.rank > (own?.plan.rank ?? Number.NEGATIVE_INFINITY)),
    );
    const askedForPlan = invoice.data.linesTruncated || asked.some(({ kind }) => kind === 'plan');
    if (askedForPlan && !planIsBack) plan = true;
    for (const meaning of asked) {
      if (meaning.kind !== 'addon') continue;
      if (!later.some((one) => one.kind === 'addon' && one.name === meaning.name)) addons.push(meaning.name);
    }
  }
  return { plan, addons };
}

function isWrittenOff(invoice: InvoiceObservation, ordered: readonly Observation[]): boolean {
  if (invoice.data.status !== 'uncollectible' || !isCreationOrCycle(invoice)) return false;
  switch (invoice.data.uncollectibleReason) {
    case 'max_payment_attempts':
    case 'payment_not_received':
      return true;
    case null: {
      const then = ordered.filter((o) => o.created <= invoice.created).at(-1);
      return invoice.data.attemptCount > 0 && (then?.data.pauseCollection ?? null) === null;
    }
    default:
      return false;
  }
}

function graceEnd(known: {
  readonly ordered: readonly Observation[];
  readonly invoices: readonly InvoiceObservation[];
  readonly invoiceFacts: readonly InvoiceObservation[];
  readonly paid: readonly PaidLine[];
  readonly catalog: PlanCatalog;
}): number {
  const { ordered, invoices, invoiceFacts } = known;
  let start = ordered.length;
  while (start > 0 && ordered[start - 1]?.data.status === 'past_due') start -= 1;
  const other = ordered[start - 1];
  const starts = [ordered[start]?.created ?? Number.NaN];
  if (other !== undefined) {
    const paid = invoices.filter((i) => i.data.status === 'paid').map((i) => i.data.invoice);
    for (const fact of invoiceFacts.filter(isFailure)) {
      if (fact.created >= other.created && !paid.includes(fact.data.invoice)) starts.push(fact.created);
    }
  }
  return Math.min(Math.min(...starts) * 1000 + graceDays(known) * DAY, END_OF_TIME);
}

function graceDays({
  ordered,
  invoices,
  paid,
  catalog,
}: {
  readonly ordered: readonly Observation[];
  readonly invoices: readonly InvoiceObservation[];
  readonly paid: readonly PaidLine[];
  readonly catalog: PlanCatalog;
}): number {
  const { pastDueGraceDays, trialGraceDays, neverPaidGraceDays } = catalog.policy;
  if (paid.length > 0) return pastDueGraceDays;
  const trialed = ordered.some((o) => o.data.status === 'trialing' || o.data.previous?.status === 'trialing');
  if (trialed) return trialGraceDays;
  const [first] = ordered;
  return first !== undefined && isBirth(first) && invoices.length > 0 ? neverPaidGraceDays : pastDueGraceDays;
}
