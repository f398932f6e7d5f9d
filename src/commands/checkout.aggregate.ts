import type { DomainEvent } from '../events/event-types.js';
import { checkoutStream } from '../events/stream-names.js';
import type { Aggregate, KeyedOrigin } from './aggregate.js';
import { SeenKeys } from './seen-keys.js';

/** Record what a Stripe event says of a checkout session, once by its Stripe event id. */
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
  expectsNewStream: ({ origin }) => origin.stripe?.eventType === 'checkout.session.completed',
  initial: SeenKeys.none,
  evolve: (seen, { causation }) => (causation === null ? seen : seen.with(causation)),
  knows: (seen, causation) => seen.has(causation),
  decide: (seen, { event, origin }) => (seen.has(origin.causation) ? [] : [event]),
};
