import { type DomainEvent, EVENT_TYPES } from '../events/event-types.js';
import { paymentStream } from '../events/stream-names.js';
import type { Aggregate, KeyedOrigin } from './aggregate.js';
import { SeenKeys } from './seen-keys.js';

/** Record what a Stripe event says of a payment, once by its Stripe event id. */
export class RecordPaymentEvent {
  constructor(
    /** The payment intent; of a payment without one its charge, or its payment record. */
    readonly payment: string,
    readonly event: DomainEvent,
    readonly origin: KeyedOrigin,
  ) {}
}

function withKey(seen: SeenKeys, causation: string | null): SeenKeys {
  return causation === null ? seen : seen.with(causation);
}

/** One event for one Stripe event. The state is the keys of what the stream holds. */
export const paymentAggregate: Aggregate<SeenKeys, RecordPaymentEvent> = {
  streamOf: (prefix, { payment }) => paymentStream(prefix, payment),
  // Most payments are attached to their invoice, and nothing more is heard of them.
  expectsNewStream: ({ origin }) => origin.stripe?.eventType === 'invoice_payment.paid',
  initial: SeenKeys.none,
  evolve: (seen, { causation }) => withKey(seen, causation),
  byKeys: { types: new Set(Object.keys(EVENT_TYPES)), evolve: withKey },
  knows: (seen, causation) => seen.has(causation),
  decide: (seen, { event, origin }) => (seen.has(origin.causation) ? [] : [event]),
};
