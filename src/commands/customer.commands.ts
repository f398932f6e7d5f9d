import type { DomainEvent } from '../events/event-types.js';
import type { Origin } from './decider.js';

/** Record what a Stripe event says of a customer, once by its Stripe event id. */
export class RecordCustomerEvent {
  constructor(
    readonly customer: string,
    readonly event: DomainEvent,
    readonly origin: Origin & { readonly causation: string },
  ) {}
}

/** Ops say whose a customer is. */
export class LinkCustomer {
  constructor(
    readonly customer: string,
    readonly userId: string,
    readonly reason: string | null,
    readonly origin: Origin,
  ) {}
}

/** Ops take their link back. */
export class UnlinkCustomer {
  constructor(
    readonly customer: string,
    readonly reason: string | null,
    readonly origin: Origin,
  ) {}
}
