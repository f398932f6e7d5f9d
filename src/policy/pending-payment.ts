import type { PendingPayment } from './entitlement.js';
import { compareText } from './order.js';
import type { SubscriptionAccess } from './subscription-access.js';
import type { SubscriptionState } from './subscription-state.js';
import { rfc3339 } from './time.js';

/**
 * The higher plan that a user asked for and has not paid yet (DESIGN 8), while the subscription gives access, or its first
 * plan period waits and it has not ended; of several subscriptions the plan of highest rank, then of the smallest id.
 */
export function pendingPaymentOf(accesses: readonly SubscriptionAccess[]): PendingPayment | null {
  const candidates = accesses.flatMap(({ subscriptionState: account, access }) => {
    const isShown = access || (account.firstWaits && !account.ended);
    return isShown && account.awaited !== null ? [{ account, awaited: account.awaited }] : [];
  });
  candidates.sort(
    (a, b) =>
      b.awaited.plan.plan.rank - a.awaited.plan.plan.rank || compareSubscriptions(a.account, b.account),
  );
  const [winner] = candidates;
  if (winner === undefined) return null;
  const { plan, price, since, invoice, reason } = winner.awaited;
  return { plan: plan.name, price, since: rfc3339(since), invoice, reason };
}

function compareSubscriptions(a: SubscriptionState, b: SubscriptionState): number {
  return compareText(a.subscription, b.subscription);
}
