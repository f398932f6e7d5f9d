import type { Limit, PlanCatalog } from '../events/catalog.events.js';
import { keysOf, own } from './catalog-keys.js';
import type { GrantFacts } from './facts.js';
import type { NamedPlan } from './price-book.js';
import type { GivenAddon } from './subscription-state.js';

/** What decides what a grant gives (DESIGN 8 "Grants"), the first that fits. */
export type GrantRule =
  | 'grant_revoked'
  | 'grant_to_come'
  | 'grant_ended'
  | 'grant_without_effect'
  | 'grant_holds';

/**
 * A grant as a catalogue reads it: what of it the catalogue has. `missing` are the names that it has not: `plan:…`, `addon:…`,
 * `feature:…`, `limit:…`. It holds from `startsAt` up to, not including, `endsAt` (Unix milliseconds; `null`: without end).
 */
export interface Grant {
  readonly facts: GrantFacts;
  readonly startsAt: number;
  readonly endsAt: number | null;
  readonly plan: NamedPlan | null;
  readonly addons: readonly GivenAddon[];
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, Limit>>;
  readonly missing: readonly string[];
}

/** What a grant gives at one instant. Its plan counts `perUnit` once. Times are Unix seconds. */
export interface GrantAccess {
  readonly kind: 'grant';
  readonly grant: Grant;
  readonly access: boolean;
  readonly plan: NamedPlan | null;
  readonly units: number;
  readonly status: 'granted' | null;
  readonly periodEnd: number | null;
  readonly addons: readonly GivenAddon[];
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, Limit>>;
  readonly word: null;
  readonly rule: GrantRule;
}

/** Decides all of a grant that the clock cannot change. */
export function openGrant(facts: GrantFacts, catalog: PlanCatalog): Grant {
  const { data, recordedAt } = facts.issued;
  const keys = keysOf(catalog);
  const plan = data.plan === null ? null : own(catalog.plans, data.plan);
  const addons = Object.entries(data.addons).map(([name, units]) => ({
    name,
    units,
    addon: own(catalog.addons, name),
  }));
  const limits = Object.entries(data.limits);
  return {
    facts,
    startsAt: data.startsAt === null ? recordedAt : Date.parse(data.startsAt),
    endsAt: data.expiresAt === null ? null : Date.parse(data.expiresAt),
    plan: data.plan === null || plan === null ? null : { name: data.plan, plan },
    addons: addons.flatMap(({ name, units, addon }) => (addon === null ? [] : [{ name, units, addon }])),
    features: data.features.filter((key) => keys.features.has(key)),
    limits: Object.fromEntries(limits.filter(([key]) => keys.limits.has(key))),
    missing: namesOfGrant(facts).filter((name) => !hasName(catalog, name)),
  };
}

/** What a grant gives at an instant, Unix milliseconds. */
export function grantAccessAt(grant: Grant, instant: number): GrantAccess {
  const rule = grantRuleAt(grant, instant);
  const common = { kind: 'grant', grant, word: null, rule } as const;
  if (rule !== 'grant_holds') {
    const nothing = { access: false, plan: null, units: 0, status: null, periodEnd: null } as const;
    return { ...common, ...nothing, addons: [], features: [], limits: {} };
  }
  const { plan, addons, features, limits, endsAt } = grant;
  return {
    ...common,
    access: true,
    plan,
    units: 1,
    status: plan === null ? null : 'granted',
    periodEnd: endsAt === null ? null : endsAt / 1000,
    addons,
    features,
    limits,
  };
}

/** Instants (Unix milliseconds) at which time alone may change what a grant gives. */
export function turnsOfGrant({ facts, startsAt, endsAt }: Grant): readonly number[] {
  if (facts.revoked !== null) return [];
  return endsAt === null ? [startsAt] : [startsAt, endsAt];
}

/** What a grant names of a catalogue: `plan:…`, `addon:…`, `feature:…`, `limit:…`. */
export function namesOfGrant({ issued: { data } }: GrantFacts): readonly string[] {
  return [
    ...(data.plan === null ? [] : [`plan:${data.plan}`]),
    ...Object.keys(data.addons).map((name) => `addon:${name}`),
    ...data.features.map((key) => `feature:${key}`),
    ...Object.keys(data.limits).map((key) => `limit:${key}`),
  ];
}

/** Every name that a catalogue has of what can be given by hand, as `namesOfGrant` writes them. */
export function namesOfCatalog(catalog: PlanCatalog): readonly string[] {
  const { features, limits } = keysOf(catalog);
  return [
    ...Object.keys(catalog.plans).map((name) => `plan:${name}`),
    ...Object.keys(catalog.addons).map((name) => `addon:${name}`),
    ...[...features].map((key) => `feature:${key}`),
    ...[...limits].map((key) => `limit:${key}`),
  ];
}

function hasName(catalog: PlanCatalog, name: string): boolean {
  const end = name.indexOf(':');
  const rest = name.slice(end + 1);
  switch (name.slice(0, end)) {
    case 'plan':
      return Object.hasOwn(catalog.plans, rest);
    case 'addon':
      return Object.hasOwn(catalog.addons, rest);
    case 'feature':
      return keysOf(catalog).features.has(rest);
    default:
      return keysOf(catalog).limits.has(rest);
  }
}

function grantRuleAt({ facts, startsAt, endsAt, missing }: Grant, instant: number): GrantRule {
  if (facts.revoked !== null) return 'grant_revoked';
  if (instant < startsAt) return 'grant_to_come';
  if (endsAt !== null && instant >= endsAt) return 'grant_ended';
  return missing.length === namesOfGrant(facts).length ? 'grant_without_effect' : 'grant_holds';
}
