import { compareText } from './order.js';
import { byPrice, compareNewest, type PaidLine, type Payments } from './payments.js';
import type { NamedPlan, PriceBook } from './prices.js';
import type { Spell } from './spells.js';
import { firstOverTime, type Step, valueAt } from './stretches.js';
import { isPlanOrHigher } from './written-off.js';

/**
 * What stays of a subscription after grace, under `unpaid` and of what was written off: what a line that paid covers, for
 * every instant (Unix seconds).
 */
export interface Remains {
  /** The line that the plan stays by, and the plan. */
  readonly plan: readonly Step<PlanLine>[];
  /** Of each price the newest line that covers. */
  readonly newest: ReadonlyMap<string, readonly Step<PaidLine>[]>;
  readonly turns: TurningPoints;
}

/**
 * Instants (Unix seconds) at which what a subscription gives may change: in what access hangs on, or only in how long it
 * is paid for.
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
 * The plan of the spell that access follows stays where a line that paid, of that or a higher plan, covers; else the highest plan
 * that one covers. A stretch without a plan stays without one.
 */
export function remainsOf(payments: Payments, book: PriceBook, followed: Spell | null): Remains {
  const lines = payments.lines.filter((line) => !payments.isCredited(line));
  const own = followed?.of?.plan ?? null;
  const planLines = followed !== null && own === null ? [] : planLinesOf(lines, book, own);
  const plan = firstOverTime(planLines, (a, b) => comparePlanLines(a, b, own));
  const newest = new Map(
    [...byPrice(lines)].map(([price, ofPrice]) => [price, firstOverTime(ofPrice, compareNewest)]),
  );
  return { plan, newest, turns: turnsOf(plan, newest) };
}

/** Of one price the lines matter by their units alone; of the plan's line its end is told, and nothing hangs on that. */
function turnsOf(plan: Remains['plan'], newest: Remains['newest']): TurningPoints {
  const units = [...newest.values()].flatMap((steps) => turnsIn(steps, (a, b) => a.units === b.units));
  const isSamePlan = (a: PlanLine, b: PlanLine): boolean => a.gives === b.gives && a.price === b.price;
  const ofPlan = new Set(turnsIn(plan, isSamePlan));
  const dates = plan.map(({ from }) => from).filter((from) => !ofPlan.has(from));
  return { access: [...units, ...ofPlan], dates };
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

/** The spell's own plan first, then the highest; of several lines the one that covers longest, then the newest. */
function comparePlanLines(a: PlanLine, b: PlanLine, own: NamedPlan | null): number {
  return (
    Number(b.gives === own) - Number(a.gives === own) ||
    b.gives.plan.rank - a.gives.plan.rank ||
    b.end - a.end ||
    compareText(a.gives.name, b.gives.name) ||
    compareNewest(a, b) ||
    compareText(a.price, b.price)
  );
}
