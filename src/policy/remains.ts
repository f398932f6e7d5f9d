import { areMany } from './kept-payments.js';
import { compareText } from './order.js';
import { compareNewest, groupedBy, type PaidLine } from './paid-line.js';
import type { Payments } from './payments.js';
import type { PlanPeriod } from './plan-periods.js';
import type { NamedPlan, PriceBook } from './price-book.js';
import { firstOverTime, type Step, valueAt } from './time-intervals.js';
import { isPlanOrHigher } from './written-off.js';

/**
 * What stays of a subscription after grace, under `unpaid` and of what was written off: what a line that paid covers, for
 * every instant (Unix seconds).
 */
export interface Remains {
  /** The line that the plan stays by, and the plan. */
  readonly plan: readonly Step<PlanLine>[];
  /** The newest line that covers, of each plan that stays by lines, by its name. */
  readonly newestOfPlan: ReadonlyMap<string, readonly Step<PlanLine>[]>;
  /** The newest line that covers, by price. */
  readonly newest: ReadonlyMap<string, readonly Step<PaidLine>[]>;
  readonly turns: TurningPoints;
}

/**
 * Instants (Unix seconds), ascending, at which what a subscription gives may change: in what access hangs on, or, where they
 * are not among those, only in how long it is paid for.
 */
export interface TurningPoints {
  readonly access: readonly number[];
  readonly dates: readonly number[];
}

/** A line that paid for a plan, and the plan that stays by it. */
export interface PlanLine extends PaidLine {
  readonly gives: NamedPlan;
}

/**
 * The plan of the plan period that access follows stays where a line that paid, of that or a higher plan, covers; else the highest plan
 * that one covers. A stretch without a plan stays without one.
 */
export function remainsOf(
  payments: Payments,
  book: PriceBook,
  followed: Pick<PlanPeriod, 'of'> | null,
): Remains {
  const own = followed === null ? undefined : (followed.of?.plan ?? null);
  const before = kept.get(payments);
  if (before !== undefined && before.own === own && isReadAlike(before.plans, book)) return before.remains;
  const remains = remainsFrom(payments, book, followed);
  if (!areMany(payments)) return remains;
  const plans = new Map(payments.lines.map(({ price }) => [price, book.planOf(price)]));
  kept.set(payments, { own, plans, remains });
  return remains;
}

/** What stays, with what it rests on beside the payments: the plan that access follows, and of which plan each price is. */
interface Kept {
  readonly own: NamedPlan | null | undefined;
  readonly plans: ReadonlyMap<string, NamedPlan | null>;
  readonly remains: Remains;
}

/** Kept as long as the payments are. */
const kept = new WeakMap<Payments, Kept>();

function isReadAlike(plans: Kept['plans'], book: PriceBook): boolean {
  return [...plans].every(([price, plan]) => book.planOf(price) === plan);
}

function remainsFrom(payments: Payments, book: PriceBook, followed: Pick<PlanPeriod, 'of'> | null): Remains {
  const lines = payments.lines.filter((line) => !payments.isCredited(line));
  const own = followed?.of?.plan ?? null;
  const planLines = followed !== null && own === null ? [] : planLinesOf(lines, book, own);
  const plan = firstOverTime(planLines, (a, b) => comparePlanLines(a, b, own));
  const newestOfPlan = newestOverTime(planLines, ({ gives }) => gives.name);
  const newest = newestOverTime(lines, ({ price }) => price);
  return { plan, newestOfPlan, newest, turns: turnsOf(plan, newestOfPlan, newest) };
}

function newestOverTime<T extends PaidLine>(
  lines: readonly T[],
  keyOf: (line: T) => string,
): ReadonlyMap<string, readonly Step<T>[]> {
  return new Map(
    [...groupedBy(lines, keyOf)].map(([key, group]) => [key, firstOverTime(group, compareNewest)]),
  );
}

/** Lines matter by their price and units alone; of the plan's line its end is told, and nothing hangs on that. */
function turnsOf(
  plan: Remains['plan'],
  newestOfPlan: Remains['newestOfPlan'],
  newest: Remains['newest'],
): TurningPoints {
  const areSameUnits = (a: PaidLine, b: PaidLine): boolean => a.price === b.price && a.units === b.units;
  const units = [...newest.values(), ...newestOfPlan.values()].flatMap((steps) =>
    turnsIn(steps, areSameUnits),
  );
  const access = new Set([...units, ...turnsIn(plan, (a, b) => a.gives === b.gives)]);
  return { access: [...access].sort((a, b) => a - b), dates: plan.map(({ from }) => from) };
}

/** Where a step's value is not the same as the one before it. */
function turnsIn<T>(steps: readonly Step<T>[], isSame: (a: T, b: T) => boolean): readonly number[] {
  return steps
    .filter(({ value }, nth) => {
      const before = steps[nth - 1]?.value ?? null;
      return value === null || before === null ? value !== before : !isSame(before, value);
    })
    .map(({ from }) => from);
}

/** What stays of one price at an instant: the units of its newest line that covers. */
export function unitsThatStay({ newest }: Remains, price: string, instant: number): number {
  return valueAt(newest.get(price) ?? [], instant)?.units ?? 0;
}

/**
 * The line that a plan stays in the units of, at an instant at which it stays: the newest that covers of the price of its item, else of
 * those of other prices.
 */
export function lineOfUnits(
  { newest, newestOfPlan }: Remains,
  plan: NamedPlan,
  price: string | null,
  instant: number,
): PaidLine | null {
  const ofItem = price === null ? null : valueAt(newest.get(price) ?? [], instant);
  return ofItem ?? valueAt(newestOfPlan.get(plan.name) ?? [], instant);
}

function planLinesOf(
  lines: readonly PaidLine[],
  book: PriceBook,
  own: NamedPlan | null,
): readonly PlanLine[] {
  return lines.flatMap((line) => {
    const plan = book.planOf(line.price);
    if (plan === null) return [];
    return [{ ...line, gives: own !== null && isPlanOrHigher(plan, own) ? own : plan }];
  });
}

/** The period's own plan first, then the highest; of several lines the one that covers longest. */
function comparePlanLines(a: PlanLine, b: PlanLine, own: NamedPlan | null): number {
  return (
    Number(b.gives === own) - Number(a.gives === own) ||
    b.gives.plan.rank - a.gives.plan.rank ||
    b.end - a.end ||
    compareText(a.gives.name, b.gives.name)
  );
}
