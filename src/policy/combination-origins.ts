import type { Limit } from '../events/catalog.events.js';
import { type Combination, entitlementOf, overriddenLimits } from './combine.js';
import { planLimits } from './limits.js';
import { type OverrideAccess, overridden } from './overrides.js';

/** The same as if nothing were set by hand. */
export function withoutOverrides(combination: Combination): Combination {
  return { ...combination, overrides: [] };
}

/** What an override makes of its key: `value` holds, `planValue` would without overrides; `overrideValue` is `null` while it does nothing. */
export interface OverrideOutcome {
  readonly override: OverrideAccess;
  readonly value: boolean | Limit;
  readonly planValue: boolean | Limit;
  readonly overrideValue: boolean | Limit | null;
}

/** What each override makes of its key, in the order of the combination. */
export function overrideOutcomes(combination: Combination): readonly OverrideOutcome[] {
  const features = new Set(entitlementOf(combination).features);
  const byPlan = new Set(entitlementOf(withoutOverrides(combination)).features);
  const limits = overriddenLimits(combination);
  return combination.overrides.map((override) => {
    const { facts, effect } = override;
    if (facts.kind === 'feature') {
      const overrideValue = effect?.kind === 'feature' ? effect.isOn : null;
      return { override, value: features.has(facts.key), planValue: byPlan.has(facts.key), overrideValue };
    }
    const planValue = combination.limits.get(facts.key)?.limit ?? 0;
    const overrideValue = effect?.kind === 'limit' ? overridden(effect, planValue) : null;
    return { override, value: limits.get(facts.key) ?? 0, planValue, overrideValue };
  });
}

/** Origin of what a user has, the first that fits (DESIGN 10, "Feature answers"). */
export type Origin = 'in_plan' | 'grace' | 'granted' | 'addon';

/** Origin of a feature that a user has, overrides left aside; `null` where nothing gives it. */
export function originOfFeature({ fallback, giving, accesses }: Combination, key: string): Origin | null {
  const has = ({ features }: { readonly features: readonly string[] }): boolean => features.includes(key);
  const plansOf = (isOf: (status: string) => boolean): boolean =>
    giving.some(({ status, plan }) => isOf(status) && has(plan.plan));
  if (has(fallback.plan) || plansOf((status) => status === 'active' || status === 'trialing'))
    return 'in_plan';
  if (plansOf((status) => status === 'past_due')) return 'grace';
  if (plansOf((status) => status === 'granted')) return 'granted';
  if (accesses.some((access) => access.kind === 'grant' && has(access))) return 'granted';
  return accesses.some(({ addons }) => addons.some(({ addon }) => has(addon))) ? 'addon' : null;
}

/** Origin of a limit that allows so much, overrides left aside; `null` where nothing gives as much. */
export function originOfLimit(
  { fallback, giving, accesses, limits }: Combination,
  key: string,
  wanted: number,
): Origin | null {
  const fits = (limit: Limit | undefined): boolean =>
    limit === 'unlimited' || (limit !== undefined && wanted <= limit);
  const plansOf = (isOf: (status: string) => boolean): boolean =>
    giving.some(({ status, plan, units }) => isOf(status) && fits(planLimits(plan.plan, units).get(key)));
  if (fits(planLimits(fallback.plan, 0).get(key))) return 'in_plan';
  if (plansOf((status) => status === 'active' || status === 'trialing')) return 'in_plan';
  if (plansOf((status) => status === 'past_due')) return 'grace';
  if (plansOf((status) => status === 'granted')) return 'granted';
  const byGrant = accesses.some(
    (access) => access.kind === 'grant' && Object.hasOwn(access.limits, key) && fits(access.limits[key]),
  );
  if (byGrant) return 'granted';
  return fits(limits.get(key)?.limit) ? 'addon' : null;
}
