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
  return {
    plan: firstOverTime(planLines, (a, b) => comparePlanLines(a, b, own)),
    newest: new Map(
      [...byPrice(lines)].map(([price, ofPrice]) => [price, firstOverTime(ofPrice, compareNewest)]),
    ),
  };
}

/** What stays of one price at an instant: the units of its newest line that covers. */
export function unitsThatStay({ newest }: Remains, price: string, instant: number): number {
  return valueAt(newest.get(price) ?? [], instant)?.units ?? 0;
}

/** Instants (Unix seconds) at which what stays may change. */
export function turningPointsOf({ plan, newest }: Remains): readonly number[] {
  return [plan, ...newest.values()].flatMap((steps) => steps.map(({ from }) => from));
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
