import type { PlanCatalog } from '../../../src/events/catalog.events.js';
import { judge } from '../../../src/policy/judge.js';
import type { FoldingRules } from '../../../src/projections/entitlements/folding-rules.js';

/** What the plan plus gives by these rules and not by those in `src`. */
export const ADDED_FEATURE = 'api';

const changed = new WeakMap<PlanCatalog, PlanCatalog>();

/** The catalogue with another feature in the plan plus. */
export function withAddedFeature(catalog: PlanCatalog): PlanCatalog {
  const known = changed.get(catalog);
  if (known !== undefined) return known;
  const { plus } = catalog.plans;
  if (plus === undefined) throw new Error('a catalogue without the plan plus');
  const features = [...plus.features, ADDED_FEATURE].sort();
  const made = { ...catalog, plans: { ...catalog.plans, plus: { ...plus, features } } };
  changed.set(catalog, made);
  return made;
}

/** The rules of a later code version, whose access policy is another one for everyone on the plan plus. */
export const RUNNING_RULES: FoldingRules = {
  codeVersion: 'later',
  judge: (facts, catalog, now) => judge(facts, withAddedFeature(catalog), now),
};
