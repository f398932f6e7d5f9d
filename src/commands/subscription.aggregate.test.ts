import fc from 'fast-check';
import { addNothingTwice, decided, originOf, was } from '../../test/support/decisions.js';
import { goldenEvent } from '../../test/support/golden-events.js';
import type { DomainEvent } from '../events/event-types.js';
import type { Happened } from './aggregate.js';
import {
  LinkSubscription,
  RecordSubscriptionEvent,
  type SubscriptionCommand,
  subscriptionAggregate,
  UnlinkSubscription,
} from './subscription.aggregate.js';

const renewed = goldenEvent('SubscriptionRenewed');
const record = (causation: string): SubscriptionCommand =>
  new RecordSubscriptionEvent('sub_1', renewed, originOf(causation));
const link = (userId: string, causation: string | null = null): SubscriptionCommand =>
  new LinkSubscription('sub_1', userId, 'asked', originOf(causation));
const unlink = (causation: string | null = null): SubscriptionCommand =>
  new UnlinkSubscription('sub_1', null, originOf(causation));
const linkedTo = (userId: string, causation: string | null = null): Happened => ({
  event: { type: 'SubscriptionLinked', data: { subscription: 'sub_1', userId, reason: 'asked' } },
  causation,
});
const unlinked: Happened = {
  event: { type: 'SubscriptionUnlinked', data: { subscription: 'sub_1', reason: null } },
  causation: null,
};

const cases: readonly [
  about: string,
  given: readonly Happened[],
  when: SubscriptionCommand,
  then: readonly DomainEvent[],
][] = [
  ['a first Stripe event', [], record('evt_1'), [renewed]],
  ['another Stripe event', [was('SubscriptionStarted', 'evt_1')], record('evt_2'), [renewed]],
  ['one that changes nothing', [was('SubscriptionRenewed', 'evt_1')], record('evt_2'), [renewed]],
  ['one after the end', [was('SubscriptionCanceled', 'evt_1')], record('evt_2'), [renewed]],
  ['the Stripe event before', [was('SubscriptionRenewed', 'evt_1')], record('evt_1'), []],
  [
    'a Stripe event of long ago',
    [was('SubscriptionStarted', 'evt_1'), was('SubscriptionPaid', 'evt_2'), linkedTo('u1')],
    record('evt_1'),
    [],
  ],
  ['a first link', [], link('u1'), [linkedTo('u1').event]],
  ['the link that stands', [linkedTo('u1'), was('SubscriptionPaid', 'evt_1')], link('u1'), []],
  ['a link to someone else', [linkedTo('u1')], link('u2'), [linkedTo('u2').event]],
  ['the link taken back before', [linkedTo('u1'), unlinked], link('u1'), [linkedTo('u1').event]],
  ['a repeat of a link since replaced', [linkedTo('u1', 'key:a'), linkedTo('u2')], link('u1', 'key:a'), []],
  ['an unlink', [linkedTo('u1')], unlink(), [unlinked.event]],
  ['an unlink of what is not linked', [was('SubscriptionStarted', 'evt_1')], unlink(), []],
  ['a second unlink', [linkedTo('u1'), unlinked], unlink(), []],
  ['a repeat of an unlink', [{ ...unlinked, causation: 'key:b' }, linkedTo('u1')], unlink('key:b'), []],
];

describe('the stream of a subscription', () => {
  it.each(cases)('answers %s', (_, given, when, then) => {
    expect(decided(subscriptionAggregate, given, when)).toEqual(then);
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
    addNothingTwice(subscriptionAggregate, commands);
  });

  it('starts as empty as ever, whatever was folded from it', () => {
    decided(subscriptionAggregate, [was('SubscriptionStarted', 'evt_1'), linkedTo('u1')], unlink());
    expect(decided(subscriptionAggregate, [], record('evt_1'))).toEqual([renewed]);
    expect(decided(subscriptionAggregate, [], link('u1'))).toHaveLength(1);
  });
});
