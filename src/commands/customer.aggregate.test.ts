import fc from 'fast-check';
import { addNothingTwice, decided, originOf, was } from '../../test/support/decisions.js';
import { goldenEvent } from '../../test/support/golden-events.js';
import type { DomainEvent } from '../events/event-types.js';
import type { Happened } from './aggregate.js';
import {
  type CustomerCommand,
  customerAggregate,
  LinkCustomer,
  RecordCustomerEvent,
  UnlinkCustomer,
} from './customer.aggregate.js';

const deleted = goldenEvent('CustomerDeleted');
const record = (causation: string): CustomerCommand =>
  new RecordCustomerEvent('cus_1', deleted, originOf(causation));
const link = (userId: string, causation: string | null = null): CustomerCommand =>
  new LinkCustomer('cus_1', userId, null, originOf(causation));
const unlink = (causation: string | null = null): CustomerCommand =>
  new UnlinkCustomer('cus_1', 'a mistake', originOf(causation));
const linkedTo = (userId: string, causation: string | null = null): Happened => ({
  event: { type: 'CustomerLinked', data: { customer: 'cus_1', userId, reason: null } },
  causation,
});
const unlinked: Happened = {
  event: { type: 'CustomerUnlinked', data: { customer: 'cus_1', reason: 'a mistake' } },
  causation: null,
};

const cases: readonly [
  about: string,
  given: readonly Happened[],
  when: CustomerCommand,
  then: readonly DomainEvent[],
][] = [
  ['a first Stripe event', [], record('evt_1'), [deleted]],
  ['another one that says the same', [was('CustomerDeleted', 'evt_1')], record('evt_2'), [deleted]],
  [
    'a Stripe event of before',
    [was('CustomerObserved', 'evt_1'), was('CustomerObserved', 'evt_2')],
    record('evt_1'),
    [],
  ],
  ['a link before anything is known', [], link('u1'), [linkedTo('u1').event]],
  [
    'a link of a customer that is deleted',
    [was('CustomerDeleted', 'evt_1')],
    link('u1'),
    [linkedTo('u1').event],
  ],
  ['the link that stands', [linkedTo('u1'), was('CustomerObserved', 'evt_1')], link('u1', 'key:a'), []],
  ['a link to someone else', [linkedTo('u1', 'key:a')], link('u2', 'key:b'), [linkedTo('u2').event]],
  ['a repeat of a link since taken back', [linkedTo('u1', 'key:a'), unlinked], link('u1', 'key:a'), []],
  ['the same key for someone else', [linkedTo('u1', 'key:a')], link('u2', 'key:a'), []],
  ['an unlink', [linkedTo('u1')], unlink(), [unlinked.event]],
  ['an unlink where no link is', [was('CustomerObserved', 'evt_1')], unlink(), []],
  ['an unlink after an unlink', [linkedTo('u1'), unlinked], unlink('key:c'), []],
];

describe('the stream of a customer', () => {
  it.each(cases)('answers %s', (_, given, when, then) => {
    expect(decided(customerAggregate, given, when)).toEqual(then);
  });

  it('adds nothing for a command it has executed', () => {
    const keys = fc.constantFrom('evt_1', 'evt_2', 'evt_3');
    const users = fc.constantFrom('u1', 'u2');
    const maybe = fc.option(keys, { nil: null });
    const commands = fc.oneof(
      keys.map(record),
      fc.tuple(users, maybe).map(([u, key]) => link(u, key)),
      maybe.map(unlink),
    );
    addNothingTwice(customerAggregate, commands);
  });
});
