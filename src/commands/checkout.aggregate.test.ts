import fc from 'fast-check';
import { addNothingTwice, decided, originOf, was } from '../../test/support/decisions.js';
import { goldenEvent } from '../../test/support/golden-events.js';
import type { DomainEvent } from '../events/event-types.js';
import type { Happened } from './aggregate.js';
import { checkoutAggregate, RecordCheckoutEvent } from './checkout.aggregate.js';

const completed = goldenEvent('CheckoutCompleted');
const record = (causation: string): RecordCheckoutEvent =>
  new RecordCheckoutEvent('cs_1', completed, originOf(causation));

const cases: readonly [
  about: string,
  given: readonly Happened[],
  when: RecordCheckoutEvent,
  then: readonly DomainEvent[],
][] = [
  ['a first Stripe event', [], record('evt_1'), [completed]],
  ['another that says the same', [was('CheckoutCompleted', 'evt_1')], record('evt_2'), [completed]],
  ['one after it expired', [was('CheckoutExpired', 'evt_1')], record('evt_2'), [completed]],
  [
    'a Stripe event of before',
    [was('CheckoutCompleted', 'evt_1'), was('CheckoutPaymentSucceeded', 'evt_2')],
    record('evt_1'),
    [],
  ],
  ['a Stripe event where one has no key', [was('CheckoutStarted', null)], record('evt_1'), [completed]],
];

describe('the stream of a checkout session', () => {
  it.each(cases)('answers %s', (_, given, when, then) => {
    expect(decided(checkoutAggregate, given, when)).toEqual(then);
  });

  it('adds nothing for a command it has executed', () => {
    addNothingTwice(checkoutAggregate, fc.constantFrom('evt_1', 'evt_2', 'evt_3').map(record));
  });
});
