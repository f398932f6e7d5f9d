import type { Limit, PlanCatalog } from '../plans/plan-catalog.js';
import type { Account } from './account.js';
import type { Entitlement, EntitlementStatus } from './entitlement.js';
import { compareText } from './order.js';
import { pendingPaymentOf } from './pending-payment.js';
import type { NamedPlan } from './prices.js';
import type { Standing } from './standing.js';
import { rfc3339OrNull } from './time.js';

/** A standing that gives a plan. */
type Giving = Standing & { readonly plan: NamedPlan; readonly status: 'active' | 'trialing' | 'past_due' };

const STATUS_ORDER = { active: 0, trialing: 1, past_due: 2 } as const;

/** An entitlement that does not say yet how long it holds. */
export type UntimedEntitlement = Omit<Entitlement, 'validUntil'>;

/**
 * Combines what each subscription of a user gives with the default plan (DESIGN 8): the highest rank gives plan and
 * role, features are the union, a limit is the greatest plus what add-ons give per unit.
 */
export function combine(standings: readonly Standing[], catalog: PlanCatalog): UntimedEntitlement {
  const giving = standings.filter(givesPlan).sort(compareGiving);
  const fallback = defaultPlan(catalog);
  const first = giving[0];
  const best = first !== undefined && first.plan.plan.rank >= fallback.plan.rank ? first : null;
  const plan = best?.plan ?? fallback;
  const plans = [fallback.plan, ...giving.map((standing) => standing.plan.plan)];
  return {
    role: plan.plan.role,
    plan: plan.name,
    status: best?.status ?? whyNothing(standings),
    features: [...new Set(plans.flatMap((each) => each.features))].sort(compareText),
    limits: limitsOf(
      plans.map((each) => each.limits),
      standings,
    ),
    subscriptionActive: giving.length > 0,
    expiresAt: rfc3339OrNull(best?.periodEnd ?? null),
    cancelAt: rfc3339OrNull(best?.account.cancelAt ?? null),
    pendingPayment: pendingPaymentOf(standings),
    source:
      best === null
        ? null
        : {
            type: 'subscription',
            subscriptionId: best.account.subscription,
            customerId: best.account.customer,
          },
    unmappedPrices: unmappedPrices(standings.map((standing) => standing.account)),
  };
}

/** The plan every user has without anything else. */
export function defaultPlan(catalog: PlanCatalog): NamedPlan {
  const plan = catalog.plans[catalog.default];
  if (plan === undefined) throw new UnknownDefaultPlanError(catalog.default);
  return { name: catalog.default, plan };
}

/** The catalogue names a default plan that it does not have; validation refuses such a file. */
export class UnknownDefaultPlanError extends Error {
  readonly code = 'unknown_default_plan';
  constructor(name: string) {
    super(`the catalogue's default plan ${name} is not in it`);
  }
}

function givesPlan(standing: Standing): standing is Giving {
  return standing.access && standing.plan !== null && standing.status !== null;
}

function compareGiving(a: Giving, b: Giving): number {
  return (
    b.plan.plan.rank - a.plan.plan.rank ||
    STATUS_ORDER[a.status] - STATUS_ORDER[b.status] ||
    (b.periodEnd ?? 0) - (a.periodEnd ?? 0) ||
    compareText(a.account.subscription, b.account.subscription)
  );
}

/** The word of the subscription observed last among those that say one. */
function whyNothing(standings: readonly Standing[]): EntitlementStatus {
  const speaking = standings
    .filter((standing) => standing.word !== null)
    .sort(
      (a, b) =>
        b.account.newest.created - a.account.newest.created ||
        compareText(b.account.subscription, a.account.subscription),
    );
  return speaking[0]?.word ?? 'none';
}

function limitsOf(
  ofPlans: readonly Readonly<Record<string, Limit>>[],
  standings: readonly Standing[],
): Readonly<Record<string, Limit>> {
  const limits = new Map<string, Limit>();
  for (const [key, limit] of ofPlans.flatMap((each) => Object.entries(each))) {
    limits.set(key, greatest(limits.get(key) ?? 0, limit));
  }
  for (const { account, addonsCount } of standings) {
    if (!addonsCount) continue;
    for (const item of account.newestWhole?.data.items ?? []) {
      for (const [key, perUnit] of Object.entries(account.book.addonOf(item)?.limits ?? {})) {
        limits.set(key, plus(limits.get(key) ?? 0, perUnit, item.quantity ?? 1));
      }
    }
  }
  return Object.fromEntries([...limits.entries()].sort(([a], [b]) => compareText(a, b)));
}

function greatest(a: Limit, b: Limit): Limit {
  return a === 'unlimited' || b === 'unlimited' ? 'unlimited' : Math.max(a, b);
}

function plus(limit: Limit, perUnit: Limit, units: number): Limit {
  if (units <= 0) return limit;
  return limit === 'unlimited' || perUnit === 'unlimited' ? 'unlimited' : limit + perUnit * units;
}

/** Prices in no plan and no add-on, of subscriptions that have not ended. */
function unmappedPrices(accounts: readonly Account[]): readonly string[] {
  const unmapped = accounts
    .filter((account) => !account.ended)
    .flatMap(({ newest, book }) =>
      newest.data.items.filter((item) => book.planOf(item) === null && book.addonOf(item) === null),
    );
  return [...new Set(unmapped.map((item) => item.price))].sort(compareText);
}
