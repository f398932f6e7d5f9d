import type { InvoiceLine } from '../../../src/events/invoice.events.js';
import type { SubscriptionItem } from '../../../src/events/subscription.events.js';
import type { AccessPolicy } from '../../../src/plans/plan-catalog.js';
import type { CheckoutObservation, InvoiceObservation, Observation } from '../../../src/policy/facts.js';
import type { PlanItem, PriceBook } from './prices.js';

/** One stage of a subscription's items: seen, or told only by the `previous_attributes` of the next observation. */
interface Stage {
  readonly seen: Observation | null;
  readonly planItem: PlanItem | undefined;
  /** Unix seconds; -Infinity for the beginning of time. */
  readonly begins: number;
  /** Price ids named on items or in `pending_update`. */
  readonly names: readonly string[];
  trialing: boolean;
}

/** An unbroken run of stages with one plan price, or with none. */
export interface Spell {
  readonly planItem: PlanItem | undefined;
  readonly began: number;
  /** Second of the first real observation in it; `null` when it was never seen itself. */
  readonly firstSeen: number | null;
  readonly settled: boolean;
  /** Waits to be paid for, and is followed only while the subscription is trialing. */
  readonly meanwhile: boolean;
  readonly rank: number;
}

/** What the spells of one subscription say, in order. `firstWaits`: the first payment is awaited. */
export interface Spells {
  readonly all: readonly Spell[];
  readonly firstWaits: boolean;
}

/** Everything the settling of spells depends on. */
export interface SpellFacts {
  readonly ordered: readonly Observation[];
  readonly invoices: readonly InvoiceObservation[];
  readonly checkouts: readonly CheckoutObservation[];
  readonly policy: AccessPolicy;
  readonly prices: PriceBook;
  readonly newestStatus: string;
}

/** A line pays when it asks for money, or when discounts or credits brought it to 0 (DESIGN 8, "Paid for"). */
export function linePays(line: InvoiceLine): boolean {
  const value = line.subtotal ?? line.amount;
  return value > 0 || (value === 0 && (line.discounts > 0 || line.credits > 0));
}

export function asksNothing(item: SubscriptionItem): boolean {
  return item.usageType === 'metered' || (item.unitAmount !== null && Number(item.unitAmount) === 0);
}

export function spellsOf(facts: SpellFacts): Spells {
  const stages = stagesOf(facts.ordered, facts.prices);
  const runs: Stage[][] = [];
  for (const stage of stages) {
    const run = runs.at(-1);
    if (run !== undefined && priceOf(run[0]) === priceOf(stage)) run.push(stage);
    else runs.push([stage]);
  }
  const firstWaits = runs[0] !== undefined && waitsAtFirst(facts, stages, runs[0]);
  const all: Spell[] = [];
  for (const [i, run] of runs.entries()) {
    const planItem = run[0]?.planItem;
    const rank = planItem?.meaning.plan.rank ?? Number.NEGATIVE_INFINITY;
    const lastSettledRank = all.filter((spell) => spell.settled).at(-1)?.rank ?? Number.NEGATIVE_INFINITY;
    all.push({
      planItem,
      rank,
      began: run[0]?.begins ?? Number.NEGATIVE_INFINITY,
      firstSeen: run.find((stage) => stage.seen !== null)?.seen?.created ?? null,
      meanwhile: i === 0 && firstWaits,
      settled: isSettled(facts, stages, run, {
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
        begins: before?.created ?? Number.NEGATIVE_INFINITY,
        names: (previous?.items ?? []).map((item) => item.price),
        trialing: false,
      });
    }
    // Just before this change the status was what it names, else the same, and the items likewise.
    const trialingBefore = previous !== null && (previous.status ?? o.data.status) === 'trialing';
    const earlier = stages.at(-1);
    if (trialingBefore && toldPrice !== undefined && earlier !== undefined) earlier.trialing = true;
    stages.push({
      seen: o,
      planItem,
      begins: o.created,
      names: [...o.data.items, ...(o.data.pendingUpdate?.items ?? [])].map((item) => item.price),
      trialing: o.data.status === 'trialing' || (trialingBefore && toldPrice === undefined),
    });
    before = o;
  }
  return stages;
}

function waitsAtFirst(facts: SpellFacts, stages: readonly Stage[], run: readonly Stage[]): boolean {
  const item = run[0]?.planItem?.item;
  if (item === undefined || asksNothing(item)) return false;
  const [first] = facts.ordered;
  const byInvoice =
    facts.policy.sendInvoice === 'onPaid' &&
    first?.stripeType === 'customer.subscription.created' &&
    first.type !== 'SubscriptionRetrieved' &&
    first.data.collectionMethod === 'send_invoice';
  const byCheckout =
    facts.policy.delayedPayment === 'onPaid' &&
    facts.checkouts.some((c) => c.type === 'CheckoutCompleted' && c.data.paymentStatus === 'unpaid');
  if (!byInvoice && !byCheckout) return false;
  if (facts.checkouts.some((c) => c.type === 'CheckoutPaymentSucceeded')) return false;
  return !isPaidFor(facts, stages, run);
}

function isSettled(
  facts: SpellFacts,
  stages: readonly Stage[],
  run: readonly Stage[],
  place: { readonly first: boolean; readonly firstWaits: boolean; readonly noHigher: boolean },
): boolean {
  const item = run[0]?.planItem?.item;
  if (item === undefined) return true;
  if (place.first) return !place.firstWaits || facts.newestStatus === 'trialing';
  if (isPaidFor(facts, stages, run)) return true;
  if (place.firstWaits) return false;
  return (
    place.noHigher ||
    run.some((stage) => stage.trialing) ||
    asksNothing(item) ||
    !facts.policy.requirePaymentForUpgrade
  );
}

const SLACK_SECONDS = 60;

function isPaidFor(facts: SpellFacts, stages: readonly Stage[], run: readonly Stage[]): boolean {
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
  return facts.invoices.some(
    (invoice) =>
      invoice.data.status === 'paid' &&
      invoice.data.created >= notBefore &&
      invoice.data.lines.some(
        (line) =>
          line.price === price && linePays(line) && line.periodEnd !== null && line.periodEnd > start.begins,
      ),
  );
}
