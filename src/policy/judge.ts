import type { PlanCatalog } from '../plans/plan-catalog.js';
import { combine, type UntimedEntitlement } from './combine.js';
import type { Entitlement, Judgement } from './entitlement.js';
import type { UserFacts } from './facts.js';
import { accountOf } from './kept-accounts.js';
import { standingAt, turningPoints } from './standing.js';

/** One stretch of time in which nothing that is served changes, from `at` (Unix milliseconds) on. */
interface Stretch {
  readonly at: number;
  readonly entitlement: UntimedEntitlement;
}

/**
 * The access policy (DESIGN 8): what a user may do at `now` (Unix milliseconds), and what that becomes at which later
 * instants if nothing but time passes. Pure: equal sets of facts give equal answers, whatever their order.
 */
export function judge(facts: UserFacts, catalog: PlanCatalog, now: number): Judgement {
  const accounts = facts.subscriptions
    .map((subscription) => accountOf(subscription, catalog))
    .filter((account) => account !== null);
  const at = (instant: number): UntimedEntitlement =>
    combine(
      accounts.map((account) => standingAt(account, instant / 1000)),
      catalog,
    );
  const later = [...new Set(accounts.flatMap(turningPoints).map((seconds) => Math.ceil(seconds * 1000)))]
    .filter((instant) => instant > now)
    .sort((a, b) => a - b);

  const stretches: Stretch[] = [{ at: now, entitlement: at(now) }];
  for (const instant of later) {
    const entitlement = at(instant);
    if (!isSame(stretches.at(-1)?.entitlement, entitlement)) stretches.push({ at: instant, entitlement });
  }
  const [present, ...successors] = stretches.map((stretch, index) => ({
    at: stretch.at,
    entitlement: withValidity(stretch, stretches.slice(index + 1)),
  }));
  if (present === undefined) throw new Error('a judgement without a present');
  return { entitlement: present.entitlement, successors };
}

/** Whether two entitlements allow the same: exactly then the revocation version stays (DESIGN 9). */
export function allowsTheSame(a: AccessPart, b: AccessPart): boolean {
  return ACCESS_PARTS.every((part) => isSame(a[part], b[part]));
}

/** The parts in which two entitlements allow something else; empty exactly when they allow the same. */
export function accessDifferences(a: AccessPart, b: AccessPart): readonly (keyof AccessPart)[] {
  return ACCESS_PARTS.filter((part) => !isSame(a[part], b[part]));
}

/** What tokens and caches depend on, in the order in which differences are told. */
const ACCESS_PARTS = ['role', 'plan', 'status', 'features', 'limits'] as const;

/** The part of an entitlement that tokens and caches depend on. */
export type AccessPart = Pick<Entitlement, 'role' | 'plan' | 'status' | 'features' | 'limits'>;

/** `validUntil`: when, by time alone, access changes next. */
function withValidity(stretch: Stretch, later: readonly Stretch[]): Entitlement {
  const next = later.find(({ entitlement }) => !allowsTheSame(entitlement, stretch.entitlement));
  return {
    ...stretch.entitlement,
    validUntil: next === undefined ? null : new Date(next.at).toISOString(),
  };
}

/** Entitlements are built with their keys in one order, so equal texts are equal values. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
