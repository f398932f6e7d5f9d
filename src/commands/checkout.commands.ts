import type { DomainEvent } from '../events/event-types.js';
import type { Origin } from './decider.js';

/** Record what a Stripe event says of a checkout session, once by its Stripe event id. */
export class RecordCheckoutEvent {
  constructor(
    readonly session: string,
    readonly event: DomainEvent,
    readonly origin: Origin & { readonly causation: string },
  ) {}
}
