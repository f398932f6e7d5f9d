import type { Limit, PlanCatalog } from '../../events/catalog.events.js';
import type { PlanChoice } from '../../plans/plan-order.js';

/** A limit of which more is used than would be allowed. */
export interface ExceededLimit {
  readonly limit: string;
  readonly used: number;
  readonly allowed: number;
}

type Held = Pick<PlanChoice, 'plan' | 'quantity' | 'addons'>;

/**
 * The limits that a change from `held` to `wanted` would leave exceeded, by name. `limits` are those of the user now: what
 * grants, purchases, overrides and other subscriptions add to `held` stays. What is exceeded already and does not become less
 * is no reason against the change.
 */
export function exceededLimits(
  catalog: PlanCatalog,
  { held, wanted }: { readonly held: Held; readonly wanted: Held },
  limits: Readonly<Record<string, Limit>>,
  usage: ReadonlyMap<string, number>,
): readonly ExceededLimit[] {
  return [...usage]
    .flatMap(([limit, used]) => {
      const [before, after] = [limitOf(catalog, held, limit), limitOf(catalog, wanted, limit)];
      const now = limits[limit] ?? 0;
      if (after === 'unlimited' || (now === 'unlimited' && before !== 'unlimited')) return [];
      const beside = now === 'unlimited' || before === 'unlimited' ? 0 : now - before;
      const allowed = Math.max(0, after + beside);
      const isLess = now === 'unlimited' || allowed < now;
      return isLess && used > allowed ? [{ limit, used, allowed }] : [];
    })
    .sort((a, b) => (a.limit < b.limit ? -1 : 1));
}

/** What the default plan and a choice give of a limit (DESIGN 8, "Combining"). */
function limitOf({ plans, addons, default: fallback }: PlanCatalog, choice: Held, limit: string): Limit {
  const parts: Limit[] = [plans[fallback]?.limits[limit] ?? 0];
  const plan = plans[choice.plan];
  if (plan !== undefined) {
    const base = plan.limits[limit] ?? 0;
    parts.push(base === 'unlimited' ? base : base + (plan.perUnit[limit] ?? 0) * choice.quantity);
  }
  let sum: Limit = parts.includes('unlimited') ? 'unlimited' : Math.max(...parts.map(Number));
  for (const [name, units] of Object.entries(choice.addons)) {
    const each = addons[name]?.limits[limit] ?? 0;
    if (units === 0) continue;
    sum = sum === 'unlimited' || each === 'unlimited' ? 'unlimited' : sum + each * units;
  }
  return sum;
}
