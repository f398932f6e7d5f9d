import type { Limit, Plan, PlanCatalog } from '../../events/catalog.events.js';
import type { Entitlement } from '../../policy/entitlement.js';

export const FEATURE_REASONS = [
  'override',
  'in_plan',
  'granted',
  'addon',
  'grace',
  'not_in_plan',
  'pending_payment',
  'suspended',
  'unknown_feature',
  'limit_reached',
] as const;
export type FeatureReason = (typeof FEATURE_REASONS)[number];

/** What is asked: a feature or a limit by its key, and how many more of a limited thing on top of `used`. */
export interface FeatureQuestion {
  readonly key: string;
  readonly amount: number;
  /** The reported current use of the limit, `null` when none was reported (counts as 0). */
  readonly used: number | null;
}

/** The answer of `GET /v1/users/{id}/features/{key}` (DESIGN 10). */
export interface FeatureDecision {
  readonly allowed: boolean;
  readonly reason: FeatureReason;
  readonly plan: string;
  readonly limit?: Limit;
  readonly used?: number;
  readonly remaining?: Limit;
  /** Amount used beyond what the limit allows; left out where it is not. */
  readonly over?: number;
  /** The lowest plan for sale, above the user's, that would allow it. */
  readonly upgradeTo?: string;
}

/**
 * May the user use a feature, or `amount` more of a limited thing? A pure function of the snapshot and the catalogue
 * by which it was judged. A key that is both a feature and a limit needs both.
 */
export function decideFeature(
  snapshot: Entitlement,
  catalog: PlanCatalog,
  question: FeatureQuestion,
): FeatureDecision {
  const isFeature = snapshot.features.includes(question.key) || isFeatureOf(catalog, question.key);
  const isLimit = Object.hasOwn(snapshot.limits, question.key) || isLimitOf(catalog, question.key);
  if (isFeature) {
    const decision = decideHeld(snapshot, catalog, question.key);
    if (!decision.allowed || !isLimit) return decision;
  }
  if (isLimit) return decideLimit(snapshot, catalog, question);
  return { allowed: false, reason: 'unknown_feature', plan: snapshot.plan };
}

function decideHeld(snapshot: Entitlement, catalog: PlanCatalog, key: string): FeatureDecision {
  const gives = (plan: Plan | undefined): boolean => plan?.features.includes(key) ?? false;
  const { plan } = snapshot;
  if (snapshot.features.includes(key)) {
    return { allowed: true, reason: heldReason(snapshot, gives(own(catalog.plans, catalog.default))), plan };
  }
  return { allowed: false, plan, ...refusal(snapshot, catalog, gives, 'not_in_plan') };
}

function decideLimit(
  snapshot: Entitlement,
  catalog: PlanCatalog,
  question: FeatureQuestion,
): FeatureDecision {
  const { key, amount } = question;
  const wanted = (question.used ?? 0) + amount;
  const limit = own(snapshot.limits, key);
  const ofPlan = planLimit(snapshot, catalog, key);
  // Add-ons stay when the plan changes, so an upgrade is measured with them.
  const ofAddons = typeof limit === 'number' && typeof ofPlan === 'number' ? Math.max(0, limit - ofPlan) : 0;
  const known = {
    plan: snapshot.plan,
    ...(limit === undefined ? {} : { limit }),
    ...(question.used === null ? {} : { used: question.used, ...remainingOf(limit, question.used) }),
  };
  if (fits(limit, wanted)) {
    const byDefault = fits(own(own(catalog.plans, catalog.default)?.limits ?? {}, key), wanted);
    const reason = fits(ofPlan, wanted) ? heldReason(snapshot, byDefault) : 'addon';
    return { allowed: true, reason, ...known };
  }
  const gives = (plan: Plan | undefined): boolean => {
    const offered = own(plan?.limits ?? {}, key);
    return fits(typeof offered === 'number' ? offered + ofAddons : offered, wanted);
  };
  const otherwise = limit === undefined || limit === 0 ? 'not_in_plan' : 'limit_reached';
  return { allowed: false, ...known, ...refusal(snapshot, catalog, gives, otherwise) };
}

/** Held by a plan that is past due, and not by the default plan anyway: it is grace that holds it. */
function heldReason(snapshot: Entitlement, byDefault: boolean): 'in_plan' | 'grace' {
  return snapshot.status === 'past_due' && !byDefault ? 'grace' : 'in_plan';
}

/** Why not: a payment that is awaited, a subscription that is suspended, or simply not bought. */
function refusal(
  snapshot: Entitlement,
  catalog: PlanCatalog,
  gives: (plan: Plan | undefined) => boolean,
  otherwise: 'not_in_plan' | 'limit_reached',
): { reason: FeatureReason; upgradeTo?: string } {
  const pending = snapshot.pendingPayment;
  if (pending !== null && gives(own(catalog.plans, pending.plan))) return { reason: 'pending_payment' };
  if (!snapshot.subscriptionActive && isSuspended(snapshot)) return { reason: 'suspended' };
  const upgradeTo = lowestUpgrade(snapshot, catalog, gives);
  return upgradeTo === null ? { reason: otherwise } : { reason: otherwise, upgradeTo };
}

/** A subscription of the user is there and gives nothing until it is paid or taken up again. */
function isSuspended(snapshot: Entitlement): boolean {
  return snapshot.status === 'unpaid' || snapshot.status === 'paused' || snapshot.status === 'past_due';
}

function lowestUpgrade(
  snapshot: Entitlement,
  catalog: PlanCatalog,
  gives: (plan: Plan) => boolean,
): string | null {
  const rank = own(catalog.plans, snapshot.plan)?.rank ?? Number.NEGATIVE_INFINITY;
  const offers = Object.entries(catalog.plans)
    .filter(
      ([, plan]) => plan.sellable && Object.keys(plan.prices).length > 0 && plan.rank > rank && gives(plan),
    )
    .sort(([, a], [, b]) => a.rank - b.rank);
  return offers[0]?.[0] ?? null;
}

/** What the plan gives without add-ons; the default plan's limit counts when it is greater. */
function planLimit(snapshot: Entitlement, catalog: PlanCatalog, key: string): Limit | undefined {
  const limits = [snapshot.plan, catalog.default]
    .map((plan) => own(own(catalog.plans, plan)?.limits ?? {}, key))
    .filter((limit) => limit !== undefined);
  if (limits.includes('unlimited')) return 'unlimited';
  const numbers = limits.filter((limit) => typeof limit === 'number');
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function remainingOf(limit: Limit | undefined, used: number): Pick<FeatureDecision, 'remaining' | 'over'> {
  if (limit === undefined) return {};
  if (limit === 'unlimited') return { remaining: limit };
  return { remaining: Math.max(0, limit - used), ...(used > limit ? { over: used - limit } : {}) };
}

function fits(limit: Limit | undefined, wanted: number): boolean {
  return limit === 'unlimited' || (limit !== undefined && wanted <= limit);
}

function isFeatureOf(catalog: PlanCatalog, key: string): boolean {
  return Object.values(catalog.plans).some((plan) => plan.features.includes(key));
}

/** Whether a plan or an add-on of the catalogue gives of a limit. */
export function isLimitOf(catalog: PlanCatalog, key: string): boolean {
  const plans = Object.values(catalog.plans);
  return (
    [...plans, ...Object.values(catalog.addons)].some((giver) => Object.hasOwn(giver.limits, key)) ||
    plans.some((plan) => Object.hasOwn(plan.perUnit, key))
  );
}

/** A key comes from a URL: `constructor` must not find what every object inherits. */
function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
