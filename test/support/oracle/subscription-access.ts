import type { Addon } from '../../../src/events/catalog.events.js';
import type { SubscriptionItem } from '../../../src/events/subscription.events.js';
import type { Observation } from '../../../src/policy/facts.js';
import { TERMINAL } from './order.js';
import { isCredited, newestLine, type PaidLine } from './payments.js';
import type { PlanMeaning } from './prices.js';
import type { Understood } from './subscription.js';

/** What one subscription gives at an instant. `word` is said only when nothing gives a plan. */
export interface SubscriptionAccess {
  readonly gives: Given | null;
  /** Add-ons that count, in units, plan or not. */
  readonly addons: readonly Units[];
  /** Whether it gives access, be there a plan on it or not. */
  readonly access: boolean;
  readonly word: Word | null;
}
export type Word = 'canceled' | 'unpaid' | 'paused' | 'unknown' | 'past_due';

export interface Given {
  readonly plan: PlanMeaning;
  readonly status: 'active' | 'trialing' | 'past_due';
  /** Of the plan's item, for what it gives per unit. */
  readonly quantity: number;
  /** Unix seconds. */
  readonly periodEnd: number | null;
}

export interface Units {
  readonly addon: Addon;
  readonly quantity: number;
}

type Access = 'full' | 'paidOnly' | 'none';

/** `now` in Unix milliseconds. */
export function subscriptionAccess(sub: Understood, now: number): SubscriptionAccess {
  const access = accessByStatus(sub, now);
  if (access === 'none' || ended(sub, now) || suspended(sub)) {
    return { gives: null, addons: [], access: false, word: wordOf(sub, now) };
  }
  const covering = linesThatCover(sub, now);
  const waiting = sub.planPeriods.all.length > 0 && sub.settled === undefined;
  const addons = waiting ? [] : addonsOf(sub, access, covering);
  if (access === 'full' && !sub.lost.plan) {
    const held = heldPlan(sub);
    const status = sub.status === 'trialing' || sub.status === 'past_due' ? sub.status : 'active';
    // One of which something is written off says past due while it gives a plan.
    const word = held !== null && sub.lost.addons.length > 0 ? 'past_due' : wordOf(sub, now);
    return { gives: held === null ? null : { ...held, status }, addons, access: true, word };
  }
  // What was paid for stays; whatever the subscription's status, that is past due.
  const kept = paidPlan(sub, covering);
  if (kept === null) return { gives: null, addons, access: false, word: wordOf(sub, now) };
  return { gives: { ...kept, status: 'past_due' }, addons, access: true, word: 'past_due' };
}

function accessByStatus(sub: Understood, now: number): Access {
  switch (sub.status) {
    case 'trialing':
      return trialRunOut(sub, now) ? 'none' : 'full';
    case 'active':
      return 'full';
    case 'past_due':
      return graceRunOut(sub, now) ? 'paidOnly' : 'full';
    case 'unpaid':
      return 'paidOnly';
    default:
      return 'none';
  }
}

type Held = Omit<Given, 'status'>;

function heldPlan(sub: Understood): Held | null {
  const planItem = sub.settled?.planItem;
  if (planItem === undefined) return null;
  const { price } = planItem.item;
  const whole = sub.ordered.filter((o) => !o.data.itemsTruncated);
  return {
    plan: planItem.meaning,
    quantity: lastItem(whole, price)?.quantity ?? 1,
    periodEnd: lastItem(sub.ordered, price)?.currentPeriodEnd ?? null,
  };
}

interface PlanLine {
  readonly line: PaidLine;
  readonly meaning: PlanMeaning;
}

/** The settled plan period's plan where a line of it or of a higher plan covers now, else the highest that a line covers. */
function paidPlan(sub: Understood, covering: readonly PaidLine[]): Held | null {
  const own = sub.settled?.planItem;
  if (sub.settled !== undefined && own === undefined) return null;
  const ofPlans = covering.flatMap((line): PlanLine[] => {
    const meaning = sub.prices.meaningOf(line.price);
    return meaning.kind === 'plan' ? [{ line, meaning }] : [];
  });
  const keeping = ofPlans.filter(
    ({ meaning }) =>
      own !== undefined && (meaning.name === own.meaning.name || meaning.plan.rank > own.meaning.plan.rank),
  );
  if (own !== undefined && keeping.length > 0) {
    const lines = keeping.map(({ line }) => line);
    const ofItsPrice = lines.filter((line) => line.price === own.item.price);
    return {
      plan: own.meaning,
      quantity: noMoreThanHeld(sub, own.item.price, ofItsPrice.length > 0 ? ofItsPrice : lines),
      periodEnd: lastEnd(lines),
    };
  }
  const [best] = ofPlans.sort(
    (a, b) =>
      b.meaning.plan.rank - a.meaning.plan.rank ||
      (b.line.periodEnd ?? 0) - (a.line.periodEnd ?? 0) ||
      (a.meaning.name < b.meaning.name ? -1 : 1),
  );
  if (best === undefined) return null;
  const lines = ofPlans.filter(({ meaning }) => meaning.name === best.meaning.name).map(({ line }) => line);
  const price = newestLine(lines)?.price ?? best.line.price;
  return { plan: best.meaning, quantity: noMoreThanHeld(sub, price, lines), periodEnd: lastEnd(lines) };
}

function lastEnd(lines: readonly PaidLine[]): number {
  return Math.max(...lines.map(({ periodEnd }) => periodEnd ?? 0));
}

/** Quantity of the newest of `lines`, no more than the last item that carried `price`. */
function noMoreThanHeld(sub: Understood, price: string, lines: readonly PaidLine[]): number {
  const paid = newestLine(lines)?.quantity ?? 0;
  const item = lastItem(
    sub.ordered.filter((o) => !o.data.itemsTruncated),
    price,
  );
  return item === undefined ? paid : Math.min(paid, item.quantity ?? 1);
}

function addonsOf(sub: Understood, access: Access, covering: readonly PaidLine[]): Units[] {
  return (sub.newestItems?.data.items ?? []).flatMap((item): Units[] => {
    const meaning = sub.prices.meaningOf(item.price);
    if (meaning.kind !== 'addon') return [];
    const whole = access === 'full' && !sub.lost.addons.includes(meaning.name);
    const quantity = whole ? (item.quantity ?? 1) : paidQuantity(item, covering);
    return quantity === 0 ? [] : [{ addon: meaning.addon, quantity }];
  });
}

function paidQuantity(item: SubscriptionItem, covering: readonly PaidLine[]): number {
  const newest = newestLine(covering.filter((line) => line.price === item.price));
  return Math.min(newest?.quantity ?? 0, item.quantity ?? 1);
}

/** Lines that paid whose period holds now and that nothing paid later took back; under a test clock its own second counts. */
function linesThatCover(sub: Understood, now: number): PaidLine[] {
  const at = ourClockCounts(sub) ? now : sub.newest.created * 1000;
  return sub.paid.filter(
    (line) =>
      line.periodStart !== null &&
      line.periodEnd !== null &&
      line.periodStart * 1000 <= at &&
      at < line.periodEnd * 1000 &&
      !isCredited(line, sub.counting),
  );
}

/** The last item that carried a price, told by `previous_attributes` included; of one list, the first. */
function lastItem(ordered: readonly Observation[], price: string): SubscriptionItem | undefined {
  return ordered
    .flatMap((o) => [o.data.previous?.items ?? [], o.data.items])
    .flatMap((items) => items.filter((item) => item.price === price).slice(0, 1))
    .at(-1);
}

const KNOWN = ['trialing', 'active', 'past_due', 'unpaid', 'paused', 'incomplete', ...TERMINAL];

function wordOf(sub: Understood, now: number): Word | null {
  const { status } = sub;
  if (status === 'canceled' || status === 'unpaid' || status === 'paused') return status;
  if (!KNOWN.includes(status)) return 'unknown';
  if (ended(sub, now)) return 'canceled';
  if (suspended(sub)) return 'paused';
  if (sub.lost.plan || sub.lost.addons.length > 0) return 'unpaid';
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
