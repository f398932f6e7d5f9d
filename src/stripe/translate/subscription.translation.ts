import type { PendingUpdate, SubscriptionObservationData } from '../../events/subscription.events.js';
import type { ClaimReading } from '../../events/user-id.js';
import { readPause, readPrevious } from './previous-attributes.js';
import {
  claimInMetadata,
  createdSecond,
  field,
  id,
  idOf,
  type JsonObject,
  object,
  seconds,
  text,
} from './read-json.js';
import { type Period, periodOf, readItems } from './subscription-items.js';

/**
 * Reads a Stripe subscription of any API version; problems name what identifies it and is missing.
 * @throws OutOfRangeError, TooManyEntriesError
 */
export function readSubscription(
  value: JsonObject,
  previousAttributes: unknown,
  claims: ClaimReading,
): SubscriptionObservationData | { readonly problems: readonly string[] } {
  const subscription = id(value.id);
  const status = text(value.status);
  const list = object(value.items);
  if (
    subscription === null ||
    status === null ||
    status === '' ||
    list === null ||
    !Array.isArray(list.data)
  ) {
    return {
      problems: [
        ...(subscription === null ? ['data.object.id must be an id'] : []),
        ...(status === null || status === '' ? ['data.object.status must be a string'] : []),
        ...(list === null || !Array.isArray(list.data) ? ['data.object.items.data must be a list'] : []),
      ],
    };
  }
  const period = periodOf(value);
  const read = readItems(list.data, period);
  return {
    subscription,
    customer: idOf(value.customer),
    status: statusBeside(status, value.customer),
    startedAt:
      seconds(value.start_date, 'data.object.start_date') ??
      createdSecond(value.created, 'data.object.created'),
    items: read,
    itemsTruncated: list.has_more === true,
    cancelAt: seconds(value.cancel_at, 'data.object.cancel_at'),
    cancelAtPeriodEnd: value.cancel_at_period_end === true,
    canceledAt: seconds(value.canceled_at, 'data.object.canceled_at'),
    endedAt: seconds(value.ended_at, 'data.object.ended_at'),
    trialStart: seconds(value.trial_start, 'data.object.trial_start'),
    trialEnd: seconds(value.trial_end, 'data.object.trial_end'),
    pauseCollection: readPause(value.pause_collection),
    collectionMethod: text(value.collection_method),
    pendingUpdate: readPendingUpdate(value.pending_update, period),
    latestInvoice: idOf(value.latest_invoice),
    testClock: idOf(value.test_clock),
    cancellationReason: text(field(value, 'cancellation_details', 'reason')),
    userId: claimInMetadata(value, claims),
    previous: readPrevious(previousAttributes, read, period),
  };
}

const ENDED: ReadonlySet<string> = new Set(['canceled', 'incomplete_expired']);

/** The status of a subscription: one that shows its customer deleted is `canceled`, whatever it says itself (DESIGN 8). */
function statusBeside(status: string, customer: unknown): string {
  return field(customer, 'deleted') === true && !ENDED.has(status) ? 'canceled' : status;
}

function readPendingUpdate(value: unknown, period: Period): PendingUpdate | null {
  const pending = object(value);
  if (pending === null) return null;
  return {
    expiresAt: seconds(pending.expires_at, 'pending_update.expires_at'),
    items: Array.isArray(pending.subscription_items) ? readItems(pending.subscription_items, period) : null,
  };
}
