import { GOLDEN_EVENTS } from '../../test/support/golden-events.js';
import { parseEvent } from '../events/event-envelope.js';
import { EVENT_TYPES } from '../events/event-types.js';
import type { Aggregate, Command } from './aggregate.js';
import { checkoutAggregate } from './checkout.aggregate.js';
import { customerAggregate } from './customer.aggregate.js';
import { paymentAggregate } from './payment.aggregate.js';
import { subscriptionAggregate } from './subscription.aggregate.js';

const envelopes = GOLDEN_EVENTS.map(({ stored }) => parseEvent(stored));

/** What an aggregate makes of each golden event whose key is enough for it, by the event and by its key. */
function bothWays<State, Asked extends Command>({ byKeys, evolve, initial }: Aggregate<State, Asked>) {
  return envelopes.flatMap((event) =>
    byKeys?.types.has(event.type)
      ? ['evt_1', null].map((causation) => ({
          type: event.type,
          byEvent: evolve(initial, { event, causation }),
          byKey: byKeys.evolve(initial, causation),
        }))
      : [],
  );
}

describe('the state of a stream by the keys of its events', () => {
  it.each([
    ['subscription', bothWays(subscriptionAggregate), 6],
    ['customer', bothWays(customerAggregate), 6],
    ['checkout', bothWays(checkoutAggregate), 6],
    ['payment', bothWays(paymentAggregate), 0],
  ])('of a %s is the one by its events, whatever they say', (_, both, others) => {
    for (const { type, byEvent, byKey } of both)
      expect({ type, state: byKey }).toEqual({ type, state: byEvent });
    const types = new Set(both.map(({ type }) => type));
    expect(types.size).toBe(Object.keys(EVENT_TYPES).length - others);
  });
});
