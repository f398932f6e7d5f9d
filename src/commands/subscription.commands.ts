import type { DomainEvent } from '../events/event-types.js';
import type { SubscriptionObservationData } from '../events/subscription.events.js';
import type { Origin } from './decider.js';

/** Record what a Stripe event says of a subscription (or of an invoice of it), once by its Stripe event id. */
export class RecordSubscriptionEvent {
  constructor(
    readonly subscription: string,
    readonly event: DomainEvent,
    readonly origin: Origin & { readonly causation: string },
  ) {}
}

/** Record what Stripe's API answered about a subscription, once by what it was asked about (`causation`). */
export class RecordRetrievedSubscription {
  constructor(
    readonly data: SubscriptionObservationData,
    readonly origin: Origin & { readonly causation: string },
  ) {}
}

/** Ops say whose a single subscription is. */
export class LinkSubscription {
  constructor(
    readonly subscription: string,
    readonly userId: string,
    readonly reason: string | null,
    readonly origin: Origin,
  ) {}
}

/** Ops take their link back. */
export class UnlinkSubscription {
  constructor(
    readonly subscription: string,
    readonly reason: string | null,
    readonly origin: Origin,
  ) {}
}
