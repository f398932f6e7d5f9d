import { type Access, comparedEndOf, idOf } from './access.js';
import { compareText } from './order.js';
import type { NamedPlan } from './price-book.js';

/** What gives a plan: a subscription, a purchase, or a grant. */
export type Giving = Access & {
  readonly plan: NamedPlan;
  readonly status: NonNullable<Access['status']>;
};

const STATUS_ORDER = { active: 0, trialing: 1, granted: 2, past_due: 3 } as const;

/** What decides which of several sources gives plan and role, the first that tells them apart. */
export const PREFERENCES = [
  { rule: 'highest_rank', compare: (a: Giving, b: Giving) => b.plan.plan.rank - a.plan.plan.rank },
  {
    rule: 'better_status',
    compare: (a: Giving, b: Giving) => STATUS_ORDER[a.status] - STATUS_ORDER[b.status],
  },
  {
    rule: 'later_end',
    compare: (a: Giving, b: Giving) => compareNumbers(comparedEndOf(b), comparedEndOf(a)),
  },
  {
    rule: 'smaller_id',
    compare: (a: Giving, b: Giving) => compareText(idOf(a), idOf(b)),
  },
] as const;

/** Whether an access gives a plan. */
export function givesPlan<Kind extends Access>(access: Kind): access is Kind & Giving {
  return access.access && access.plan !== null && access.status !== null;
}

/** The one that plan, role and status are taken of first. */
export function compareGiving(a: Giving, b: Giving): number {
  for (const { compare } of PREFERENCES) {
    const order = compare(a, b);
    if (order !== 0) return order;
  }
  return 0;
}

/** Ascending; also of infinite ones, whose difference is no number. */
function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
