import fc from 'fast-check';
import { addNothingTwice, decided, originOf, was } from '../../test/support/decisions.js';
import { goldenEvent } from '../../test/support/golden-events.js';
import type { DomainEvent } from '../events/event-types.js';
import type { Happened } from './aggregate.js';
import {
  type CheckoutCommand,
  checkoutAggregate,
  LinkCheckout,
  RecordCheckoutEvent,
  UnlinkCheckout,
} from './checkout.aggregate.js';

const completed = goldenEvent('CheckoutCompleted');
const record = (causation: string): RecordCheckoutEvent =>
  new RecordCheckoutEvent('cs_1', completed, originOf(causation));

const link = (userId: string, causation: string | null = null): LinkCheckout =>
  new LinkCheckout('cs_1', userId, null, { ...originOf('key'), causation });
const unlink = (causation: string | null = null): UnlinkCheckout =>
  new UnlinkCheckout('cs_1', null, { ...originOf('key'), causation });
const linked = (userId: string): DomainEvent => ({
  type: 'CheckoutLinked',
  data: { session: 'cs_1', userId, reason: null },
});
const unlinked: DomainEvent = { type: 'CheckoutUnlinked', data: { session: 'cs_1', reason: null } };
const wasLinked: Happened = { event: linked('u1'), causation: null };

const cases: readonly [
  about: string,
  given: readonly Happened[],
  when: CheckoutCommand,
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
  ['a first link', [was('CheckoutCompleted', 'evt_1')], link('u1'), [linked('u1')]],
  ['a link before anything was told', [], link('u1'), [linked('u1')]],
  ['the link that stands', [wasLinked], link('u1'), []],
  ['another link', [wasLinked], link('u2'), [linked('u2')]],
  ['the end of a link', [wasLinked], unlink(), [unlinked]],
  ['the end of no link', [was('CheckoutCompleted', 'evt_1')], unlink(), []],
  ['a Stripe event after a link', [wasLinked], record('evt_2'), [completed]],
];

describe('the stream of a checkout session', () => {
  it.each(cases)('answers %s', (_, given, when, then) => {
    expect(decided(checkoutAggregate, given, when)).toEqual(then);
  });

  it('adds nothing for a command it has executed', () => {
    addNothingTwice(checkoutAggregate, fc.constantFrom('evt_1', 'evt_2', 'evt_3').map(record));
  });
});
