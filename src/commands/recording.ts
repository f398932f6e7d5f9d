import type { DomainEvent } from '../events/event-types.js';
import type { StreamCategory } from '../events/stream-names.js';
import type { KeyedOrigin } from './aggregate.js';
import { RecordCheckoutEvent } from './checkout.aggregate.js';
import { RecordCustomerEvent } from './customer.aggregate.js';
import { RecordPaymentEvent } from './payment.aggregate.js';
import { RecordSubscriptionEvent } from './subscription.aggregate.js';

/** Streams that hold what Stripe said. */
export interface StripeStream {
  readonly category: Extract<StreamCategory, 'subscription' | 'customer' | 'checkout' | 'payment'>;
  readonly id: string;
}

/** The command that records what Stripe said on the stream it is of, once by `origin.causation`. */
export function recordingOf(
  { category, id }: StripeStream,
  event: DomainEvent,
  origin: KeyedOrigin,
): RecordSubscriptionEvent | RecordCustomerEvent | RecordCheckoutEvent | RecordPaymentEvent {
  switch (category) {
    case 'subscription':
      return new RecordSubscriptionEvent(id, event, origin);
    case 'customer':
      return new RecordCustomerEvent(id, event, origin);
    case 'checkout':
      return new RecordCheckoutEvent(id, event, origin);
    case 'payment':
      return new RecordPaymentEvent(id, event, origin);
  }
}
