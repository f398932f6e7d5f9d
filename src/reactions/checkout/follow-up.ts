import { isCompletedCheckout } from '../../events/checkout.events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { EventType } from '../../events/event-types.js';
import type { StoredEvent } from '../../events/stored-event.js';
import { SUBSCRIPTION_OBSERVATION_TYPES, type SubscriptionItem } from '../../events/subscription.events.js';

/** What may have to be done at Stripe after a payment: of a session that was paid, or of a subscription that was changed. */
export type FollowUp =
  | { readonly of: 'session'; readonly session: string }
  | { readonly of: 'subscription'; readonly subscription: string };

/**
 * What an event may call for. Of a subscription it is looked at when a price or a quantity of it changed, and not for a new
 * period alone, or when a change of it was paid: whether Tenure began that, the subscription itself says.
 */
export function followUpOf(event: EventEnvelope): FollowUp | null {
  if (event.type === 'CheckoutPaymentSucceeded') return { of: 'session', session: event.data.session };
  if (isCompletedCheckout(event)) {
    const { session, paymentStatus } = event.data;
    const isPaid = paymentStatus === 'paid' || paymentStatus === 'no_payment_required';
    return isPaid ? { of: 'session', session } : null;
  }
  if (event.type === 'SubscriptionPaid') {
    const { subscription, billingReason } = event.data;
    return billingReason === 'subscription_update' ? { of: 'subscription', subscription } : null;
  }
  if (!('previous' in event.data)) return null;
  const { subscription, previous, items } = event.data;
  const isChanged = previous?.items !== undefined && charged(previous.items) !== charged(items);
  return isChanged ? { of: 'subscription', subscription } : null;
}

/** What a subscription is charged for, in no order of its items. */
function charged(items: readonly SubscriptionItem[]): string {
  return items
    .map(({ price, quantity }) => `${price} x ${quantity}`)
    .sort()
    .join('\n');
}

const SUBSCRIPTION_TYPES: ReadonlySet<string> = new Set(SUBSCRIPTION_OBSERVATION_TYPES);
const SESSION_TYPES: ReadonlySet<string> = new Set<EventType>([
  'CheckoutCompleted',
  'CheckoutRetrieved',
  'CheckoutPaymentSucceeded',
]);

/**
 * Whether an event may call for something, by its texts as they are stored: never `false` of one of which `followUpOf` finds
 * something. Of most of a log it is `false`. Stored data is canonical JSON, so a key stands in it in one way only, and what
 * a caller wrote has its quotes escaped.
 */
export function mayHaveFollowUp({ type, data }: Pick<StoredEvent, 'type' | 'data'>): boolean {
  if (SESSION_TYPES.has(type)) return true;
  if (type === 'SubscriptionPaid') return data.includes('"billingReason":"subscription_update"');
  if (!SUBSCRIPTION_TYPES.has(type)) return false;
  const previous = data.indexOf('"previous":{');
  return previous >= 0 && data.includes('"items":[', previous);
}
