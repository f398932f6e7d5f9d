import type { Awaited } from './awaited-payment.js';
import type { PendingPayment } from './entitlement.js';
import { compareText } from './order.js';
import type { SubscriptionAccess } from './subscription-access.js';
import type { SubscriptionState } from './subscription-state.js';
import { rfc3339 } from './time.js';

/** A payment that is awaited, and for which subscription. */
export interface AwaitedBy {
  readonly account: SubscriptionState;
  readonly awaited: Awaited;
}

/**
 * The higher plan that a user asked for and has not paid yet (DESIGN 8), while the subscription gives access, or its first
 * plan period waits and it has not ended; of several subscriptions the plan of highest rank, then of the smallest id.
 */
export function awaitedOf(accesses: readonly SubscriptionAccess[]): AwaitedBy | null {
  const candidates = accesses.flatMap(({ subscriptionState: account, access }) => {
    const isShown = access || (account.firstWaits && !account.ended);
    return isShown && account.awaited !== null ? [{ account, awaited: account.awaited }] : [];
  });
  candidates.sort(
    (a, b) =>
      b.awaited.plan.plan.rank - a.awaited.plan.plan.rank || compareSubscriptions(a.account, b.account),
  );
  return candidates[0] ?? null;
}

/** What a snapshot says of a payment that is awaited. */
export function pendingPaymentOf({ plan, price, since, invoice, reason }: Awaited): PendingPayment {
  const id = invoice?.data.invoice ?? null;
  return { plan: plan.name, price, since: rfc3339(since.created), invoice: id, reason };
}

function compareSubscriptions(a: SubscriptionState, b: SubscriptionState): number {
  return compareText(a.subscription, b.subscription);
}
