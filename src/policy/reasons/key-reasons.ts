import type { Plan, PlanCatalog } from '../../events/catalog.events.js';
import { type Access, idOf } from '../access.js';
import { type Combination, overriddenLimits } from '../combine.js';
import type { LimitSum } from '../limits.js';
import { compareText } from '../order.js';
import type { OverrideAccess } from '../overrides.js';
import type { GivenAddon } from '../subscription-state.js';
import { grantEvidence, overrideEvidence } from './by-hand-reasons.js';
import { givenByPurchase } from './purchase-reasons.js';
import { type Evidence, type Facts, type Reason, reasonOf } from './reason.js';
import { givenEvidence } from './subscription-evidence.js';
import type { Explained } from './subscription-reasons.js';

/** Why a user has each feature and limit of the snapshot. */
export function keyReasons(combination: Combination): readonly Reason[] {
  return [
    ...featureKeys(combination).flatMap((key) => featureReason(key, combination) ?? []),
    ...[...overriddenLimits(combination).keys()]
      .sort(compareText)
      .flatMap((key) => limitReason(key, combination) ?? []),
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
  const limit = limitReason(key, combination);
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
  if (limit !== null) reasons.push(limit);
  else if (limitOf.length > 0) reasons.push(reasonOf(`limit:${key}`, 'limit_not_held', notHeld(limitOf)));
  return reasons.length > 0
    ? reasons
    : [reasonOf(`feature:${key}`, 'key_unknown', { facts: { key }, events: [] })];
}

function featureKeys({ fallback, giving, addons, accesses, overrides }: Combination): readonly string[] {
  const givers = [fallback.plan, ...giving.map(({ plan }) => plan.plan), ...addons.map(({ addon }) => addon)];
  const byHand = [
    ...accesses.flatMap((access) => (access.kind === 'grant' ? access.features : [])),
    ...overrides.flatMap(({ facts, effect }) => (effect?.kind === 'feature' ? [facts.key] : [])),
  ];
  return [...new Set([...givers.flatMap(({ features }) => features), ...byHand])].sort(compareText);
}

/** What is set by hand of a key, as a feature or as a limit, and is in force. */
function overrideOf(
  key: string,
  kind: 'feature' | 'limit',
  { overrides }: Combination,
): OverrideAccess | undefined {
  return overrides.find(({ facts, effect }) => effect?.kind === kind && facts.key === key);
}

/** What is set by hand; else the first that gives it: a plan, the preferred first, the default plan, a grant, an add-on. */
function featureReason(key: string, combination: Combination): Reason | null {
  const of = `feature:${key}`;
  const { fallback, giving, accesses } = combination;
  const override = overrideOf(key, 'feature', combination);
  if (override !== undefined) return reasonOf(of, override.rule, overrideEvidence(override, combination));
  const byPlan = giving.find(({ plan }) => plan.plan.features.includes(key));
  if (byPlan !== undefined) {
    return reasonOf(of, 'feature_of_plan', withFacts(byPlan, { key, plan: byPlan.plan.name }));
  }
  if (fallback.plan.features.includes(key)) {
    return reasonOf(of, 'feature_of_default_plan', { facts: { key, plan: fallback.name }, events: [] });
  }
  const byGrant = accesses.find((access) => access.kind === 'grant' && access.features.includes(key));
  if (byGrant !== undefined) return reasonOf(of, 'feature_of_grant', withFacts(byGrant, { key }));
  for (const access of accesses) {
    const held = access.addons.find(({ addon }) => addon.features.includes(key));
    if (held === undefined) continue;
    return reasonOf(of, 'feature_of_addon', withFacts(access, { key, addon: held.name }));
  }
  return null;
}

/** What is set by hand of a limit, else how it adds up; `null` of one that nothing gives. */
function limitReason(key: string, combination: Combination): Reason | null {
  const override = overrideOf(key, 'limit', combination);
  const sum = combination.limits.get(key);
  const without = sum === undefined ? null : sumReason(key, sum, combination.accesses);
  if (override === undefined) return without;
  const { facts, events } = overrideEvidence(override, combination);
  const under = without === null ? null : { code: without.code, ...without.facts };
  return reasonOf(`limit:${key}`, override.rule, {
    facts: { ...facts, under },
    events: [...events, ...(without?.events ?? [])],
  });
}

function sumReason(key: string, sum: LimitSum, accesses: readonly Access[]): Reason {
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
  if (of === null) return reasonOf(code, 'limit_of_grant', base);
  return reasonOf(code, Object.hasOwn(of.plan.perUnit, key) ? 'limit_per_unit' : 'limit_of_plan', base);
}

function inUnits({ name, units }: GivenAddon): string {
  return `${units} × ${name}`;
}

/** What decided that a source gives something. */
function evidenceOf(access: Access): Evidence {
  const { facts, events } = givenBy(access);
  return { facts: { source: idOf(access), sourceType: access.kind, ...facts }, events };
}

function givenBy(access: Access): Evidence {
  switch (access.kind) {
    case 'subscription':
      return givenEvidence(access);
    case 'purchase':
      return givenByPurchase(access);
    case 'grant': {
      const { facts, events } = grantEvidence(access.grant);
      return { facts: { ...facts, units: access.units }, events };
    }
  }
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
