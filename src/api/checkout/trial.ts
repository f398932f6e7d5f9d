import { ProblemError } from '../../http/problem.js';
import type { PaidInterval } from '../../plans/plan-order.js';
import type { Buyer } from '../../projections/read-models/buyer.reader.js';
import type { CheckoutRequest } from './checkout.schemas.js';
import type { Offer } from './offer.js';

/**
 * Days of trial that a purchase begins with. A trial is for who never had a subscription that began, as the log knows.
 * @throws ProblemError `trial_used`, `trial_not_offered` where one is asked for
 */
export function trialDaysOf(
  { trial }: Pick<CheckoutRequest, 'trial'>,
  { trialDays, plan }: Pick<Offer, 'trialDays' | 'plan'>,
  { subscriptions }: Pick<Buyer, 'subscriptions'>,
): number {
  if (trial === false) return 0;
  const isUsed = subscriptions.some(({ hasBegun }) => hasBegun);
  if (trial === true && isUsed) {
    throw new ProblemError('trial_used', 'The user has had a subscription: a trial is for the first one.');
  }
  if (trial === true && trialDays === 0) {
    throw new ProblemError('trial_not_offered', `The plan "${plan}" offers no trial.`);
  }
  return isUsed ? 0 : trialDays;
}

/** The days of trial, once the interval is known: what is bought once and for good has none. @throws ProblemError `trial_not_offered` */
export function trialDaysBy(
  interval: PaidInterval,
  { trial }: Pick<CheckoutRequest, 'trial'>,
  days: number,
): number {
  if (interval !== 'once') return days;
  if (trial === true) {
    throw new ProblemError('trial_not_offered', 'What is bought once and for good has no trial.');
  }
  return 0;
}
