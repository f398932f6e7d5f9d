import type { Limit, Plan, PlanCatalog } from '../events/catalog.events.js';
import { NamedError } from '../observability/named-error.js';
import { type Access, comparedEndOf, endOf, idOf, isOfSubscription, seenAt, sourceOf } from './access.js';
import type { Entitlement } from './entitlement.js';
import type { GrantAccess } from './grants.js';
import { type LimitSum, limitsOf } from './limits.js';
import { compareText } from './order.js';
import { featuresWith, limitsWith, type OverrideAccess } from './overrides.js';
import { type AwaitedBy, awaitedOf, pendingPaymentOf } from './pending-payment.js';
import type { NamedPlan } from './price-book.js';
import type { GivenAddon, SubscriptionState } from './subscription-state.js';
import { rfc3339OrNull } from './time.js';

/** What gives a plan: a subscription, a purchase, or a grant. */
export type Giving = Access & {
  readonly plan: NamedPlan;
  readonly status: NonNullable<Access['status']>;
};

const STATUS_ORDER = { active: 0, trialing: 1, granted: 2, past_due: 3 } as const;

/** An entitlement that does not say yet how long it holds. */
export type UntimedEntitlement = Omit<Entitlement, 'validUntil'>;

/** What decides which of several sources gives plan and role, the first that tells them apart. */
const PREFERENCES = [
  { rule: 'highest_rank', compare: (a: Giving, b: Giving) => b.plan.plan.rank - a.plan.plan.rank },
  {
    rule: 'better_status',
    compare: (a: Giving, b: Giving) => STATUS_ORDER[a.status] - STATUS_ORDER[b.status],
  },
  {
    rule: 'later_end',
    compare: (a: Giving, b: Giving) => compareNumbers(comparedEndOf(b), comparedEndOf(a)),
  },
  {
    rule: 'smaller_id',
    compare: (a: Giving, b: Giving) => compareText(idOf(a), idOf(b)),
  },
] as const;

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

/**
 * Combines what each source of a user gives with the default plan (DESIGN 8): the highest rank gives plan and
 * role, features are the union, a limit is the greatest plus what add-ons give per unit. Overrides come last.
 */
export function combine(
  accesses: readonly Access[],
  catalog: PlanCatalog,
  overrides: readonly OverrideAccess[],
): UntimedEntitlement {
  return entitlementOf(combinationOf(accesses, catalog, overrides));
}

/** Decides what all sources give together. */
export function combinationOf(
  accesses: readonly Access[],
  catalog: PlanCatalog,
  overrides: readonly OverrideAccess[],
): Combination {
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
    limits: limitsOf(fallback, giving, accesses.filter(isOfGrant), addons),
    pending: awaitedOf(accesses.filter(isOfSubscription)),
    overrides,
  };
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
  const { accesses, fallback, giving, best, plan, speaking, pending } = combination;
  const subscription = best !== null && isOfSubscription(best) ? best : null;
  const plans = [fallback.plan, ...giving.map((access) => access.plan.plan)];
  return {
    role: plan.plan.role,
    plan: plan.name,
    status: best?.status ?? speaking[0]?.word ?? 'none',
    features: [...featuresOf(combination, plans)].sort(compareText),
    limits: inOrder(overriddenLimits(combination)),
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

/** Whether an access gives a plan. */
export function givesPlan<Kind extends Access>(access: Kind): access is Kind & Giving {
  return access.access && access.plan !== null && access.status !== null;
}

/** The one that plan, role and status are taken of first. */
export function compareGiving(a: Giving, b: Giving): number {
  for (const { compare } of PREFERENCES) {
    const order = compare(a, b);
    if (order !== 0) return order;
  }
  return 0;
}

/** Those that say a word, the one observed last first. */
function speakingOf(accesses: readonly Access[]): readonly Access[] {
  return accesses
    .filter((access) => access.word !== null)
    .sort((a, b) => seenAt(b) - seenAt(a) || compareText(idOf(b), idOf(a)));
}

/** Ascending; also of infinite ones, whose difference is no number. */
function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Limits as they are in force, with overrides. */
export function overriddenLimits({
  limits,
  overrides,
}: Pick<Combination, 'limits' | 'overrides'>): ReadonlyMap<string, Limit> {
  const sums = new Map([...limits].map(([key, { limit }]) => [key, limit]));
  return overrides.length === 0 ? sums : limitsWith(overrides, sums);
}

function featuresOf(
  { accesses, addons, overrides }: Combination,
  plans: readonly Plan[],
): ReadonlySet<string> {
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
