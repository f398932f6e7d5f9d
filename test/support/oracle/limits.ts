import type { Limit, Plan } from '../../../src/events/catalog.events.js';
import type { Given, Units } from './subscription-access.js';

export type Limits = Record<string, Limit>;

/** The greatest of the plans, what they give per unit included, and of grants, plus what add-ons give (DESIGN 8 "Combining"). */
export function limitsOf(
  fallback: Plan,
  given: readonly Pick<Given, 'plan' | 'quantity'>[],
  addons: readonly Units[],
  granted: readonly Limits[] = [],
): Limits {
  const limits: Limits = {};
  for (const one of [fallback.limits, ...given.map(ofPlan), ...granted]) {
    for (const [key, limit] of Object.entries(one)) limits[key] = greater(limits[key], limit);
  }
  for (const { addon, quantity } of addons) {
    for (const [key, perUnit] of Object.entries(addon.limits)) {
      limits[key] = plus(limits[key], perUnit, quantity);
    }
  }
  return limits;
}

function ofPlan({ plan: { plan }, quantity }: Pick<Given, 'plan' | 'quantity'>): Limits {
  const limits: Limits = { ...plan.limits };
  for (const [key, perUnit] of Object.entries(plan.perUnit)) {
    limits[key] = plus(limits[key], perUnit, quantity);
  }
  return limits;
}

function greater(a: Limit | undefined, b: Limit): Limit {
  if (a === undefined) return b;
  return a === 'unlimited' || b === 'unlimited' ? 'unlimited' : Math.max(a, b);
}

/** Sums saturate at 2^53 − 1. `units` is at least 1. */
function plus(base: Limit | undefined, perUnit: Limit, units: number): Limit {
  const from = base ?? 0;
  if (from === 'unlimited' || perUnit === 'unlimited') return 'unlimited';
  return Math.min(from + perUnit * units, Number.MAX_SAFE_INTEGER);
}
