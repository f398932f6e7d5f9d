import type { DomainEvent } from '../events/event-types.js';
import { EraseUser, erasureAggregate, ReadmitUser } from './erasure.aggregate.js';

const origin = { actor: 'ops', correlationId: 'c', causation: null, stripe: null };
const [ADA, BOB] = ['a'.repeat(64), 'b'.repeat(64)];
const erased = (user: string): DomainEvent => ({ type: 'UserErased', data: { user } });
const readmitted = (user: string): DomainEvent => ({ type: 'UserReadmitted', data: { user } });
const erase = new EraseUser(ADA, origin);
const readmit = new ReadmitUser(ADA, origin);

const stateOf = (events: readonly DomainEvent[]) =>
  events.reduce(
    (state, event) => erasureAggregate.evolve(state, { event, causation: null }),
    erasureAggregate.initial,
  );

describe('The erasures of users', () => {
  it.each([
    ['erase somebody never erased', [], erase, [erased(ADA)]],
    ['erase somebody while another one is erased', [erased(BOB)], erase, [erased(ADA)]],
    ['do not erase somebody erased', [erased(ADA), erased(BOB)], erase, []],
    ['erase somebody readmitted', [erased(ADA), readmitted(ADA), erased(BOB)], erase, [erased(ADA)]],
    ['readmit somebody erased', [erased(ADA), erased(BOB), readmitted(BOB)], readmit, [readmitted(ADA)]],
    ['do not readmit somebody never erased', [erased(BOB)], readmit, []],
    ['do not readmit somebody readmitted', [erased(ADA), readmitted(ADA)], readmit, []],
  ])('%s', (_, given, when, then) => {
    expect(erasureAggregate.decide(stateOf(given), when)).toEqual(then);
  });

  it('of a long stream are folded without what was folded before', () => {
    const first = stateOf([erased(ADA)]);
    const next = erasureAggregate.evolve(first, { event: erased(BOB), causation: null });
    expect(next?.before).toBe(first);
  });
});
