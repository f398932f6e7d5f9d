import type { EventEnvelope } from './event-envelope.js';
import type { DomainEvent } from './event-types.js';
import type { EventMetadata } from './metadata.js';

/** What holds for all times once it is known. */
export const ALWAYS = Number.NEGATIVE_INFINITY;

/** The time that an event brings to a fold (Unix ms): when it was recorded; of a deadline its instant (DESIGN 8, "Time"). */
export function timeOf(
  event: DomainEvent & { readonly metadata: Pick<EventMetadata, 'recordedAt'> },
): number {
  return Date.parse(event.type === 'AccessDeadlineReached' ? event.data.at : event.metadata.recordedAt);
}

/**
 * When an event happened (Unix ms; DESIGN 9, "Two clocks"). What Stripe said happened at its second: `created` of what it
 * delivered, `Date` of what it was asked; what has a second after it was known happened when it was known. A link, or its
 * removal, is knowledge and no happening. A grant happened at its start, or when it was known if that is still to come. The
 * rest happened when it was recorded.
 * @param knownFrom the fold's time at the event, Unix ms
 */
export function happenedAt(event: EventEnvelope, knownFrom: number): number {
  switch (event.type) {
    case 'SubscriptionLinked':
    case 'SubscriptionUnlinked':
    case 'CheckoutLinked':
    case 'CheckoutUnlinked':
    case 'CustomerLinked':
    case 'CustomerUnlinked':
      return ALWAYS;
    case 'GrantIssued': {
      const { startsAt } = event.data;
      return Math.min(Date.parse(startsAt ?? event.metadata.recordedAt), knownFrom);
    }
    default: {
      const { stripeCreated, recordedAt } = event.metadata;
      return Math.min(stripeCreated === null ? Date.parse(recordedAt) : stripeCreated * 1_000, knownFrom);
    }
  }
}
