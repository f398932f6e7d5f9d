import type { DomainEvent } from '../events/event-types.js';
import { customerStream } from '../events/stream-names.js';
import type { Aggregate, KeyedOrigin, Origin } from './aggregate.js';
import {
  decideLinkable,
  evolveLinkable,
  isKnown,
  type LinkableState,
  linkableByKeys,
  UNSEEN,
} from './linkable.js';

/** Record what a Stripe event says of a customer, once by its Stripe event id. */
export class RecordCustomerEvent {
  readonly kind = 'record';
  constructor(
    readonly customer: string,
    readonly event: DomainEvent,
    readonly origin: KeyedOrigin,
  ) {}
}

/** Ops say whose a customer is. */
export class LinkCustomer {
  readonly kind = 'link';
  constructor(
    readonly customer: string,
    readonly userId: string,
    readonly reason: string | null,
    readonly origin: Origin,
  ) {}
}

/** Ops take their link back. */
export class UnlinkCustomer {
  readonly kind = 'unlink';
  constructor(
    readonly customer: string,
    readonly reason: string | null,
    readonly origin: Origin,
  ) {}
}

export type CustomerCommand = RecordCustomerEvent | LinkCustomer | UnlinkCustomer;

/** One event for one Stripe event; a link that stands already is not made again. */
export const customerAggregate: Aggregate<LinkableState, CustomerCommand> = {
  streamOf: (prefix, { customer }) => customerStream(prefix, customer),
  expectsNewStream: ({ origin }) => origin.stripe?.eventType === 'customer.created',
  initial: UNSEEN,
  evolve: evolveLinkable,
  byKeys: linkableByKeys,
  knows: isKnown,
  decide: (state, command) => {
    const { customer } = command;
    return decideLinkable(state, command, {
      linked: (userId, reason) => ({ type: 'CustomerLinked', data: { customer, userId, reason } }),
      unlinked: (reason) => ({ type: 'CustomerUnlinked', data: { customer, reason } }),
    });
  },
};
