import type { PlanCatalog } from '../../events/catalog.events.js';
import type { OverrideKind } from '../../events/override.events.js';
import { ProblemError } from '../../http/problem.js';
import { keysOf } from '../../policy/catalog-keys.js';
import type { GrantRequest } from './grants.schemas.js';

/** Holds that a catalogue has all that a grant gives. @throws ProblemError `unknown_plan`, `unknown_addon`, `unknown_key` */
export function checkNames(
  catalog: PlanCatalog,
  { plan, addons = {}, features = [], limits = {} }: GrantRequest,
): void {
  if (plan !== undefined && !Object.hasOwn(catalog.plans, plan)) {
    throw new ProblemError('unknown_plan', `The catalogue has no plan "${plan}".`);
  }
  for (const name of Object.keys(addons)) {
    if (Object.hasOwn(catalog.addons, name)) continue;
    throw new ProblemError('unknown_addon', `The catalogue has no add-on "${name}".`);
  }
  for (const key of features) checkKey(catalog, 'feature', key);
  for (const key of Object.keys(limits)) checkKey(catalog, 'limit', key);
}

/** Holds that a catalogue has a feature, or a limit, of this key. @throws ProblemError `unknown_key` */
export function checkKey(catalog: PlanCatalog, kind: OverrideKind, key: string): void {
  const { features, limits } = keysOf(catalog);
  if ((kind === 'feature' ? features : limits).has(key)) return;
  throw new ProblemError('unknown_key', `The catalogue has no ${kind} "${key}".`);
}
