import fc from 'fast-check';
import type { Decider, Happened } from '../../src/commands/decider.js';
import type { DomainEvent, EventType } from '../../src/events/event-types.js';
import { goldenEvent } from './golden-events.js';

/** What stands on a stream: an event of this type, as a golden file says it, and the key it counts once by. */
export function was(type: EventType, causation: string | null): Happened {
  return { event: goldenEvent(type), causation };
}

/** What a decider answers to a command after `given` happened, in that order. */
export function decided<State, Command>(
  decider: Decider<State, Command>,
  given: readonly Happened[],
  when: Command,
): readonly DomainEvent[] {
  return decider.decide(given.reduce(decider.evolve, decider.initial), when);
}

/**
 * Holds the law of repeats: after any commands, each executed as it came, the same command again adds nothing.
 * `causationOf` is the key that the event of a command is kept under.
 */
export function addNothingTwice<State, Command>(
  decider: Decider<State, Command>,
  commands: fc.Arbitrary<Command>,
  causationOf: (command: Command) => string | null,
): void {
  fc.assert(
    fc.property(fc.array(commands, { minLength: 1, maxLength: 12 }), (all) => {
      let state = decider.initial;
      for (const command of all) {
        const first = decider.decide(state, command);
        expect(decider.decide(state, command)).toEqual(first);
        for (const event of first) {
          state = decider.evolve(state, { event, causation: causationOf(command) });
        }
        expect(decider.decide(state, command)).toEqual([]);
      }
    }),
  );
}
