import type { DomainEvent } from '../events/event-types.js';
import { checkoutStream } from '../events/stream-names.js';
import type { Aggregate, KeyedOrigin } from './aggregate.js';
import { SeenKeys } from './seen-keys.js';

/** Record what a Stripe event says of a checkout session, or that Tenure began it, once by the key of the origin. */
export class RecordCheckoutEvent {
  constructor(
    readonly session: string,
    readonly event: DomainEvent,
    readonly origin: KeyedOrigin,
  ) {}
}

/** One event for one Stripe event. The state is the keys of what the stream holds. */
export const checkoutAggregate: Aggregate<SeenKeys, RecordCheckoutEvent> = {
  streamOf: (prefix, { session }) => checkoutStream(prefix, session),
  expectsNewStream: ({ event, origin }) =>
    event.type === 'CheckoutStarted' || origin.stripe?.eventType === 'checkout.session.completed',
  initial: SeenKeys.none,
  evolve: (seen, { causation }) => (causation === null ? seen : seen.with(causation)),
  knows: (seen, causation) => seen.has(causation),
  decide: (seen, { event, origin }) => (seen.has(origin.causation) ? [] : [event]),
};
