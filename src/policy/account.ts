import type { AccessPolicy, PlanCatalog } from '../plans/plan-catalog.js';
import type { Observation, SubscriptionFacts } from './facts.js';
import { foldInvoices, type Invoice, linePays, paidLines } from './invoices.js';
import { isTerminal, orderObservations, statusOf } from './order.js';
import { type NamedPlan, openPriceBook, type PriceBook, planItem } from './prices.js';
import { type Settlement, settle } from './settlement.js';
import { spellsOf } from './spells.js';

const DAY_SECONDS = 86_400;

/**
 * One subscription as its facts make it, with everything decided that the clock cannot change. Times are Unix
 * seconds; `graceEnd`, `trialEnd` and `accessEnd` are `null` when no clock of ours takes access.
 */
export interface Account {
  readonly subscription: string;
  readonly customer: string | null;
  readonly ordered: readonly Observation[];
  readonly newest: Observation;
  /** Newest observation whose items were not cut, `null` when there is none. */
  readonly newestWhole: Observation | null;
  readonly status: string;
  readonly ended: boolean;
  readonly book: PriceBook;
  readonly invoices: readonly Invoice[];
  readonly settlement: Settlement;
  readonly writtenOff: boolean;
  readonly collectionSuspended: boolean;
  readonly trialEnd: number | null;
  readonly graceEnd: number | null;
  readonly cancelAt: number | null;
  readonly accessEnd: number | null;
  /** Stretches that a line that paid covers, with the plan it paid for; only looked at after grace. */
  readonly covered: readonly Coverage[];
}

/** A plan that a line that paid covers from `start` up to, not including, `end`. */
export interface Coverage {
  readonly plan: NamedPlan;
  readonly start: number;
  readonly end: number;
}

/** Decides all that does not depend on the clock; `null` while the subscription itself was never seen. */
export function openAccount(facts: SubscriptionFacts, catalog: PlanCatalog): Account | null {
  const ordered = orderObservations(facts.observations).observations;
  const newest = ordered.at(-1);
  const status = statusOf(ordered);
  if (newest === undefined || status === null) return null;
  const { policy } = catalog;
  const book = openPriceBook(catalog, ordered);
  const invoices = foldInvoices(facts.invoices);
  const settlement = settle(
    { ordered, spells: spellsOf(ordered, book), invoices, checkouts: facts.checkouts },
    policy,
  );
  const clocked = newest.data.testClock === null;
  const newestWhole = ordered.findLast((observation) => !observation.data.itemsTruncated) ?? null;
  const cancelAt = cancellationInstant(newest, newestWhole, book);
  return {
    subscription: facts.subscription,
    customer: ordered.findLast((observation) => observation.data.customer !== null)?.data.customer ?? null,
    ordered,
    newest,
    newestWhole,
    status,
    ended: isTerminal(status),
    book,
    invoices,
    settlement,
    writtenOff: isWrittenOff(invoices, ordered),
    collectionSuspended: policy.pauseCollection === 'suspend' && newest.data.pauseCollection !== null,
    trialEnd:
      clocked && status === 'trialing' && newest.data.trialEnd !== null
        ? newest.data.trialEnd + policy.trialEndSlackHours * 3600
        : null,
    graceEnd: clocked && status === 'past_due' ? graceEnd(ordered, invoices, policy) : null,
    cancelAt,
    accessEnd: clocked ? cancelAt : null,
    covered: status === 'past_due' ? coverage(invoices, book, settlement) : [],
  };
}

/** `cancel_at`; with `cancel_at_period_end` alone the plan item's period end. */
function cancellationInstant(
  newest: Observation,
  newestWhole: Observation | null,
  book: PriceBook,
): number | null {
  if (newest.data.cancelAt !== null) return newest.data.cancelAt;
  if (!newest.data.cancelAtPeriodEnd || newestWhole === null) return null;
  return planItem(newestWhole.data.items, book)?.item.currentPeriodEnd ?? null;
}

/** End of grace: from the first sight of the present run of `past_due`, or the failed payment that led to it. */
function graceEnd(
  ordered: readonly Observation[],
  invoices: readonly Invoice[],
  policy: AccessPolicy,
): number {
  const before = ordered.findLastIndex((observation) => observation.data.status !== 'past_due');
  const first = ordered[before + 1]?.created ?? ordered.at(-1)?.created ?? 0;
  const since = ordered[before]?.created;
  const failures =
    since === undefined
      ? []
      : invoices
          .filter((invoice) => invoice.data.status !== 'paid')
          .flatMap((invoice) => invoice.paymentFailures.filter((failure) => failure >= since));
  const days = isUnpaidTrial(ordered, invoices) ? policy.trialGraceDays : policy.pastDueGraceDays;
  return Math.min(first, ...failures) + days * DAY_SECONDS;
}

/** Seen trialing, and no invoice of it with a line that pays was ever paid. */
function isUnpaidTrial(ordered: readonly Observation[], invoices: readonly Invoice[]): boolean {
  const trialed = ordered.some(
    ({ data }) => data.status === 'trialing' || data.previous?.status === 'trialing',
  );
  return trialed && paidLines(invoices).length === 0;
}

/**
 * Written off: a creation or cycle invoice given up for want of payment, until a later one with a line that pays is
 * paid. Stripe's reason decides; where it gives none, an invoice that was attempted while collection was not paused.
 */
function isWrittenOff(invoices: readonly Invoice[], ordered: readonly Observation[]): boolean {
  const paid = invoices.filter(
    (invoice) => invoice.data.status === 'paid' && invoice.data.lines.some(linePays),
  );
  return invoices.some((invoice) => {
    const { status, billingReason, uncollectibleReason, attemptCount, created } = invoice.data;
    if (status !== 'uncollectible') return false;
    if (billingReason !== 'subscription_create' && billingReason !== 'subscription_cycle') return false;
    if (paid.some((later) => later.data.created > created)) return false;
    if (uncollectibleReason !== null) {
      return uncollectibleReason === 'max_payment_attempts' || uncollectibleReason === 'payment_not_received';
    }
    const seen = ordered.findLast((observation) => observation.created <= invoice.toldAt);
    return attemptCount > 0 && (seen?.data.pauseCollection ?? null) === null;
  });
}

/** What lines that paid cover, no higher than the newest settled spell's plan. */
function coverage(
  invoices: readonly Invoice[],
  book: PriceBook,
  { settled }: Settlement,
): readonly Coverage[] {
  const limit = settled?.of?.plan.plan.rank;
  if (limit === undefined) return [];
  return paidLines(invoices).flatMap(({ line }) => {
    const plan = line.price === null ? null : book.planOfId(line.price);
    if (plan === null || plan.plan.rank > limit) return [];
    if (line.periodStart === null || line.periodEnd === null) return [];
    return [{ plan, start: line.periodStart, end: line.periodEnd }];
  });
}
