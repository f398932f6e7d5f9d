import type { Limit, Plan, PlanCatalog } from '../events/catalog.events.js';
import { NamedError } from '../observability/named-error.js';
import { type Access, endOf, idOf, isOfSubscription, seenAt, sourceOf } from './access.js';
import type { Entitlement } from './entitlement.js';
import { compareGiving, type Giving, givesPlan, PREFERENCES } from './giving.js';
import type { GrantAccess } from './grants.js';
import { type LimitSum, limitsOf } from './limits.js';
import { compareText } from './order.js';
import { featuresWith, limitsWith, type OverrideAccess } from './overrides.js';
import { type AwaitedBy, awaitedOf, pendingPaymentOf } from './pending-payment.js';
import type { NamedPlan } from './price-book.js';
import type { GivenAddon, SubscriptionState } from './subscription-state.js';
import { rfc3339OrNull } from './time.js';

/** An entitlement that does not say yet how long it holds. */
export type UntimedEntitlement = Omit<Entitlement, 'validUntil'>;

/** Which rule decided the plan: how what gives it was chosen, or why the default plan holds. */
export type PlanRule =
  | 'only_plan'
  | (typeof PREFERENCES)[number]['rule']
  | 'default_plan'
  | 'default_plan_ranks_higher';

/**
 * What all sources give together: `giving` a plan, the preferred first; `best` of them gives plan, role and status, unless
 * the default plan does; `speaking` say a word, the one observed last first. `limits` are without `overrides`, which come last.
 */
export interface Combination {
  readonly accesses: readonly Access[];
  readonly fallback: NamedPlan;
  readonly giving: readonly Giving[];
  readonly best: Giving | null;
  readonly plan: NamedPlan;
  readonly speaking: readonly Access[];
  readonly addons: readonly GivenAddon[];
  readonly limits: ReadonlyMap<string, LimitSum>;
  readonly pending: AwaitedBy | null;
  readonly overrides: readonly OverrideAccess[];
}

/** A combination whose limits are not added up yet. */
type Sources = Omit<Combination, 'limits'>;

/** What is allowed, in order. */
type Allowed = Pick<UntimedEntitlement, 'features' | 'limits'>;

/**
 * Combines what each source of a user gives with the default plan (DESIGN 8): the highest rank gives plan and
 * role, features are the union, a limit is the greatest plus what add-ons give per unit. Overrides come last.
 */
export function combine(
  accesses: readonly Access[],
  catalog: PlanCatalog,
  overrides: readonly OverrideAccess[],
): UntimedEntitlement {
  const sources = sourcesOf(accesses, catalog, overrides);
  const only = onlyPlanOf(sources);
  const allowed = only === null ? allowedBy(summedUp(sources)) : allowedByPlan(only, sources);
  return entitlementThat(allowed, sources);
}

/** Decides what all sources give together. */
export function combinationOf(
  accesses: readonly Access[],
  catalog: PlanCatalog,
  overrides: readonly OverrideAccess[],
): Combination {
  return summedUp(sourcesOf(accesses, catalog, overrides));
}

function sourcesOf(
  accesses: readonly Access[],
  catalog: PlanCatalog,
  overrides: readonly OverrideAccess[],
): Sources {
  const giving = accesses.filter(givesPlan).sort(compareGiving);
  const fallback = defaultPlan(catalog);
  const first = giving[0];
  const best = first !== undefined && first.plan.plan.rank >= fallback.plan.rank ? first : null;
  const addons = accesses.flatMap((access) => access.addons);
  return {
    accesses,
    fallback,
    giving,
    best,
    plan: best?.plan ?? fallback,
    speaking: best === null ? speakingOf(accesses) : [],
    addons,
    pending: awaitedOf(accesses.filter(isOfSubscription)),
    overrides,
  };
}

function summedUp(sources: Sources): Combination {
  const { accesses, fallback, giving, addons } = sources;
  return { ...sources, limits: limitsOf(fallback, giving, accesses.filter(isOfGrant), addons) };
}

/** The rule by which a combination has its plan. */
export function planRuleOf({ best, giving: [first, second] }: Combination): PlanRule {
  if (first === undefined) return 'default_plan';
  if (best === null) return 'default_plan_ranks_higher';
  if (second === undefined) return 'only_plan';
  return PREFERENCES.find(({ compare }) => compare(first, second) !== 0)?.rule ?? 'only_plan';
}

/** The entitlement that a combination is. */
export function entitlementOf(combination: Combination): UntimedEntitlement {
  return entitlementThat(allowedBy(combination), combination);
}

function entitlementThat({ features, limits }: Allowed, sources: Sources): UntimedEntitlement {
  const { accesses, giving, best, plan, speaking, pending } = sources;
  const subscription = best !== null && isOfSubscription(best) ? best : null;
  return {
    role: plan.plan.role,
    plan: plan.name,
    status: best?.status ?? speaking[0]?.word ?? 'none',
    features,
    limits,
    subscriptionActive: giving.some(isOfSubscription),
    expiresAt: rfc3339OrNull(best === null ? null : endOf(best)),
    cancelAt: rfc3339OrNull(subscription?.subscriptionState.cancelAt ?? null),
    pendingPayment: pending === null ? null : pendingPaymentOf(pending.awaited),
    source: best === null ? null : sourceOf(best),
    unmappedPrices: unmappedPrices(
      accesses.filter(isOfSubscription).map((access) => access.subscriptionState),
    ),
  };
}

/** The plan every user has without anything else. */
export function defaultPlan(catalog: PlanCatalog): NamedPlan {
  const plan = catalog.plans[catalog.default];
  if (plan === undefined) throw new UnknownDefaultPlanError(catalog.default);
  return { name: catalog.default, plan };
}

/** The catalogue names a default plan that it does not have; validation refuses such a file. */
export class UnknownDefaultPlanError extends NamedError {
  readonly code = 'unknown_default_plan';
  constructor(name: string) {
    super(`the catalogue's default plan ${name} is not in it`);
  }
}

/** Those that say a word, the one observed last first. */
function speakingOf(accesses: readonly Access[]): readonly Access[] {
  return accesses
    .filter((access) => access.word !== null)
    .sort((a, b) => seenAt(b) - seenAt(a) || compareText(idOf(b), idOf(a)));
}

/** Limits as they are in force, with overrides. */
export function overriddenLimits({
  limits,
  overrides,
}: Pick<Combination, 'limits' | 'overrides'>): ReadonlyMap<string, Limit> {
  const sums = new Map([...limits].map(([key, { limit }]) => [key, limit]));
  return overrides.length === 0 ? sums : limitsWith(overrides, sums);
}

function allowedBy(combination: Combination): Allowed {
  return {
    features: [...featuresOf(combination)].sort(compareText),
    limits: inOrder(overriddenLimits(combination)),
  };
}

/** A plan in units of its price, as far as what it allows hangs on these. */
interface PlanInUnits {
  readonly plan: Plan;
  readonly units: number;
}

/** What a plan allows in more units is not kept. */
const FEW_UNITS = 100;

/** The plan that what is allowed hangs on alone, beside the default plan; `null` where it hangs on more. */
function onlyPlanOf({ accesses, fallback, giving, addons, overrides }: Sources): PlanInUnits | null {
  if (giving.length > 1 || addons.length > 0 || overrides.length > 0 || accesses.some(isOfGrant)) return null;
  const [given] = giving;
  const { plan } = given?.plan ?? fallback;
  const units = Object.keys(plan.perUnit).length === 0 ? 0 : (given?.units ?? 0);
  return units > FEW_UNITS ? null : { plan, units };
}

/** What is allowed by a default plan and another in so many units: of many users it is the same, and in memory once. */
const allowedByPlans = new WeakMap<Plan, WeakMap<Plan, Map<number, Allowed>>>();

function allowedByPlan({ plan, units }: PlanInUnits, sources: Sources): Allowed {
  const byDefault = sources.fallback.plan;
  const beside = allowedByPlans.get(byDefault) ?? new WeakMap<Plan, Map<number, Allowed>>();
  const inUnits = beside.get(plan) ?? new Map<number, Allowed>();
  const known = inUnits.get(units);
  if (known !== undefined) return known;
  const allowed = allowedBy(summedUp(sources));
  inUnits.set(units, allowed);
  beside.set(plan, inUnits);
  allowedByPlans.set(byDefault, beside);
  return allowed;
}

function featuresOf({ accesses, fallback, giving, addons, overrides }: Combination): ReadonlySet<string> {
  const plans = [fallback.plan, ...giving.map((access) => access.plan.plan)];
  const features = new Set(
    [...plans, ...addons.map(({ addon }) => addon)].flatMap((giver) => giver.features),
  );
  for (const access of accesses) {
    if (isOfGrant(access)) for (const key of access.features) features.add(key);
  }
  return overrides.length === 0 ? features : featuresWith(overrides, features);
}

function isOfGrant(access: Access): access is GrantAccess {
  return access.kind === 'grant';
}

function inOrder(limits: ReadonlyMap<string, Limit>): Readonly<Record<string, Limit>> {
  const keys = [...limits.keys()].sort(compareText);
  return Object.fromEntries(keys.map((key) => [key, limits.get(key) ?? 0]));
}

/** Prices in no plan and no add-on, of subscriptions that have not ended. */
function unmappedPrices(subscriptionStates: readonly SubscriptionState[]): readonly string[] {
  const unmapped = subscriptionStates.flatMap((subscriptionState) =>
    subscriptionState.ended ? [] : subscriptionState.unmappedPrices,
  );
  return [...new Set(unmapped)].sort(compareText);
}
