import type { DomainEvent } from '../events/event-types.js';
import { deadlineDecider } from './deadline.decider.js';

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
      (before, each) => deadlineDecider.evolve(before, { event: reached(each), causation: null }),
      deadlineDecider.initial,
    );
    expect(deadlineDecider.decide(state, { userId: 'u', at })).toEqual(expected);
  });
});
