import type { Limit, Plan, PlanCatalog } from '../events/catalog.events.js';
import { NamedError } from '../observability/named-error.js';
import type { Entitlement, EntitlementStatus } from './entitlement.js';
import { compareText } from './order.js';
import { pendingPaymentOf } from './pending-payment.js';
import type { NamedPlan } from './price-book.js';
import type { SubscriptionAccess } from './subscription-access.js';
import type { HeldAddon, SubscriptionState } from './subscription-state.js';
import { rfc3339OrNull } from './time.js';

/** The access of a subscription that gives a plan. */
export type Giving = SubscriptionAccess & {
  readonly plan: NamedPlan;
  readonly status: 'active' | 'trialing' | 'past_due';
};

const STATUS_ORDER = { active: 0, trialing: 1, past_due: 2 } as const;

/** An entitlement that does not say yet how long it holds. */
export type UntimedEntitlement = Omit<Entitlement, 'validUntil'>;

/**
 * Combines what each subscription of a user gives with the default plan (DESIGN 8): the highest rank gives plan and
 * role, features are the union, a limit is the greatest plus what add-ons give per unit.
 */
export function combine(accesses: readonly SubscriptionAccess[], catalog: PlanCatalog): UntimedEntitlement {
  const giving = accesses.filter(givesPlan).sort(compareGiving);
  const fallback = defaultPlan(catalog);
  const first = giving[0];
  const best = first !== undefined && first.plan.plan.rank >= fallback.plan.rank ? first : null;
  const plan = best?.plan ?? fallback;
  const plans = [fallback.plan, ...giving.map((access) => access.plan.plan)];
  const addons = accesses.flatMap((subscriptionAccess) => subscriptionAccess.addons);
  return {
    role: plan.plan.role,
    plan: plan.name,
    status: best?.status ?? whyNothing(accesses),
    features: [
      ...new Set([...plans, ...addons.map(({ addon }) => addon)].flatMap(({ features }) => features)),
    ].sort(compareText),
    limits: limitsOf(fallback.plan, giving, addons),
    subscriptionActive: giving.length > 0,
    expiresAt: rfc3339OrNull(best?.periodEnd ?? null),
    cancelAt: rfc3339OrNull(best?.subscriptionState.cancelAt ?? null),
    pendingPayment: pendingPaymentOf(accesses),
    source:
      best === null
        ? null
        : {
            type: 'subscription',
            subscriptionId: best.subscriptionState.subscription,
            customerId: best.subscriptionState.customer,
          },
    unmappedPrices: unmappedPrices(
      accesses.map((subscriptionAccess) => subscriptionAccess.subscriptionState),
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

/** Whether the access of a subscription gives a plan. */
export function givesPlan(subscriptionAccess: SubscriptionAccess): subscriptionAccess is Giving {
  return subscriptionAccess.access && subscriptionAccess.plan !== null && subscriptionAccess.status !== null;
}

/** The one that plan, role and status are taken of first. */
export function compareGiving(a: Giving, b: Giving): number {
  return (
    b.plan.plan.rank - a.plan.plan.rank ||
    STATUS_ORDER[a.status] - STATUS_ORDER[b.status] ||
    (b.periodEnd ?? -1) - (a.periodEnd ?? -1) ||
    compareText(a.subscriptionState.subscription, b.subscriptionState.subscription)
  );
}

/** The word of the subscription observed last among those that say one. */
function whyNothing(accesses: readonly SubscriptionAccess[]): EntitlementStatus {
  const speaking = accesses
    .filter((subscriptionAccess) => subscriptionAccess.word !== null)
    .sort(
      (a, b) =>
        b.subscriptionState.newest.created - a.subscriptionState.newest.created ||
        compareText(b.subscriptionState.subscription, a.subscriptionState.subscription),
    );
  return speaking[0]?.word ?? 'none';
}

/** The greatest limit of the plans, and what add-ons give per unit on top. */
function limitsOf(
  fallback: Plan,
  giving: readonly Giving[],
  addons: readonly HeldAddon[],
): Readonly<Record<string, Limit>> {
  const limits = new Map<string, Limit>();
  for (const ofPlan of [
    planLimits(fallback, 0),
    ...giving.map(({ plan, units }) => planLimits(plan.plan, units)),
  ]) {
    for (const [key, limit] of ofPlan) limits.set(key, greatest(limits.get(key) ?? 0, limit));
  }
  for (const { addon, units } of addons) {
    for (const [key, perUnit] of Object.entries(addon.limits)) {
      limits.set(key, plus(limits.get(key) ?? 0, perUnit, units));
    }
  }
  return Object.fromEntries([...limits.entries()].sort(([a], [b]) => compareText(a, b)));
}

/** Limits of a plan whose price is held in so many units. */
function planLimits({ limits, perUnit }: Plan, units: number): ReadonlyMap<string, Limit> {
  const found = new Map(Object.entries(limits));
  for (const [key, each] of Object.entries(perUnit)) {
    found.set(key, plus(found.get(key) ?? 0, each, units));
  }
  return found;
}

function greatest(a: Limit, b: Limit): Limit {
  return a === 'unlimited' || b === 'unlimited' ? 'unlimited' : Math.max(a, b);
}

/** Sums saturate at 2^53−1, the last whole number that JSON can say (DESIGN 5). */
function plus(limit: Limit, perUnit: Limit, units: number): Limit {
  if (limit === 'unlimited' || perUnit === 'unlimited') return 'unlimited';
  return Math.min(limit + perUnit * units, Number.MAX_SAFE_INTEGER);
}

/** Prices in no plan and no add-on, of subscriptions that have not ended. */
function unmappedPrices(subscriptionStates: readonly SubscriptionState[]): readonly string[] {
  const unmapped = subscriptionStates.flatMap((subscriptionState) =>
    subscriptionState.ended ? [] : subscriptionState.unmappedPrices,
  );
  return [...new Set(unmapped)].sort(compareText);
}
