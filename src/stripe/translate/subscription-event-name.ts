import type {
  SubscriptionObservationData,
  SubscriptionObservationType,
} from '../../events/subscription.events.js';
import { periodsMoved, samePrices } from './subscription-items.js';

const GIVES_ACCESS: ReadonlySet<string> = new Set(['active', 'trialing']);
const SUSPENDED: ReadonlySet<string> = new Set(['unpaid', 'paused']);
const FAILED_BEFORE: ReadonlySet<string> = new Set(['past_due', 'unpaid']);

/**
 * What a Stripe event says happened to a subscription: a function of that event alone, the first that fits (DESIGN 4).
 *
 * | name | when |
 * |---|---|
 * | Canceled | type `deleted`, or status `canceled` |
 * | Expired | status `incomplete_expired` |
 * | Suspended | type `paused`, or the status became `unpaid` or `paused`, or collection was paused |
 * | PastDue | the status became `past_due` |
 * | Recovered | `past_due` or `unpaid` became `active` |
 * | Resumed | type `resumed`, or `paused` became one with access, or collection was resumed |
 * | Activated | the status became `active` or `trialing` |
 * | PlanChanged | the prices of the items changed, or a pending update was applied |
 * | CancellationScheduled, …Withdrawn | `cancel_at` or `cancel_at_period_end` was set, or cleared |
 * | Renewed | a period moved |
 * | TrialEnding | type `trial_will_end` |
 * | Started | type `created` and none of these |
 * | Updated | none of these |
 */
export function subscriptionEventName(
  stripeType: string,
  data: SubscriptionObservationData,
): Exclude<SubscriptionObservationType, 'SubscriptionRetrieved'> {
  const { status, previous } = data;
  const isCreated = stripeType === 'customer.subscription.created';
  const before = previous?.status;
  const became = before !== undefined ? before !== status : isCreated;

  if (stripeType === 'customer.subscription.deleted' || status === 'canceled') return 'SubscriptionCanceled';
  if (status === 'incomplete_expired') return 'SubscriptionExpired';
  if (stripeType === 'customer.subscription.paused') return 'SubscriptionSuspended';
  if (became && SUSPENDED.has(status)) return 'SubscriptionSuspended';
  if (previous?.pauseCollection === null && data.pauseCollection !== null) return 'SubscriptionSuspended';
  if (became && status === 'past_due') return 'SubscriptionPastDue';
  if (before !== undefined && FAILED_BEFORE.has(before) && status === 'active')
    return 'SubscriptionRecovered';
  if (stripeType === 'customer.subscription.resumed') return 'SubscriptionResumed';
  if (before === 'paused' && GIVES_ACCESS.has(status)) return 'SubscriptionResumed';
  if (previous?.pauseCollection != null && data.pauseCollection === null) return 'SubscriptionResumed';
  if (became && GIVES_ACCESS.has(status)) return 'SubscriptionActivated';
  if (stripeType === 'customer.subscription.pending_update_applied') return 'SubscriptionPlanChanged';
  if (previous?.items !== undefined && !samePrices(previous.items, data.items))
    return 'SubscriptionPlanChanged';
  const cancellation = cancellationChange(data);
  if (cancellation !== null) return cancellation;
  if (hasRenewed(data)) return 'SubscriptionRenewed';
  if (stripeType === 'customer.subscription.trial_will_end') return 'SubscriptionTrialEnding';
  return isCreated ? 'SubscriptionStarted' : 'SubscriptionUpdated';
}

function cancellationChange(
  data: SubscriptionObservationData,
): 'SubscriptionCancellationScheduled' | 'SubscriptionCancellationWithdrawn' | null {
  const { previous } = data;
  if (previous === null) return null;
  if (previous.cancelAt === undefined && previous.cancelAtPeriodEnd === undefined) return null;
  const was = (previous.cancelAt ?? null) !== null || previous.cancelAtPeriodEnd === true;
  const is = data.cancelAt !== null || data.cancelAtPeriodEnd;
  if (is) return 'SubscriptionCancellationScheduled';
  return was ? 'SubscriptionCancellationWithdrawn' : null;
}

function hasRenewed({ previous, items }: SubscriptionObservationData): boolean {
  if (previous === null) return false;
  if (previous.names.includes('current_period_end')) return true;
  return previous.items !== undefined && periodsMoved(previous.items, items);
}
