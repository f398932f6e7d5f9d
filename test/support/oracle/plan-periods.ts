import type { AccessPolicy } from '../../../src/events/catalog.events.js';
import type { SubscriptionItem } from '../../../src/events/subscription.events.js';
import type { CheckoutObservation, InvoiceObservation, Observation } from '../../../src/policy/facts.js';
import { completedUnpaid, moneyCame } from './checkouts.js';
import { isBirth, isCreationOrCycle, isCredited, type PaidLine, paidLater } from './payments.js';
import { asksNothing, type PlanItem, type PriceBook } from './prices.js';

/** One stage of a subscription's items: seen, or told only by the `previous_attributes` of the next observation. */
interface Stage {
  readonly seen: Observation | null;
  readonly planItem: PlanItem | undefined;
  /** What was on it, told by the `previous_attributes` of the next stage included. */
  readonly items: SubscriptionItem[];
  /** Unix seconds; -Infinity for the beginning of time. */
  readonly begins: number;
  /** Price ids named on items or in `pending_update`. */
  readonly names: readonly string[];
  trialing: boolean;
}

/** The rules that settle a plan period (DESIGN 8). */
export type SettledBy =
  | 'no plan'
  | 'first'
  | 'first, trialing while it waits'
  | 'paid for'
  | 'still paid for'
  | 'no higher'
  | 'trialing in it'
  | 'asks nothing'
  | 'payment not required'
  | 'not invoiced';

/** An unbroken run of stages with one plan price, or with none. */
export interface PlanPeriod {
  readonly planItem: PlanItem | undefined;
  readonly began: number;
  /** Second of the first real observation in it; `null` when it was never seen itself. */
  readonly firstSeen: number | null;
  /** The rule by which it is settled; `null` while it waits. */
  readonly settledBy: SettledBy | null;
  /** Waits to be paid for, and is followed only while the subscription is trialing. */
  readonly meanwhile: boolean;
  readonly rank: number;
}

/** What the plan periods of one subscription say, in order. `firstWaits`: the first payment is awaited. */
export interface PlanPeriods {
  readonly all: readonly PlanPeriod[];
  readonly firstWaits: boolean;
}

/** Everything the settling of plan periods depends on. */
export interface PlanPeriodFacts {
  readonly ordered: readonly Observation[];
  readonly invoices: readonly InvoiceObservation[];
  readonly paid: readonly PaidLine[];
  readonly checkouts: readonly CheckoutObservation[];
  readonly policy: AccessPolicy;
  readonly prices: PriceBook;
  readonly newestStatus: string;
}

export function planPeriodsOf(facts: PlanPeriodFacts): PlanPeriods {
  const stages = stagesOf(facts.ordered, facts.prices);
  const runs: Stage[][] = [];
  for (const stage of stages) {
    const run = runs.at(-1);
    if (run !== undefined && priceOf(run[0]) === priceOf(stage)) run.push(stage);
    else runs.push([stage]);
  }
  const firstWaits = runs[0] !== undefined && waitsAtFirst(facts, stages, runs[0]);
  const all: PlanPeriod[] = [];
  for (const [i, run] of runs.entries()) {
    const planItem = run[0]?.planItem;
    const rank = planItem?.meaning.plan.rank ?? Number.NEGATIVE_INFINITY;
    const lastSettledRank =
      all.filter((planPeriod) => planPeriod.settledBy !== null).at(-1)?.rank ?? Number.NEGATIVE_INFINITY;
    all.push({
      planItem,
      rank,
      began: run[0]?.begins ?? Number.NEGATIVE_INFINITY,
      firstSeen: run.find((stage) => stage.seen !== null)?.seen?.created ?? null,
      meanwhile: i === 0 && firstWaits,
      settledBy: settledBy(facts, stages, run, {
        first: i === 0,
        firstWaits,
        noHigher: rank <= lastSettledRank,
      }),
    });
  }
  return { all, firstWaits };
}

function priceOf(stage: Stage | undefined): string | null {
  return stage?.planItem?.item.price ?? null;
}

function stagesOf(ordered: readonly Observation[], prices: PriceBook): Stage[] {
  const stages: Stage[] = [];
  let before: Observation | undefined;
  for (const o of ordered) {
    if (o.data.itemsTruncated) {
      const current = stages.at(-1);
      if (current !== undefined && o.data.status === 'trialing') current.trialing = true;
      continue;
    }
    const planItem = prices.planItem(o.data.items);
    const previous = o.data.previous;
    const told = previous?.items === undefined ? undefined : prices.planItem(previous.items);
    const toldPrice = previous?.items === undefined ? undefined : (told?.item.price ?? null);
    const beforePrice = before === undefined ? undefined : priceOf(stages.at(-1));
    if (toldPrice !== undefined && toldPrice !== beforePrice) {
      stages.push({
        seen: null,
        planItem: told,
        items: [...(previous?.items ?? [])],
        begins: before?.created ?? Number.NEGATIVE_INFINITY,
        names: (previous?.items ?? []).map((item) => item.price),
        trialing: false,
      });
    }
    // Just before this change the status was what it names, else the same, and the items likewise.
    const trialingBefore = previous !== null && (previous.status ?? o.data.status) === 'trialing';
    const earlier = stages.at(-1);
    if (toldPrice === beforePrice) earlier?.items.push(...(previous?.items ?? []));
    if (trialingBefore && toldPrice !== undefined && earlier !== undefined) earlier.trialing = true;
    stages.push({
      seen: o,
      planItem,
      items: [...o.data.items],
      begins: o.created,
      names: [...o.data.items, ...(o.data.pendingUpdate?.items ?? [])].map((item) => item.price),
      trialing: o.data.status === 'trialing' || (trialingBefore && toldPrice === undefined),
    });
    before = o;
  }
  return stages;
}

function waitsAtFirst(facts: PlanPeriodFacts, stages: readonly Stage[], run: readonly Stage[]): boolean {
  if (!asksInAdvance(facts, run)) return false;
  const [first] = facts.ordered;
  const byInvoice =
    facts.policy.sendInvoice === 'onPaid' &&
    first !== undefined &&
    isBirth(first) &&
    first.data.collectionMethod === 'send_invoice';
  const byCheckout = facts.policy.delayedPayment === 'onPaid' && facts.checkouts.some(completedUnpaid);
  if (!byInvoice && !byCheckout) return false;
  if (facts.checkouts.some(moneyCame)) return false;
  return run[0]?.planItem === undefined ? !anAddonIsPaidFor(facts, run) : !isPaidFor(facts, stages, run);
}

/** A plan's price asks by itself; a plan period of add-ons alone asks when one of them does. */
function asksInAdvance({ prices }: PlanPeriodFacts, run: readonly Stage[]): boolean {
  const item = run[0]?.planItem?.item;
  if (item !== undefined) return !asksNothing(item);
  return run
    .flatMap((stage) => stage.items)
    .some((held) => prices.meaningOf(held.price).kind === 'addon' && !asksNothing(held));
}

function anAddonIsPaidFor({ paid, prices }: PlanPeriodFacts, run: readonly Stage[]): boolean {
  const began = run[0]?.begins ?? Number.NEGATIVE_INFINITY;
  return paid.some(
    ({ price, periodEnd }) =>
      prices.meaningOf(price).kind === 'addon' && periodEnd !== null && periodEnd > began,
  );
}

function settledBy(
  facts: PlanPeriodFacts,
  stages: readonly Stage[],
  run: readonly Stage[],
  place: { readonly first: boolean; readonly firstWaits: boolean; readonly noHigher: boolean },
): SettledBy | null {
  if (place.first && !place.firstWaits) return 'first';
  if (place.first) return facts.newestStatus === 'trialing' ? 'first, trialing while it waits' : null;
  const item = run[0]?.planItem?.item;
  if (item === undefined) return 'no plan';
  if (isPaidFor(facts, stages, run)) return 'paid for';
  if (isStillPaidFor(facts, run)) return 'still paid for';
  if (place.firstWaits) return null;
  if (place.noHigher) return 'no higher';
  if (run.some((stage) => stage.trialing)) return 'trialing in it';
  if (asksNothing(item)) return 'asks nothing';
  if (!facts.policy.requirePaymentForUpgrade) return 'payment not required';
  return facts.policy.upgradeWithoutInvoice === 'allow' && !wasInvoiced(facts, run) ? 'not invoiced' : null;
}

const SLACK_SECONDS = 60;

function isPaidFor(facts: PlanPeriodFacts, stages: readonly Stage[], run: readonly Stage[]): boolean {
  const [start] = run;
  const price = priceOf(start);
  if (start === undefined || price === null) return false;
  let named = stages.indexOf(start);
  while (named > 0 && stages[named - 1]?.names.includes(price)) named -= 1;
  const lastWithout = stages
    .slice(0, named)
    .filter((stage) => stage.seen !== null)
    .at(-1);
  const notBefore = (lastWithout?.begins ?? Number.NEGATIVE_INFINITY) - SLACK_SECONDS;
  return facts.paid.some(
    (line) =>
      line.price === price &&
      line.created >= notBefore &&
      line.periodEnd !== null &&
      line.periodEnd > start.begins,
  );
}

/** A line of any time covers the second at which the plan period begins, and nothing paid later may have credited it. */
function isStillPaidFor({ paid, invoices }: PlanPeriodFacts, run: readonly Stage[]): boolean {
  const [start] = run;
  if (start === undefined) return false;
  return paid.some(
    (line) =>
      line.price === priceOf(start) &&
      line.periodStart !== null &&
      line.periodEnd !== null &&
      line.periodStart <= start.begins &&
      start.begins < line.periodEnd &&
      !isCredited(line, invoices) &&
      !paidLater(line, invoices).some((later) => later.data.linesTruncated),
  );
}

/** Whether an invoice other than a creation or cycle one was created since a plan period began. */
function wasInvoiced({ invoices }: PlanPeriodFacts, run: readonly Stage[]): boolean {
  const since = (run[0]?.begins ?? Number.NEGATIVE_INFINITY) - SLACK_SECONDS;
  return invoices.some((invoice) => !isCreationOrCycle(invoice) && invoice.data.created >= since);
}
