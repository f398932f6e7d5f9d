import type { Limit, Plan } from '../events/catalog.events.js';
import type { Access } from './access.js';
import type { GrantAccess } from './grants.js';
import type { NamedPlan } from './price-book.js';
import type { GivenAddon } from './subscription-state.js';

/** A limit as it adds up: the greatest of plans and grants, `of` which plan, and the add-ons that give of it per unit on top. */
export interface LimitSum {
  limit: Limit;
  readonly greatest: Limit;
  readonly of: NamedPlan | null;
  /** What gives that plan, or as a grant the limit itself; `null` of the default plan. */
  readonly by: Access | null;
  addons: readonly GivenAddon[];
}

const NO_ADDONS: readonly GivenAddon[] = [];

/** The greatest limit of plans and grants, and what add-ons give per unit on top. */
export function limitsOf(
  fallback: NamedPlan,
  giving: readonly (Access & { readonly plan: NamedPlan })[],
  grants: readonly GrantAccess[],
  addons: readonly GivenAddon[],
): ReadonlyMap<string, LimitSum> {
  const limits = new Map<string, LimitSum>();
  const raise = (given: Iterable<[string, Limit]>, of: NamedPlan | null, by: Access | null): void => {
    for (const [key, limit] of given) {
      const known = limits.get(key);
      if (known !== undefined && !isGreater(limit, known.greatest)) continue;
      limits.set(key, { limit, greatest: limit, of, by, addons: NO_ADDONS });
    }
  };
  raise(planLimits(fallback.plan, 0), fallback, null);
  for (const by of giving) raise(planLimits(by.plan.plan, by.units), by.plan, by);
  for (const by of grants) raise(Object.entries(by.limits), null, by);
  for (const held of addons) {
    for (const [key, perUnit] of Object.entries(held.addon.limits)) {
      const known = limits.get(key) ?? { limit: 0, greatest: 0, of: null, by: null, addons: NO_ADDONS };
      known.limit = plus(known.limit, perUnit, held.units);
      known.addons = [...known.addons, held];
      limits.set(key, known);
    }
  }
  return limits;
}

/** Limits of a plan whose price is held in so many units. */
export function planLimits({ limits, perUnit }: Plan, units: number): ReadonlyMap<string, Limit> {
  const found = new Map(Object.entries(limits));
  for (const [key, each] of Object.entries(perUnit)) {
    found.set(key, plus(found.get(key) ?? 0, each, units));
  }
  return found;
}

function isGreater(a: Limit, b: Limit): boolean {
  if (a === 'unlimited' || b === 'unlimited') return a !== b && a === 'unlimited';
  return a > b;
}

/** Sums saturate at 2^53−1, the last whole number that JSON can say (DESIGN 5). */
function plus(limit: Limit, perUnit: Limit, units: number): Limit {
  if (limit === 'unlimited' || perUnit === 'unlimited') return 'unlimited';
  return Math.min(limit + perUnit * units, Number.MAX_SAFE_INTEGER);
}
