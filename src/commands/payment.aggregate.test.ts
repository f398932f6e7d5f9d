import fc from 'fast-check';
import { addNothingTwice, decided, originOf, was } from '../../test/support/decisions.js';
import { goldenEvent } from '../../test/support/golden-events.js';
import type { DomainEvent } from '../events/event-types.js';
import type { Happened } from './aggregate.js';
import { paymentAggregate, RecordPaymentEvent } from './payment.aggregate.js';

const disputed = goldenEvent('PaymentDisputed');
const record = (causation: string): RecordPaymentEvent =>
  new RecordPaymentEvent('pi_1', disputed, originOf(causation));

const cases: readonly [
  about: string,
  given: readonly Happened[],
  when: RecordPaymentEvent,
  then: readonly DomainEvent[],
][] = [
  ['a first Stripe event', [], record('evt_1'), [disputed]],
  ['another that says the same', [was('PaymentDisputed', 'evt_1')], record('evt_2'), [disputed]],
  ['one after the dispute was closed', [was('DisputeClosed', 'evt_1')], record('evt_2'), [disputed]],
  [
    'a Stripe event of before',
    [was('PaymentAttachedToInvoice', 'evt_1'), was('PaymentRefunded', 'evt_2')],
    record('evt_1'),
    [],
  ],
];

describe('the stream of a payment', () => {
  it.each(cases)('answers %s', (_, given, when, then) => {
    expect(decided(paymentAggregate, given, when)).toEqual(then);
  });

  it('adds nothing for a command it has executed', () => {
    addNothingTwice(paymentAggregate, fc.constantFrom('evt_1', 'evt_2', 'evt_3').map(record));
  });
});
