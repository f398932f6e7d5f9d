import { GOLDEN_EVENTS, goldenEvent } from '../../../test/support/golden-events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { parseEvent } from '../../events/event-envelope.js';
import type { DomainEvent } from '../../events/event-types.js';
import { invoiceOfSubscription, subscriptionsOfLines } from '../../events/invoice.events.js';
import {
  customerObservationOf,
  factOriginOf,
  observationOf,
  observationText,
  readCheckout,
  readCustomer,
  readInvoice,
  readObservation,
  readPayments,
} from './fact-rows.js';
import { isPaymentEvent, paymentObservationOf } from './payment-facts.js';

const SECOND = 1_790_000_000;

/** The golden event of a type as the log would give it, with changes to its data. */
function retrieved<T extends 'SubscriptionRetrieved' | 'CustomerRetrieved'>(type: T, changes: object) {
  const event = goldenEvent(type);
  return {
    ...event,
    data: { ...event.data, ...changes },
    metadata: {
      stripeEventId: null,
      stripeEventType: null,
      stripeCreated: SECOND,
      causationId: 'retrieved/x/job',
    },
  } as unknown as Extract<EventEnvelope, { type: T } & DomainEvent>;
}

describe('What an answer of Stripe’s API says', () => {
  it.each([
    { gone: false, says: { status: 'past_due', endedAt: null } },
    { gone: true, says: { status: 'canceled', endedAt: SECOND } },
  ])(
    'of a subscription (gone: $gone) is its state, or that it counts as canceled from that second',
    (given) => {
      const event = retrieved('SubscriptionRetrieved', {
        status: 'past_due',
        endedAt: null,
        gone: given.gone,
      });
      const { data, created } = observationOf(event);
      expect([created, data]).toEqual([SECOND, expect.objectContaining(given.says)]);
      expect(data).not.toHaveProperty('gone');
    },
  );

  it.each([
    { deleted: false, gone: false, as: '' },
    { deleted: true, gone: false, as: 'customer.deleted' },
    { deleted: false, gone: true, as: 'customer.deleted' },
  ])(
    'of a customer (deleted: $deleted, gone: $gone) tells whether it counts as deleted',
    ({ as, ...shown }) => {
      expect(customerObservationOf(retrieved('CustomerRetrieved', shown)).stripeType).toBe(as);
    },
  );
});

/** Facts that the fold makes of an event, each with what reads its text. */
function factsOf(event: EventEnvelope): readonly (readonly [unknown, (text: string) => unknown])[] {
  const { type, data } = event;
  const origin = factOriginOf(event);
  if (isPaymentEvent(event)) {
    const observation = paymentObservationOf(event);
    return observation === null ? [] : [[[observation], readPayments]];
  }
  switch (type) {
    case 'CustomerObserved':
    case 'CustomerDeleted':
    case 'CustomerRetrieved':
      return [[{ link: null, observations: [customerObservationOf(event)] }, readCustomer]];
    case 'CheckoutStarted':
      return [];
  }
  if (observationText.shape.type.safeParse(type).success) {
    return [[observationOf(event as Parameters<typeof observationOf>[0]), readObservation]];
  }
  if ('lines' in data && 'subscription' in data) return [[{ ...origin, type, data }, readInvoice]];
  if ('lines' in data) {
    return subscriptionsOfLines(data).map((subscription) => [
      { ...origin, type, data: invoiceOfSubscription(data, subscription) },
      readInvoice,
    ]);
  }
  if ('session' in data && 'paymentStatus' in data) {
    const observations = [{ ...origin, type, data }];
    return [[{ link: null, started: null, observations }, readCheckout]];
  }
  return [];
}

describe('The text of a fact', () => {
  it('is the same when it was read and is written again', () => {
    const kinds = new Set<unknown>();
    for (const { name, stored } of GOLDEN_EVENTS) {
      for (const [fact, read] of factsOf(parseEvent(stored))) {
        const text = JSON.stringify(fact);
        expect([name, JSON.stringify(read(text))]).toEqual([name, text]);
        kinds.add(read);
      }
    }
    expect(kinds.size).toBe(5);
  });
});
