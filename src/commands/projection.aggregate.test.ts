import fc from 'fast-check';
import { addNothingTwice, originOf } from '../../test/support/decisions.js';
import { projectionAggregate, SkipEvent } from './projection.aggregate.js';

const skipOf = (id: string): SkipEvent => {
  const skipped = { id, stream: 'tenure.customer-cus_1', revision: 3, type: 'CustomerObserved' };
  return new SkipEvent('entitlements', skipped, 'it cannot be read', originOf(null));
};

describe('what ops did to a projection', () => {
  it('skips each event once, whatever was skipped before', () => {
    const ids = fc.constantFrom('a', 'b', 'c');
    addNothingTwice(projectionAggregate, ids.map(skipOf));
  });

  it('knows by its key what is skipped', () => {
    const [event] = projectionAggregate.decide(projectionAggregate.initial, skipOf('a'));
    if (event === undefined) throw new Error('nothing was decided');
    const state = projectionAggregate.evolve(projectionAggregate.initial, { event, causation: 'skip/a' });
    expect(projectionAggregate.knows(state, 'skip/a')).toBe(true);
    expect(projectionAggregate.knows(state, 'skip/b')).toBe(false);
    expect(projectionAggregate.decide(state, skipOf('b'))).toHaveLength(1);
  });
});
