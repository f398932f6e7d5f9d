import type { SubscriptionItem } from '../events/subscription.events.js';
import type { Observation } from './facts.js';
import { type Edit, isKept, keptThroughEdits } from './growing-list.js';
import { namesTheSame } from './held-items.js';
import { NamedPrices } from './named-prices.js';
import { asksNothingInAdvance, type PlanItem, planItem } from './plan-item.js';
import type { PriceBook } from './price-book.js';

/**
 * An unbroken stretch of a subscription with one plan price (DESIGN 8). Times are Unix seconds.
 * `of` is `null` for a stretch without a plan. `begin` is the second of `from`, −Infinity when it was there before anything
 * was seen.
 * `told` is the observation that told of it first, `seen` its own first one, `null` when it was only told of by what came
 * after it. `before` is the last observation before its price was named without a break, `null` when there is none.
 * `trialed` is the first observation that says that the subscription was `trialing` in it. `asking` is the first that shows
 * that its price asks for something in advance; of a stretch without a plan, that a price of an add-on in it does.
 */
export interface PlanPeriod {
  readonly of: PlanItem | null;
  readonly begin: number;
  readonly from: Observation | null;
  readonly told: Observation;
  readonly seen: Observation | null;
  readonly before: Observation | null;
  readonly trialed: Observation | null;
  readonly asking: Observation | null;
}

/** A period under construction: only these still change. */
interface OpenPeriod extends PlanPeriod {
  seen: Observation | null;
  trialed: Observation | null;
  asking: Observation | null;
}

/**
 * Cuts the ordered observations of a subscription into periods, oldest first. Observations whose items were cut are
 * skipped, but for their status. Where `previous_attributes` name a plan price other than the observation before had, an
 * unseen period of that price lies between, beginning at the observation before it.
 */
export function planPeriodsOf(ordered: readonly Observation[], book: PriceBook): readonly PlanPeriod[] {
  if (!isKept(ordered)) return new PlanPeriodCutter(book).see(ordered).periods;
  let cut = cutters.get(book);
  if (cut === undefined) {
    cut = keptThroughEdits<Observation, PlanPeriodCutter>(
      (observations) => new PlanPeriodCutter(book).see(observations),
      (cutter, added) => cutter.see(added),
      (cutter, edit, observations) => cutter.seeAgain(edit, observations),
    );
    cutters.set(book, cut);
  }
  return cut(ordered).periods;
}

const cutters = new WeakMap<PriceBook, (ordered: readonly Observation[]) => PlanPeriodCutter>();

/** Count of observations between two states that a cutter remembers. */
const STRIDE = 64;

/** How far a cutter was after `seen` observations: how many periods it had before the last one, that, and what was named. */
interface Mark {
  readonly seen: number;
  readonly closed: number;
  readonly open: OpenPeriod | null;
  readonly namedPrices: NamedPrices;
}

/** Cuts periods of observations as they come, in order. */
class PlanPeriodCutter {
  periods: OpenPeriod[] = [];
  #namedPrices = new NamedPrices();
  #seen = 0;
  #marks: Mark[] = [];

  constructor(private readonly book: PriceBook) {}

  see(observations: readonly Observation[]): this {
    for (const observation of observations) {
      this.#see(observation);
      this.#seen += 1;
      if (this.#seen - (this.#marks.at(-1)?.seen ?? 0) >= STRIDE) this.#marks.push(this.#mark());
    }
    return this;
  }

  /**
   * Sees observations anew where others came between them: from the last mark before that, to the first one after it that
   * is reached in the state of before. What follows was cut rightly.
   */
  seeAgain({ at, removed, added }: Edit<Observation>, observations: readonly Observation[]): this {
    const { periods: cut, seen: all } = { periods: this.periods, seen: this.#seen };
    const { marks, namedPrices } = { marks: this.#marks, namedPrices: this.#namedPrices };
    const moved = added.length - removed.length;
    const before = marks.filter(({ seen }) => seen <= at);
    const after = marks.filter(({ seen }) => seen >= at + removed.length && seen > at);
    this.#goBackTo(before);
    for (const mark of after) {
      this.see(observations.slice(this.#seen, mark.seen + moved));
      const here = this.#mark();
      if (!isSameMark(mark, here)) continue;
      const [open, ...rest] = cut.slice(mark.closed);
      if (open !== undefined) this.periods.splice(here.closed, 1, open);
      for (const period of rest) this.periods.push(period);
      const later = after.filter(({ seen }) => seen > mark.seen);
      for (const each of later) {
        const closed = each.closed + here.closed - mark.closed;
        this.#marks.push({ ...each, seen: each.seen + moved, closed });
      }
      this.#namedPrices = namedPrices;
      this.#seen = all + moved;
      return this;
    }
    return this.see(observations.slice(this.#seen));
  }

  #goBackTo(marks: readonly Mark[]): void {
    const mark = marks.at(-1);
    const closed = this.periods.slice(0, mark?.closed ?? 0);
    this.periods = mark?.open == null ? closed : [...closed, { ...mark.open }];
    this.#namedPrices = mark?.namedPrices.copy() ?? new NamedPrices();
    this.#seen = mark?.seen ?? 0;
    this.#marks = [...marks];
  }

  #mark(): Mark {
    const open = this.periods.at(-1);
    return {
      seen: this.#seen,
      closed: Math.max(0, this.periods.length - 1),
      open: open === undefined ? null : { ...open },
      namedPrices: this.#namedPrices.copy(),
    };
  }

  #see(observation: Observation): void {
    const { data } = observation;
    if (data.itemsTruncated) {
      const current = this.periods.at(-1);
      if (current !== undefined && data.status === 'trialing') current.trialed ??= observation;
      return;
    }
    const before = this.periods.at(-1);
    if (before !== undefined && namesTheSame(this.#namedPrices.lastSeen, observation)) {
      this.#namedPrices.lastSeen = observation;
      if (saysTrialing(observation)) before.trialed ??= observation;
      return;
    }
    if (data.previous?.items !== undefined) {
      const unseen = this.#enter(data.previous.items, this.#namedPrices.lastSeen, observation);
      if ((data.previous.status ?? data.status) === 'trialing') unseen.trialed ??= observation;
      if (before !== undefined && unseen !== before) this.#namedPrices.breakAt(data.previous.items);
    }
    this.#namedPrices.see(observation);
    const period = this.#enter(data.items, observation, observation);
    period.seen ??= observation;
    if (saysTrialing(observation)) period.trialed ??= observation;
  }

  #enter(items: readonly SubscriptionItem[], from: Observation | null, told: Observation): OpenPeriod {
    const of = planItem(items, this.book);
    const asks = of === null ? asksForAddon(items, this.book) : !asksNothingInAdvance(of.item);
    const current = this.periods.at(-1);
    if (current !== undefined && priceOf(current.of) === priceOf(of)) {
      if (of === null && asks) current.asking ??= told;
      return current;
    }
    const before = of === null ? null : this.#namedPrices.lastBefore(of.item.price);
    const period: OpenPeriod = {
      of,
      begin: from?.created ?? Number.NEGATIVE_INFINITY,
      from,
      told,
      seen: null,
      before,
      trialed: null,
      asking: asks ? told : null,
    };
    this.periods.push(period);
    return period;
  }
}

/** Whether an observation says that the subscription was `trialing` with its items. */
function saysTrialing({ data: { status, previous } }: Observation): boolean {
  return status === 'trialing' || (previous?.items === undefined && previous?.status === 'trialing');
}

/** Whether all that is seen next is cut alike after two marks. */
function isSameMark(a: Mark, b: Mark): boolean {
  return isSamePeriod(a.open, b.open) && a.namedPrices.isSame(b.namedPrices);
}

function isSamePeriod(a: PlanPeriod | null, b: PlanPeriod | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.from === b.from &&
    a.told === b.told &&
    a.seen === b.seen &&
    a.before === b.before &&
    a.trialed === b.trialed &&
    a.asking === b.asking &&
    a.of?.plan === b.of?.plan &&
    JSON.stringify(a.of?.item) === JSON.stringify(b.of?.item)
  );
}

/** Rank of a period's plan; that of no plan is below all. */
export function rankOf(planPeriod: PlanPeriod): number {
  return planPeriod.of?.plan.plan.rank ?? Number.NEGATIVE_INFINITY;
}

function priceOf(of: PlanItem | null): string | null {
  return of === null ? null : of.item.price;
}

function asksForAddon(items: readonly SubscriptionItem[], book: PriceBook): boolean {
  return items.some((item) => book.addonOf(item.price) !== null && !asksNothingInAdvance(item));
}
