import { originOf } from '../../test/support/decisions.js';
import type { DomainEvent } from '../events/event-types.js';
import { deadlineAggregate, ReachAccessDeadline } from './deadline.aggregate.js';

const FIRST = '2026-11-08T09:42:00.000Z';
const SECOND = '2026-12-01T00:00:00.001Z';

function reached(at: string): DomainEvent {
  return { type: 'AccessDeadlineReached', data: { userId: 'u', at } };
}

describe("a user's deadlines", () => {
  it.each<[string, readonly string[], string, readonly DomainEvent[]]>([
    ['the first one', [], FIRST, [reached(FIRST)]],
    ['one that is known', [FIRST], FIRST, []],
    ['a later one', [FIRST], SECOND, [reached(SECOND)]],
    ['an earlier one, which another instance saw late', [SECOND], FIRST, [reached(FIRST)]],
    ['an earlier one that is known', [FIRST, SECOND], FIRST, []],
  ])('hold %s once', (_, given, at, expected) => {
    const state = given.reduce(
      (before, each) => deadlineAggregate.evolve(before, { event: reached(each), causation: null }),
      deadlineAggregate.initial,
    );
    const command = new ReachAccessDeadline('u', Date.parse(at), originOf(null));
    expect(deadlineAggregate.decide(state, command)).toEqual(expected);
    expect(deadlineAggregate.knows(state, command.origin.causation)).toBe(expected.length === 0);
  });
});
