import fc from 'fast-check';
import { addNothingTwice } from '../../test/support/decisions.js';
import { projectionDecider } from './projection.decider.js';

const skipOf = (id: string) => ({
  projection: 'entitlements',
  skipped: { id, stream: 'tenure.customer-cus_1', revision: 3, type: 'CustomerObserved' },
  reason: 'it cannot be read',
});

describe('what ops did to a projection', () => {
  it('skips each event once, whatever was skipped before', () => {
    const ids = fc.constantFrom('a', 'b', 'c');
    addNothingTwice(projectionDecider, ids.map(skipOf), ({ skipped }) => `skip/${skipped.id}`);
  });

  it('knows by its key what is skipped', () => {
    const [event] = projectionDecider.decide(projectionDecider.initial, skipOf('a'));
    if (event === undefined) throw new Error('nothing was decided');
    const state = projectionDecider.evolve(projectionDecider.initial, { event, causation: 'skip/a' });
    expect(projectionDecider.knows(state, 'skip/a')).toBe(true);
    expect(projectionDecider.knows(state, 'skip/b')).toBe(false);
    expect(projectionDecider.decide(state, skipOf('b'))).toHaveLength(1);
  });
});
