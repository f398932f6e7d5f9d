import { goldenEvent } from '../../../test/support/golden-events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { DomainEvent } from '../../events/event-types.js';
import { customerObservationOf, observationOf } from './fact-rows.js';

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
