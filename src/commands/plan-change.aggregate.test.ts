import { originOf } from '../../test/support/decisions.js';
import type { DomainEvent } from '../events/event-types.js';
import type { PlanChangeRequestedData } from '../events/plan-change.events.js';
import {
  type PlanChangeCommand,
  planChangeAggregate,
  RequestPlanChange,
  WithdrawPlanChange,
} from './plan-change.aggregate.js';

const ASKED: PlanChangeRequestedData = {
  userId: 'u',
  subscription: 'sub_1',
  plan: 'plus',
  interval: 'monthly',
  price: 'price_plus',
  quantity: 1,
  addons: {},
  when: 'period_end',
  at: 1_800_000_000,
  schedule: 'sub_sched_1',
  askedAt: 1_790_000_000,
};
const AT_ONCE: PlanChangeRequestedData = { ...ASKED, when: 'now', at: null, schedule: null };

const requested = (data = ASKED): DomainEvent => ({ type: 'PlanChangeRequested', data });
const withdrawn: DomainEvent = {
  type: 'PlanChangeWithdrawn',
  data: { userId: 'u', subscription: 'sub_1', schedule: 'sub_sched_1' },
};
const request = (data = ASKED, key: string | null = null) => new RequestPlanChange(data, originOf(key));
const withdraw = (key: string | null = null) => new WithdrawPlanChange(withdrawn.data, originOf(key));

describe('Changes of a plan', () => {
  it.each<[string, readonly [DomainEvent, string | null][], PlanChangeCommand, readonly DomainEvent[]]>([
    ['the first that is asked for', [], request(), [requested()]],
    ['what is to come, asked for again', [[requested(), null]], request({ ...ASKED, askedAt: 5 }), []],
    [
      'other than what is to come',
      [[requested(), null]],
      request({ ...ASKED, quantity: 2 }),
      [requested({ ...ASKED, quantity: 2 })],
    ],
    [
      'one that was withdrawn',
      [
        [requested(), null],
        [withdrawn, null],
      ],
      request(),
      [requested()],
    ],
    ['one asked for at once, twice', [[requested(AT_ONCE), null]], request(AT_ONCE), [requested(AT_ONCE)]],
    ['one asked for at once, by the same key', [[requested(AT_ONCE), 'k']], request(AT_ONCE, 'k'), []],
    ['what nobody asked Tenure for, withdrawn', [], withdraw(), [withdrawn]],
    ['one withdrawn by the same key', [[withdrawn, 'k']], withdraw('k'), []],
  ])('record %s as told', (_, given, command, expected) => {
    const state = given.reduce(
      (before, [event, causation]) => planChangeAggregate.evolve(before, { event, causation }),
      planChangeAggregate.initial,
    );
    expect(planChangeAggregate.decide(state, command)).toEqual(expected);
  });
});
