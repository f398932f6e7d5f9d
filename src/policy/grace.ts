import type { AccessPolicy } from '../events/catalog.events.js';
import type { Observation } from './facts.js';
import type { Invoice } from './invoices.js';
import type { Payments } from './payments.js';
import { bounded, DAY_SECONDS } from './time.js';

/**
 * End of the grace of a subscription that is `past_due` (DESIGN 8), in Unix seconds: from the first sight of the present
 * run, or the failed payment that led to it, for as many days as what was paid before deserves.
 */
export function graceEnd(
  ordered: readonly Observation[],
  invoices: readonly Invoice[],
  payments: Payments,
  policy: AccessPolicy,
): number {
  const before = ordered.findLastIndex((observation) => observation.data.status !== 'past_due');
  const first = ordered[before + 1]?.created ?? ordered.at(-1)?.created ?? 0;
  const since = ordered[before]?.created;
  let start = first;
  if (since !== undefined) {
    for (const { data, paymentFailures } of invoices) {
      if (data.status === 'paid') continue;
      for (const failure of paymentFailures) if (failure >= since && failure < start) start = failure;
    }
  }
  return bounded(start + graceDays(ordered, invoices, payments, policy) * DAY_SECONDS);
}

function graceDays(
  ordered: readonly Observation[],
  invoices: readonly Invoice[],
  payments: Payments,
  policy: AccessPolicy,
): number {
  if (payments.any) return policy.pastDueGraceDays;
  if (ordered.some(({ data }) => data.status === 'trialing' || data.previous?.status === 'trialing')) {
    return policy.trialGraceDays;
  }
  const isNeverPaid = ordered[0]?.stripeType === 'customer.subscription.created' && invoices.length > 0;
  return isNeverPaid ? policy.neverPaidGraceDays : policy.pastDueGraceDays;
}
