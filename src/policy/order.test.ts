import fc from 'fast-check';
import { life, shuffled } from '../../test/support/lives.js';
import {
  day,
  item,
  type SubscriptionStory,
  subscription,
  seen as told,
} from '../../test/support/policy-stories.js';
import type { Observation } from './facts.js';
import { orderObservations, Timeline } from './order.js';

const plus = item('plus_m');
const pro = item('pro_m');
const second = day(1);

function observations(story: SubscriptionStory): readonly Observation[] {
  return subscription(story).observations;
}

function orderOf(story: SubscriptionStory): readonly string[] {
  return orderObservations(observations(story)).observations.map(({ eventId }) => eventId);
}

const begun = seen('created', day(0), { items: [plus], id: 'begun' });
const upgraded = (id: string) => seen('updated', second, { items: [pro], previous: { items: [plus] }, id });
const scheduled = (id: string) =>
  seen('updated', second, {
    items: [pro],
    cancelAtPeriodEnd: true,
    previous: { cancelAtPeriodEnd: false },
    id,
  });
/** Changes nothing of access. */
const quiet = (id: string, more: Parameters<typeof seen>[2] = { items: [plus] }) =>
  seen('trial_will_end', second, { ...more, id });
/** To or from a cancellation at period end, no two alike: each can follow half of the others. */
const toggled = (n: number) =>
  seen('updated', second, {
    items: [plus],
    cancelAtPeriodEnd: n % 2 === 0,
    previous: { cancelAtPeriodEnd: n % 2 === 1 },
    id: `toggled ${n}`,
    digest: `of ${n}`,
  });
const metadata = (n: number) =>
  seen('updated', second, { items: [plus], previous: {}, id: `quiet ${n}`, digest: `quietly ${n}` });
/** As `seen`, with the digest that tells its `previous_attributes` from others that look alike. */
function seen(
  type: string,
  created: number,
  { digest, ...more }: Parameters<typeof told>[2] & { digest?: string },
): SubscriptionStory[number] {
  const one = told(type, created, more);
  if (digest === undefined || one.kind !== 'observation' || one.fact.data.previous === null) return one;
  const previous = { ...one.fact.data.previous, digest };
  return { ...one, fact: { ...one.fact, data: { ...one.fact.data, previous } } };
}

function retrieved(id: string): SubscriptionStory[number] {
  const one = seen('', second, { items: [plus], id });
  if (one.kind !== 'observation') throw new Error('not an observation');
  return { ...one, fact: { ...one.fact, type: 'SubscriptionRetrieved', stripeType: '' } };
}

describe('Observations of one second', () => {
  it.each<[string, SubscriptionStory, readonly string[]]>([
    [
      'follow what they name, whatever their event ids',
      [begun, scheduled('a'), upgraded('b')],
      ['begun', 'b', 'a'],
    ],
    [
      'that change nothing follow the one they equal, the one before the second included',
      [begun, upgraded('b'), quiet('c'), quiet('a', { items: [pro] }), scheduled('d')],
      ['begun', 'c', 'b', 'a', 'd'],
    ],
    [
      'that change nothing and equal several follow where the ids come out smallest',
      [
        begun,
        quiet('q'),
        seen('updated', second, {
          status: 'past_due',
          items: [plus],
          previous: { status: 'active' },
          id: 'p',
        }),
        seen('updated', second, { items: [plus], previous: { status: 'past_due' }, id: 'r' }),
      ],
      ['begun', 'p', 'r', 'q'],
    ],
    [
      'that change nothing and equal none stand before what follows them: the change to them was lost',
      [
        begun,
        seen('updated', second, {
          status: 'active',
          items: [pro],
          cancelAt: day(9),
          previous: { cancelAt: null },
          id: 'a',
        }),
        quiet('b', { items: [pro] }),
      ],
      ['begun', 'b', 'a'],
    ],
    [
      'begin with what was retrieved, by its key, and with the created event; they end with the deleted one',
      [
        seen('deleted', second, { items: [plus], status: 'canceled', id: 'a' }),
        seen('created', second, { items: [plus], id: 'd' }),
        retrieved('c'),
        retrieved('b'),
        upgraded('e'),
      ],
      ['b', 'c', 'd', 'e', 'a'],
    ],
    [
      'that are twins count once, by the smallest event id',
      [begun, upgraded('b'), upgraded('a')],
      ['begun', 'a'],
    ],
    [
      'of which none can follow the other stand by event id',
      [
        begun,
        seen('updated', second, { items: [pro], previous: {}, id: 'b' }),
        seen('updated', second, { items: [plus], status: 'past_due', previous: {}, id: 'a' }),
      ],
      ['begun', 'a', 'b'],
    ],
  ])('%s', (_, story, expected) => {
    expect(orderOf(story)).toEqual(expected);
    expect(orderOf([...story].reverse())).toEqual(expected);
  });

  it('are tried up to nine that change something, and stand by event id beyond', () => {
    const ids = 'jihgfedcba';
    const tried = [...ids].slice(0, 9).map((id, n) => ({ n, id }));
    const distinct = (n: number, id: string) =>
      seen('updated', second, {
        items: [plus],
        trialEnd: n + 1,
        previous: { trialEnd: n === 0 ? null : n },
        id,
      });
    expect(orderOf([begun, ...tried.map(({ n, id }) => distinct(n, id))])).toEqual([
      'begun',
      ...tried.map(({ id }) => id),
    ]);
    expect(orderOf([begun, ...[...ids].map((id, n) => distinct(n, id))])).toEqual([
      'begun',
      ...[...ids].sort(),
    ]);
  });

  it('are put in order however many there are, where every one can follow many others', () => {
    const crowd = Array.from({ length: 30 }, (_, n) => toggled(n));
    const quietOnes = Array.from({ length: 500 }, (_, n) => metadata(n));
    expect(orderOf([begun, ...crowd])).toHaveLength(31);
    expect(orderOf([begun, ...quietOnes, ...crowd.slice(0, 9)])).toHaveLength(510);
  });
});

describe('An order that is extended', () => {
  it('is the order from scratch after each observation, in whatever order and however often they come', () => {
    fc.assert(
      fc.property(life(), fc.nat(), ({ facts }, seed) => {
        for (const { observations } of shuffled(facts, seed).subscriptions) {
          const timeline = new Timeline();
          for (const [index, observation] of observations.entries()) {
            const list = timeline.observations;
            const before = [...list];
            const from = timeline.add(observation) ?? before.length;
            const scratch = orderObservations(observations.slice(0, index + 1));
            expect(timeline.observations).toEqual(scratch.observations);
            expect(timeline.tiedAt).toBe(scratch.tiedAt);
            expect(timeline.observations.slice(0, from)).toEqual(before.slice(0, from));
            if (timeline.observations === list) expect(list.slice(0, before.length)).toEqual(before);
          }
        }
      }),
    );
  });
});
