import type { PlanCatalog } from '../../../src/plans/plan-catalog.js';
import type { InvoiceObservation, Observation, SubscriptionFacts } from '../../../src/policy/facts.js';
import { currentInvoices, distinct, inOrder, TERMINAL } from './order.js';
import { type PlanMeaning, type PriceBook, priceBook } from './prices.js';
import { linePays, type Spell, type Spells, spellsOf } from './spells.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const KNOWN = ['trialing', 'active', 'past_due', 'unpaid', 'paused', 'incomplete', ...TERMINAL];

/** One subscription, understood as far as no clock is needed. Instants are Unix milliseconds. */
export interface Understood {
  readonly id: string;
  readonly catalog: PlanCatalog;
  readonly ordered: readonly Observation[];
  readonly newest: Observation;
  /** Newest observation whose list of items was whole. */
  readonly newestItems: Observation | undefined;
  readonly status: string;
  readonly invoices: readonly InvoiceObservation[];
  readonly prices: PriceBook;
  readonly spells: Spells;
  readonly settled: Spell | undefined;
  readonly writtenOff: boolean;
  /** When access ends by a cancellation, whether or not a clock of ours counts; `null`: never. */
  readonly cancelAt: number | null;
  readonly trialOver: number | null;
  readonly graceOver: number | null;
}

/** `undefined` when the subscription itself was never seen. */
export function understand(facts: SubscriptionFacts, catalog: PlanCatalog): Understood | undefined {
  const ordered = inOrder(facts.observations);
  const newest = ordered.at(-1);
  if (newest === undefined) return undefined;
  const invoiceFacts = distinct(facts.invoices);
  const invoices = currentInvoices(invoiceFacts);
  const prices = priceBook(catalog, ordered);
  const terminal = ordered.filter((o) => TERMINAL.includes(o.data.status)).at(-1);
  const status = terminal?.data.status ?? newest.data.status;
  const checkouts = distinct(facts.checkouts);
  const spells = spellsOf({
    ordered,
    invoices,
    checkouts,
    policy: catalog.policy,
    prices,
    newestStatus: status,
  });
  const newestItems = ordered.filter((o) => !o.data.itemsTruncated).at(-1);
  const { trialEnd } = newest.data;
  return {
    id: facts.subscription,
    catalog,
    ordered,
    newest,
    newestItems,
    status,
    invoices,
    prices,
    spells,
    settled: spells.all.filter((spell) => spell.settled).at(-1),
    writtenOff: isWrittenOff(ordered, invoices),
    cancelAt: cancellation(newest, newestItems, prices),
    trialOver: trialEnd === null ? null : trialEnd * 1000 + catalog.policy.trialEndSlackHours * HOUR,
    graceOver: status === 'past_due' ? graceEnd(ordered, invoices, invoiceFacts, catalog) : null,
  };
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

function isWrittenOff(ordered: readonly Observation[], invoices: readonly InvoiceObservation[]): boolean {
  return invoices.some((invoice) => {
    if (invoice.data.status !== 'uncollectible') return false;
    const reason = invoice.data.billingReason;
    if (reason !== 'subscription_create' && reason !== 'subscription_cycle') return false;
    return (
      givenUp(invoice, ordered) &&
      !invoices.some(
        (later) =>
          later.data.status === 'paid' &&
          later.data.created > invoice.data.created &&
          later.data.lines.some(linePays),
      )
    );
  });
}

function givenUp(invoice: InvoiceObservation, ordered: readonly Observation[]): boolean {
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

function graceEnd(
  ordered: readonly Observation[],
  invoices: readonly InvoiceObservation[],
  invoiceFacts: readonly InvoiceObservation[],
  catalog: PlanCatalog,
): number {
  let start = ordered.length;
  while (start > 0 && ordered[start - 1]?.data.status === 'past_due') start -= 1;
  const other = ordered[start - 1];
  const starts = [ordered[start]?.created ?? Number.NaN];
  if (other !== undefined) {
    const paid = invoices.filter((i) => i.data.status === 'paid').map((i) => i.data.invoice);
    for (const fact of invoiceFacts) {
      const failed = fact.stripeType === 'invoice.payment_failed';
      if (failed && fact.created >= other.created && !paid.includes(fact.data.invoice))
        starts.push(fact.created);
    }
  }
  const trialed = ordered.some((o) => o.data.status === 'trialing' || o.data.previous?.status === 'trialing');
  const everPaid = invoices.some((i) => i.data.status === 'paid' && i.data.lines.some(linePays));
  const { trialGraceDays, pastDueGraceDays } = catalog.policy;
  return Math.min(...starts) * 1000 + (trialed && !everPaid ? trialGraceDays : pastDueGraceDays) * DAY;
}

/** What one subscription gives at an instant. `word` is said only when nothing gives a plan. */
export interface Standing {
  readonly gives: Given | null;
  /** Plan or not, its items count: add-ons are added. */
  readonly addons: boolean;
  /** The status table says yes, whatever the items are. */
  readonly access: boolean;
  readonly word: Word | null;
}
export type Word = 'canceled' | 'unpaid' | 'paused' | 'unknown' | 'past_due';

export interface Given {
  readonly plan: PlanMeaning;
  readonly status: 'active' | 'trialing' | 'past_due';
  /** Unix seconds. */
  readonly periodEnd: number | null;
}

/** `now` in Unix milliseconds. */
export function standing(sub: Understood, now: number): Standing {
  const word = wordOf(sub, now);
  const none: Standing = { gives: null, addons: false, access: false, word };
  if (ended(sub, now) || suspended(sub) || sub.writtenOff) return none;
  const { status } = sub;
  switch (status) {
    case 'trialing':
      return trialRunOut(sub, now) ? none : full(sub, status, word);
    case 'active':
      return full(sub, status, word);
    case 'past_due':
      return graceRunOut(sub, now) ? pastGrace(sub, now, word) : full(sub, status, word);
    default:
      return none;
  }
}

function full(sub: Understood, status: Given['status'], word: Word | null): Standing {
  const planItem = sub.settled?.planItem;
  const waiting = sub.spells.all.length > 0 && sub.settled === undefined;
  return {
    gives:
      planItem === undefined
        ? null
        : { plan: planItem.meaning, status, periodEnd: lastPeriodEnd(sub, planItem.item.price) },
    addons: !waiting,
    access: true,
    word,
  };
}

function pastGrace(sub: Understood, now: number, word: Word | null): Standing {
  const highest = sub.settled?.rank ?? Number.NEGATIVE_INFINITY;
  const own = sub.settled?.planItem?.meaning.name;
  const covered = sub.invoices
    .filter((invoice) => invoice.data.status === 'paid')
    .flatMap((invoice) => invoice.data.lines)
    .flatMap((line) => {
      const plan = sub.prices.ofLine(line.price);
      const { periodStart, periodEnd } = line;
      if (plan.kind !== 'plan' || plan.plan.rank > highest || !linePays(line)) return [];
      if (periodStart === null || periodEnd === null) return [];
      return periodStart * 1000 <= now && now < periodEnd * 1000 ? [{ plan, periodEnd }] : [];
    })
    .sort(
      (a, b) =>
        b.plan.plan.rank - a.plan.plan.rank ||
        Number(b.plan.name === own) - Number(a.plan.name === own) ||
        b.periodEnd - a.periodEnd ||
        (a.plan.name < b.plan.name ? -1 : 1),
    );
  const [best] = covered;
  return {
    gives: best === undefined ? null : { plan: best.plan, status: 'past_due', periodEnd: best.periodEnd },
    addons: false,
    access: best !== undefined,
    word,
  };
}

/** Period end of the last item that carried a price, told by `previous_attributes` included; of one list, the first. */
function lastPeriodEnd(sub: Understood, price: string): number | null {
  const carried = sub.ordered
    .flatMap((o) => [o.data.previous?.items ?? [], o.data.items])
    .flatMap((items) => items.filter((item) => item.price === price).slice(0, 1));
  return carried.at(-1)?.currentPeriodEnd ?? null;
}

function wordOf(sub: Understood, now: number): Word | null {
  const { status } = sub;
  if (status === 'canceled' || status === 'unpaid' || status === 'paused') return status;
  if (!KNOWN.includes(status)) return 'unknown';
  if (ended(sub, now)) return 'canceled';
  if (suspended(sub)) return 'paused';
  if (sub.writtenOff) return 'unpaid';
  if (status === 'past_due' && graceRunOut(sub, now)) return 'past_due';
  return null;
}

function ourClockCounts(sub: Understood): boolean {
  return sub.newest.data.testClock === null;
}
function ended(sub: Understood, now: number): boolean {
  return ourClockCounts(sub) && sub.cancelAt !== null && now >= sub.cancelAt;
}
function trialRunOut(sub: Understood, now: number): boolean {
  return ourClockCounts(sub) && sub.trialOver !== null && now >= sub.trialOver;
}
function graceRunOut(sub: Understood, now: number): boolean {
  return ourClockCounts(sub) && sub.graceOver !== null && now >= sub.graceOver;
}
function suspended(sub: Understood): boolean {
  return sub.catalog.policy.pauseCollection === 'suspend' && sub.newest.data.pauseCollection !== null;
}
