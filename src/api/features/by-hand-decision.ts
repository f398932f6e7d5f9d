import type { PlanCatalog } from '../../events/catalog.events.js';
import { keysOf } from '../../policy/catalog-keys.js';
import { originOfFeature, originOfLimit, withoutOverrides } from '../../policy/combination-origins.js';
import { type Combination, entitlementOf } from '../../policy/combine.js';
import type { Entitlement } from '../../policy/entitlement.js';
import { decideFeature, type FeatureDecision, type FeatureQuestion } from './feature-decision.js';

/**
 * The answer about a feature or limit of a user who has something by hand: as of anybody, with the reasons `override` and
 * `granted` where these decide (DESIGN 10). Pure.
 */
export function decideByHand(
  snapshot: Entitlement,
  combination: Combination,
  catalog: PlanCatalog,
  question: FeatureQuestion,
): FeatureDecision {
  const decision = decideFeature(snapshot, catalog, question);
  if (decision.reason === 'unknown_feature') return decision;
  const { features, limits } = entitlementOf(withoutOverrides(combination));
  const without = decideFeature({ ...snapshot, features, limits }, catalog, question);
  if (decision.allowed === without.allowed) {
    return decision.allowed
      ? { ...decision, reason: originOf(combination, catalog, question) ?? decision.reason }
      : decision;
  }
  const { upgradeTo: _, ...answer } = decision;
  return { ...answer, reason: 'override' };
}

/** A key that is feature and limit needs both: the limit says why, as it decides last. */
function originOf(
  combination: Combination,
  catalog: PlanCatalog,
  { key, amount, used }: FeatureQuestion,
): FeatureDecision['reason'] | null {
  return keysOf(catalog).limits.has(key)
    ? originOfLimit(combination, key, (used ?? 0) + amount)
    : originOfFeature(combination, key);
}
