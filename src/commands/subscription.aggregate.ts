import type { DomainEvent } from '../events/event-types.js';
import { subscriptionStream } from '../events/stream-names.js';
import type { Aggregate, KeyedOrigin, Origin } from './aggregate.js';
import {
  decideLinkable,
  evolveLinkable,
  isKnown,
  type LinkableState,
  linkableByKeys,
  UNSEEN,
} from './linkable.js';

/** Record what Stripe says of a subscription (or of an invoice of it), once by its Stripe event id, or by what was asked. */
export class RecordSubscriptionEvent {
  readonly kind = 'record';
  constructor(
    readonly subscription: string,
    readonly event: DomainEvent,
    readonly origin: KeyedOrigin,
  ) {}
}

/** Ops say whose a single subscription is. */
export class LinkSubscription {
  readonly kind = 'link';
  constructor(
    readonly subscription: string,
    readonly userId: string,
    readonly reason: string | null,
    readonly origin: Origin,
  ) {}
}

/** Ops take their link back. */
export class UnlinkSubscription {
  readonly kind = 'unlink';
  constructor(
    readonly subscription: string,
    readonly reason: string | null,
    readonly origin: Origin,
  ) {}
}

export type SubscriptionCommand = RecordSubscriptionEvent | LinkSubscription | UnlinkSubscription;

/** One event for one Stripe event, also when nothing changes for access: its place in time matters to late facts. */
export const subscriptionAggregate: Aggregate<LinkableState, SubscriptionCommand> = {
  streamOf: (prefix, { subscription }) => subscriptionStream(prefix, subscription),
  expectsNewStream: ({ origin }) => origin.stripe?.eventType === 'customer.subscription.created',
  initial: UNSEEN,
  evolve: evolveLinkable,
  byKeys: linkableByKeys,
  knows: isKnown,
  decide: (state, command) => {
    const { subscription } = command;
    return decideLinkable(state, command, {
      linked: (userId, reason) => ({ type: 'SubscriptionLinked', data: { subscription, userId, reason } }),
      unlinked: (reason) => ({ type: 'SubscriptionUnlinked', data: { subscription, reason } }),
    });
  },
};
