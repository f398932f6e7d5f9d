import type { Account } from '../account.js';
import type { Subscription } from '../types.js';
import { watchPeriod, watchTrial } from './subscription-cycle.js';
import { watchCancellation } from './subscription-end.js';
import { changeSubscription, hasEnded, spanOf } from './subscription-object.js';

/** A subscription as it is now. */
export function currentSubscription(account: Account, id: string): Subscription {
  const subscription = account.subscriptions.find(id);
  if (subscription === undefined) throw new Error(`${id} is gone`);
  return subscription;
}

/** Watches for what has come to fall due at another time. */
export function watched(account: Account, before: Subscription, after: Subscription): Subscription {
  if (spanOf(before.items.data).end !== spanOf(after.items.data).end) watchPeriod(account, after);
  if (after.trial_end !== null && after.trial_end !== before.trial_end) watchTrial(account, after);
  if (after.cancel_at !== null && after.cancel_at !== before.cancel_at) watchCancellation(account, after);
  const resumesAt = after.pause_collection?.resumes_at ?? null;
  if (resumesAt !== null && resumesAt !== before.pause_collection?.resumes_at) {
    account.at(resumesAt, () => {
      const due = account.subscriptions.find(after.id);
      if (due?.pause_collection?.resumes_at === resumesAt && !hasEnded(due)) {
        changeSubscription(account, after.id, { pause_collection: null });
      }
    });
  }
  return after;
}
