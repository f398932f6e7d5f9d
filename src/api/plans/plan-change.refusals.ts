import { ProblemError } from '../../http/problem.js';
import { orderOfChoice, type PlanChoice } from '../../plans/plan-order.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { AskedChange } from './asked-change.js';
import type { PlanChangeResponse } from './plan-change.schemas.js';
import type { exceededLimits } from './quota.js';

/** Where the default plan, a purchase or a grant gives the plan, there is nothing to change but what is bought. */
export function withoutSubscription(
  { request }: AskedChange,
  { plan, source }: Snapshot,
): PlanChangeResponse {
  const { plan: wanted, interval, quantity, addons = {} } = request;
  const isSame =
    (wanted ?? plan) === plan &&
    interval === undefined &&
    (quantity ?? 1) === 1 &&
    Object.values(addons).every((units) => units === 0);
  if (!isSame) {
    throw notBySubscription(
      source === null ? 'No subscription gives the plan.' : `The plan is given by a ${source.type}.`,
    );
  }
  return {
    outcome: 'unchanged',
    plan,
    interval: null,
    quantity: 1,
    addons: {},
    at: null,
    position: null,
  };
}

/** Why there is no subscription to change. */
export function notBySubscription(detail: string): ProblemError {
  return new ProblemError('plan_not_by_subscription', detail);
}

/** Says how the checkout is begun that brings it. */
export function paidUpgrade({ userId, request: { when: _, ...choice } }: AskedChange): ProblemError {
  return new ProblemError(
    'PAID_UPGRADE_REQUIRED',
    'It is more than what is held: begin a checkout as `checkout` says, with successUrl and cancelUrl.',
    {},
    { members: { checkout: { method: 'POST', path: '/v1/checkout/sessions', body: { userId, ...choice } } } },
  );
}

/** Says each limit that would be exceeded, with what is used and what would be allowed. */
export function quotaExceeded(limits: ReturnType<typeof exceededLimits>): ProblemError {
  const names = limits.map(({ limit }) => limit).join(', ');
  return new ProblemError(
    'QUOTA_EXCEEDED',
    `More is used than would be allowed: ${names}.`,
    {},
    { members: { limits } },
  );
}

/** Whether a choice that is less as a whole has a part that is more: it costs more, perhaps, and is not paid yet. */
export function costsMoreInPart(wanted: PlanChoice, has: PlanChoice): boolean {
  const sameBut = (part: Partial<PlanChoice>): boolean => orderOfChoice({ ...has, ...part }, has) === 'more';
  const { interval, quantity, addons } = wanted;
  return sameBut({ interval }) || sameBut({ quantity }) || sameBut({ addons });
}
