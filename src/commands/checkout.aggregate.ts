import type { DomainEvent } from '../events/event-types.js';
import { checkoutStream } from '../events/stream-names.js';
import type { Aggregate, KeyedOrigin, Origin } from './aggregate.js';
import {
  decideLinkable,
  evolveLinkable,
  isKnown,
  type LinkableState,
  linkableByKeys,
  UNSEEN,
} from './linkable.js';

/** Record what a Stripe event says of a checkout session, or that Tenure began it, once by the key of the origin. */
export class RecordCheckoutEvent {
  readonly kind = 'record';
  constructor(
    readonly session: string,
    readonly event: DomainEvent,
    readonly origin: KeyedOrigin,
  ) {}
}

/** Ops say whose a session is that sold a plan for good. */
export class LinkCheckout {
  readonly kind = 'link';
  constructor(
    readonly session: string,
    readonly userId: string,
    readonly reason: string | null,
    readonly origin: Origin,
  ) {}
}

/** Ops take their link back. */
export class UnlinkCheckout {
  readonly kind = 'unlink';
  constructor(
    readonly session: string,
    readonly reason: string | null,
    readonly origin: Origin,
  ) {}
}

export type CheckoutCommand = RecordCheckoutEvent | LinkCheckout | UnlinkCheckout;

/** One event for one Stripe event; a link that stands already is not made again. */
export const checkoutAggregate: Aggregate<LinkableState, CheckoutCommand> = {
  streamOf: (prefix, { session }) => checkoutStream(prefix, session),
  expectsNewStream: (command) =>
    command.kind === 'record' &&
    (command.event.type === 'CheckoutStarted' ||
      command.origin.stripe?.eventType === 'checkout.session.completed'),
  initial: UNSEEN,
  evolve: evolveLinkable,
  byKeys: linkableByKeys,
  knows: isKnown,
  decide: (state, command) => {
    const { session } = command;
    return decideLinkable(state, command, {
      linked: (userId, reason) => ({ type: 'CheckoutLinked', data: { session, userId, reason } }),
      unlinked: (reason) => ({ type: 'CheckoutUnlinked', data: { session, reason } }),
    });
  },
};
