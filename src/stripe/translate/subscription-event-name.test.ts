import {
  itemObject,
  previousItems,
  stripeEvent,
  subscriptionObject,
} from '../../../test/support/stripe-events.js';
import { eventOf } from '../../../test/support/translated.js';

/** The name of what a Stripe event of this type says, about a subscription on `price_plus` with `more`. */
function nameOf(type: string, more: object, previous?: object): string {
  const object = subscriptionObject('sub_1', 'price_plus', more);
  const options = previous === undefined ? {} : { previous };
  return eventOf(stripeEvent(`customer.subscription.${type}`, object, options)).type;
}

const PAUSE = { behavior: 'void', resumes_at: null };
const moved = (end: number) => ({ data: [itemObject('price_plus', { current_period_end: end })] });

describe('the name of an event of a subscription', () => {
  it.each<[expected: string, type: string, more: object, previous?: object]>([
    ['SubscriptionCanceled', 'deleted', { status: 'canceled' }],
    ['SubscriptionCanceled', 'deleted', { status: 'active' }],
    ['SubscriptionCanceled', 'updated', { status: 'canceled' }, { status: 'active' }],
    ['SubscriptionExpired', 'updated', { status: 'incomplete_expired' }, { status: 'incomplete' }],
    ['SubscriptionSuspended', 'paused', { status: 'paused' }],
    ['SubscriptionSuspended', 'updated', { status: 'unpaid' }, { status: 'past_due' }],
    ['SubscriptionSuspended', 'updated', { status: 'paused' }, { status: 'trialing' }],
    ['SubscriptionSuspended', 'created', { status: 'unpaid' }],
    ['SubscriptionSuspended', 'updated', { pause_collection: PAUSE }, { pause_collection: null }],
    ['SubscriptionPastDue', 'updated', { status: 'past_due' }, { status: 'active' }],
    ['SubscriptionPastDue', 'created', { status: 'past_due' }],
    ['SubscriptionRecovered', 'updated', {}, { status: 'past_due' }],
    ['SubscriptionRecovered', 'updated', {}, { status: 'unpaid' }],
    ['SubscriptionResumed', 'resumed', {}],
    ['SubscriptionResumed', 'updated', { status: 'trialing' }, { status: 'paused' }],
    ['SubscriptionResumed', 'updated', {}, { pause_collection: PAUSE }],
    ['SubscriptionActivated', 'updated', {}, { status: 'incomplete' }],
    ['SubscriptionActivated', 'updated', {}, { status: 'trialing' }],
    ['SubscriptionActivated', 'updated', { status: 'trialing' }, { status: 'past_due' }],
    ['SubscriptionActivated', 'created', { status: 'active' }],
    ['SubscriptionActivated', 'created', { status: 'trialing' }],
    ['SubscriptionPlanChanged', 'updated', {}, { items: previousItems('price_pro') }],
    ['SubscriptionPlanChanged', 'pending_update_applied', {}],
    [
      'SubscriptionCancellationScheduled',
      'updated',
      { cancel_at_period_end: true, cancel_at: 4_000_000_000 },
      { cancel_at_period_end: false, cancel_at: null },
    ],
    ['SubscriptionCancellationScheduled', 'updated', { cancel_at: 4_000_000_000 }, { cancel_at: null }],
    [
      'SubscriptionCancellationScheduled',
      'updated',
      { cancel_at: 4_000_000_000 },
      { cancel_at: 4_100_000_000 },
    ],
    ['SubscriptionCancellationWithdrawn', 'updated', {}, { cancel_at_period_end: true }],
    ['SubscriptionCancellationWithdrawn', 'updated', {}, { cancel_at: 4_000_000_000 }],
    ['SubscriptionRenewed', 'updated', {}, { items: moved(1) }],
    ['SubscriptionRenewed', 'updated', {}, { current_period_end: 1, latest_invoice: 'in_1' }],
    ['SubscriptionTrialEnding', 'trial_will_end', { status: 'trialing' }],
    ['SubscriptionStarted', 'created', { status: 'incomplete' }],
    ['SubscriptionStarted', 'created', { status: 'on_ice' }],
    ['SubscriptionUpdated', 'updated', {}, { metadata: {} }],
    ['SubscriptionUpdated', 'updated', { status: 'past_due' }, { metadata: {} }],
    ['SubscriptionUpdated', 'updated', { status: 'unpaid' }, { metadata: {} }],
    ['SubscriptionUpdated', 'updated', {}],
    ['SubscriptionUpdated', 'updated', { status: 'on_ice' }, { status: 'active' }],
    ['SubscriptionUpdated', 'updated', {}, { cancel_at_period_end: false }],
    ['SubscriptionUpdated', 'updated', { pause_collection: PAUSE }, { pause_collection: PAUSE }],
    ['SubscriptionUpdated', 'pending_update_expired', {}],
  ])('is %s for "%s" with %j after %j', (expected, type, ...said) => {
    expect(nameOf(type, ...said)).toBe(expected);
  });

  const items = previousItems('price_pro');
  it.each<[winner: string, type: string, more: object, previous: object]>([
    ['SubscriptionCanceled', 'paused', { status: 'canceled' }, { status: 'active' }],
    [
      'SubscriptionSuspended',
      'updated',
      { status: 'past_due', pause_collection: PAUSE },
      { status: 'active', pause_collection: null },
    ],
    ['SubscriptionPastDue', 'updated', { status: 'past_due' }, { status: 'active', items }],
    ['SubscriptionRecovered', 'updated', {}, { status: 'unpaid', pause_collection: PAUSE }],
    ['SubscriptionResumed', 'updated', {}, { status: 'paused', items }],
    ['SubscriptionActivated', 'updated', {}, { status: 'incomplete', items }],
    ['SubscriptionPlanChanged', 'updated', {}, { items, cancel_at_period_end: true }],
    ['SubscriptionCancellationWithdrawn', 'updated', {}, { items: moved(1), cancel_at: 4_000_000_000 }],
    ['SubscriptionRenewed', 'trial_will_end', {}, { items: moved(1) }],
  ])('is the first that fits: %s', (winner, type, more, previous) => {
    expect(nameOf(type, more, previous)).toBe(winner);
  });
});
