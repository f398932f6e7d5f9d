import fc from 'fast-check';
import { life } from '../../test/support/lives.js';
import { combinationOf, combine, entitlementOf } from './combine.js';
import { otherAccessOf } from './other-access.js';
import { changesFrom, SubscriptionsOverTime } from './over-time.js';
import { subscriptionAccessAt } from './subscription-access.js';
import { openSubscriptionState } from './subscription-state.js';

const numRuns = Number(process.env.EXTENSION_RUNS ?? '60');

/** Lives that are judged by one catalogue, so many days after the last of them was written down. */
const underOneCatalog = fc.record({
  lives: fc.array(life(), { minLength: 2, maxLength: 4 }),
  days: fc.constantFrom(0, 1, 400),
});

describe('A user of whom the short way is taken', () => {
  it('may do what adding everything up gives, now and at each later instant', () => {
    let atRest = 0;
    let knownAgain = 0;
    fc.assert(
      fc.property(underOneCatalog, ({ lives, days }) => {
        const [first] = lives;
        if (first === undefined) throw new Error('no life');
        const { catalog } = first;
        const known = new Set<unknown>();
        for (const { facts, now: written } of lives) {
          const now = written + days * 86_400_000;
          const states = facts.subscriptions.flatMap((each) => openSubscriptionState(each, catalog) ?? []);
          const other = otherAccessOf(facts, catalog);
          const together = new SubscriptionsOverTime(now);
          for (const state of states) together.join(state);
          const moments = changesFrom(states, catalog, now, 16, other);
          expect(moments).toEqual(together.moments(catalog, 16, other));
          if (moments.length === 1) atRest += 1;

          const accesses = [
            ...states.map((state) => subscriptionAccessAt(state, now / 1000)),
            ...other.accessesAt(now),
          ];
          const overrides = other.overridesAt(now);
          const short = combine(accesses, catalog, overrides);
          expect(short).toEqual(entitlementOf(combinationOf(accesses, catalog, overrides)));
          if (known.has(short.features)) knownAgain += 1;
          known.add(short.features);
        }
      }),
      { numRuns },
    );
    expect(atRest).toBeGreaterThan(0);
    expect(knownAgain).toBeGreaterThan(0);
  });
});
