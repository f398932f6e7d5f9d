import fc from 'fast-check';
import type { Aggregate, Command, Happened } from '../../src/commands/aggregate.js';
import type { DomainEvent, EventType } from '../../src/events/event-types.js';
import { goldenEvent } from './golden-events.js';

/** What stands on a stream: an event of this type, as a golden file says it, and the key it counts once by. */
export function was(type: EventType, causation: string | null): Happened {
  return { event: goldenEvent(type), causation };
}

/** What an aggregate answers to a command after `given` happened, in that order. */
export function decided<State, Asked extends Command>(
  aggregate: Aggregate<State, Asked>,
  given: readonly Happened[],
  when: Asked,
): readonly DomainEvent[] {
  return aggregate.decide(given.reduce(aggregate.evolve, aggregate.initial), when);
}

/** Where a command of a test comes from, with the key it counts once by. */
export function originOf<Causation extends string | null>(causation: Causation) {
  return { actor: 'test', correlationId: 'test', causation, stripe: null };
}

/**
 * Holds the law of repeats: after any commands, each executed as it came, the same command again adds nothing. */
export function addNothingTwice<State, Asked extends Command>(
  aggregate: Aggregate<State, Asked>,
  commands: fc.Arbitrary<Asked>,
): void {
  fc.assert(
    fc.property(fc.array(commands, { minLength: 1, maxLength: 12 }), (all) => {
      let state = aggregate.initial;
      for (const command of all) {
        const first = aggregate.decide(state, command);
        expect(aggregate.decide(state, command)).toEqual(first);
        for (const event of first) {
          state = aggregate.evolve(state, { event, causation: command.origin.causation });
        }
        expect(aggregate.decide(state, command)).toEqual([]);
      }
    }),
  );
}
