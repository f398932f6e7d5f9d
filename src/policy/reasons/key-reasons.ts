import type { Plan, PlanCatalog } from '../../events/catalog.events.js';
import { type Access, idOf, isOfSubscription } from '../access.js';
import type { Combination, LimitSum } from '../combine.js';
import { compareText } from '../order.js';
import type { HeldAddon } from '../subscription-state.js';
import { givenByPurchase } from './purchase-reasons.js';
import { type Evidence, type Facts, type Reason, reasonOf } from './reason.js';
import { givenEvidence } from './subscription-evidence.js';
import type { Explained } from './subscription-reasons.js';

/** Why a user has each feature and limit of the snapshot. */
export function keyReasons(combination: Combination): readonly Reason[] {
  return [
    ...featureKeys(combination).flatMap((key) => featureReason(key, combination) ?? []),
    ...[...combination.limits]
      .sort(([a], [b]) => compareText(a, b))
      .map(([key, limit]) => limitReason(key, limit, combination.accesses)),
  ];
}

/** Why a user has, or has not, what a key of the catalogue names: as a feature, as a limit, or as both. */
export function reasonsForKey(
  combination: Combination,
  explained: readonly Explained[],
  catalog: PlanCatalog,
  key: string,
): readonly Reason[] {
  const feature = featureReason(key, combination);
  const limit = combination.limits.get(key);
  const { plan } = combination;
  const featureOf = namesOf(catalog, ({ features }) => features.includes(key));
  const limitOf = namesOf(
    catalog,
    ({ limits, perUnit }) => Object.hasOwn(limits, key) || Object.hasOwn(perUnit ?? {}, key),
  );
  const all = { facts: { key, plan: plan.name }, events: explained.flatMap(({ reason }) => reason.events) };
  const notHeld = (comesWith: readonly string[]): Evidence => ({
    ...all,
    facts: { ...all.facts, comesWith },
  });
  const reasons: Reason[] = [];
  if (feature !== null) reasons.push(feature);
  else if (featureOf.length > 0)
    reasons.push(reasonOf(`feature:${key}`, 'feature_not_held', notHeld(featureOf)));
  if (limit !== undefined) reasons.push(limitReason(key, limit, combination.accesses));
  else if (limitOf.length > 0) reasons.push(reasonOf(`limit:${key}`, 'limit_not_held', notHeld(limitOf)));
  return reasons.length > 0
    ? reasons
    : [reasonOf(`feature:${key}`, 'key_unknown', { facts: { key }, events: [] })];
}

function featureKeys({ fallback, giving, addons }: Combination): readonly string[] {
  const givers = [fallback.plan, ...giving.map(({ plan }) => plan.plan), ...addons.map(({ addon }) => addon)];
  return [...new Set(givers.flatMap(({ features }) => features))].sort(compareText);
}

/** The first that gives it: a plan that a source gives, the preferred first, the default plan, an add-on. */
function featureReason(key: string, { fallback, giving, accesses }: Combination): Reason | null {
  const of = `feature:${key}`;
  const byPlan = giving.find(({ plan }) => plan.plan.features.includes(key));
  if (byPlan !== undefined) {
    return reasonOf(of, 'feature_of_plan', withFacts(byPlan, { key, plan: byPlan.plan.name }));
  }
  if (fallback.plan.features.includes(key)) {
    return reasonOf(of, 'feature_of_default_plan', { facts: { key, plan: fallback.name }, events: [] });
  }
  for (const access of accesses) {
    const held = access.addons.find(({ addon }) => addon.features.includes(key));
    if (held === undefined) continue;
    return reasonOf(of, 'feature_of_addon', withFacts(access, { key, addon: held.name }));
  }
  return null;
}

function limitReason(key: string, sum: LimitSum, accesses: readonly Access[]): Reason {
  const { limit, greatest, of, by, addons } = sum;
  const common = { key, limit, greatest, plan: of?.name ?? null };
  const base = by === null ? { facts: common, events: [] } : withFacts(by, common);
  const code = `limit:${key}`;
  if (addons.length > 0) {
    const holders = accesses.filter((access) => access.addons.some((held) => addons.includes(held)));
    const ofHolders = holders.map(evidenceOf);
    return reasonOf(code, 'limit_with_addons', {
      facts: { ...base.facts, addons: addons.map(inUnits), holders: ofHolders.map((each) => each.facts) },
      events: [...base.events, ...ofHolders.flatMap(({ events }) => events)],
    });
  }
  if (by === null) return reasonOf(code, 'limit_of_default_plan', base);
  return reasonOf(
    code,
    of !== null && Object.hasOwn(of.plan.perUnit, key) ? 'limit_per_unit' : 'limit_of_plan',
    base,
  );
}

function inUnits({ name, units }: HeldAddon): string {
  return `${units} × ${name}`;
}

/** What decided that a source gives something. */
function evidenceOf(access: Access): Evidence {
  const { facts, events } = isOfSubscription(access) ? givenEvidence(access) : givenByPurchase(access);
  return { facts: { source: idOf(access), ...facts }, events };
}

/** Facts beside what decided that a source gives something. */
function withFacts(access: Access, facts: Facts): Evidence {
  const given = evidenceOf(access);
  return { ...given, facts: { ...given.facts, ...facts } };
}

/** Names of the plans and add-ons of a catalogue that give something, plans by rank first. */
function namesOf(
  { plans, addons }: PlanCatalog,
  gives: (giver: Pick<Plan, 'features' | 'limits'> & Partial<Pick<Plan, 'perUnit'>>) => boolean,
): readonly string[] {
  const ranked = Object.entries(plans).sort(([, a], [, b]) => a.rank - b.rank);
  return [...ranked, ...Object.entries(addons)].flatMap(([name, giver]) => (gives(giver) ? [name] : []));
}
