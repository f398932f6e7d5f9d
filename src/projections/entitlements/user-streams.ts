import type { EventEnvelope } from '../../events/event-envelope.js';
import type { StreamCategory } from '../../events/stream-names.js';

/** Kinds of streams that tell of what users have. */
export type TellingCategory = Extract<
  StreamCategory,
  'subscription' | 'customer' | 'checkout' | 'grant' | 'overrides'
>;

/** A stream of which an event named a user: it is read for what that user could do at any moment (DESIGN 9). */
export interface UserStream {
  readonly userId: string;
  readonly category: TellingCategory;
  /** Of the subscription, customer, checkout session or grant; of overrides the user's. */
  readonly id: string;
}

/** A customer that a subscription was said to be of, besides the one that its row names. */
export interface SubscriptionCustomer {
  readonly subscription: string;
  readonly customer: string;
}

/** The streams by which an event concerns users, whether or not it decides anything; each once. */
export function userStreamsOf({ type, data }: EventEnvelope): readonly UserStream[] {
  if (
    type === 'PlanCatalogPublished' ||
    type === 'EventSkipped' ||
    type === 'AccessDeadlineReached' ||
    type === 'UsageReported' ||
    type === 'PlanChangeRequested' ||
    type === 'PlanChangeWithdrawn' ||
    type === 'AuditAccessed'
  )
    return [];
  if ('session' in data) {
    const { session: id } = data;
    if (type === 'CheckoutStarted') return [{ userId: data.userId, category: 'checkout', id }];
    if (type === 'CheckoutLinked') return [{ userId: data.userId, category: 'checkout', id }];
    if (type === 'CheckoutUnlinked') return [];
    const { metadataUserId, clientReferenceId } = data;
    const users = new Set([metadataUserId, clientReferenceId]);
    return [...users].flatMap((userId) => (userId === null ? [] : [{ userId, category: 'checkout', id }]));
  }
  if (!('userId' in data) || data.userId === null) return [];
  const { userId } = data;
  if ('grant' in data) return [{ userId, category: 'grant', id: data.grant }];
  if ('key' in data) return [{ userId, category: 'overrides', id: userId }];
  return 'subscription' in data
    ? [{ userId, category: 'subscription', id: data.subscription }]
    : [{ userId, category: 'customer', id: data.customer }];
}
