import fc from 'fast-check';
import { type CustomerObservation, thatMatter } from './customer-sights.js';
import { customerMetadata } from './ownership.js';

const sights = fc.uniqueArray(
  fc.record<CustomerObservation>({
    eventId: fc.stringMatching(/^evt_[a-z0-9]{2}$/),
    stripeType: fc.constantFrom('customer.created', 'customer.updated', 'customer.updated', ''),
    created: fc.integer({ min: 1, max: 3 }),
    userId: fc.constantFrom(null, 'ann', 'bob', 'eve'),
  }),
  { selector: ({ eventId }) => eventId, maxLength: 12 },
);

/** Of whom the updates of the newest second that claims a customer say that it is. */
function claimants(observations: readonly CustomerObservation[]): number {
  const claims = observations.filter(({ userId }) => userId !== null);
  const newest = Math.max(...claims.map(({ created }) => created));
  const updates = claims.filter(
    ({ created, stripeType }) => created === newest && stripeType === 'customer.updated',
  );
  return new Set(updates.map(({ userId }) => userId)).size;
}

describe('what is kept of the sights of a customer', () => {
  it('is the same in every order, seen one by one or together, and four at most', () => {
    fc.assert(
      fc.property(sights, fc.infiniteStream(fc.nat()), (seen, random) => {
        const shuffled = seen
          .map((sight) => ({ sight, at: random.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ sight }) => sight);
        let kept: readonly CustomerObservation[] = [];
        for (const sight of shuffled) kept = thatMatter([...kept, sight]);
        expect(kept).toEqual(thatMatter(seen));
        expect(kept.length).toBeLessThanOrEqual(4);
      }),
    );
  });

  it('names the same user, and still tells that one second named several', () => {
    fc.assert(
      fc.property(sights, (seen) => {
        const kept = thatMatter(seen);
        expect(customerMetadata(kept)).toBe(customerMetadata(seen));
        expect(claimants(kept) > 1).toBe(claimants(seen) > 1);
      }),
    );
  });
});
