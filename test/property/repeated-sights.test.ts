import fc from 'fast-check';
import type { Observation } from '../../src/policy/facts.js';
import { judge } from '../../src/policy/judge.js';
import { compareFactOrigins } from '../../src/policy/order.js';
import { repeatsTheOneBefore } from '../../src/policy/repeated-sight.js';
import { DAY } from '../support/lives.facts.js';
import { type Life, life } from '../support/lives.js';

/** How many lives are tried; `AGREEMENT_SEED` repeats a run. */
const numRuns = 15 * Number(process.env.AGREEMENT_RUNS ?? '80');
const seed = process.env.AGREEMENT_SEED === undefined ? {} : { seed: Number(process.env.AGREEMENT_SEED) };

const namesOnly = { names: ['metadata'], digest: '0' };

/** What a sight says that comes after the newest one: mostly the same again. */
const others: readonly Partial<Observation['data']>[] = [
  {},
  {},
  {},
  { previous: namesOnly },
  { previous: namesOnly },
  { previous: { ...namesOnly, status: 'past_due' } },
  { previous: { ...namesOnly, status: 'trialing' } },
  { previous: { ...namesOnly, items: [] } },
  { status: 'past_due' },
  { status: 'active' },
  { items: [] },
  { pendingUpdate: null },
  { cancelAtPeriodEnd: true },
  { testClock: 'clock_1' },
  { itemsTruncated: true },
];

/** What its newest sight said. */
const said: readonly Partial<Observation['data']>[] = [
  {},
  {},
  { status: 'past_due' },
  { status: 'unpaid', testClock: 'clock_1' },
  { status: 'past_due', testClock: 'clock_1' },
  { status: 'trialing', itemsTruncated: true },
];

/** A life of one subscription that is seen once more, so many seconds after it was last, and judged again so much later. */
const seenOnceMore = fc.record({
  told: life(),
  said: fc.constantFrom(...said),
  says: fc.constantFrom(...others),
  later: fc.constantFrom(-1, 0, 1, 1, 60, DAY, 40 * DAY),
  waits: fc.constantFrom(0, 1, 1_000, DAY * 1_000, 400 * DAY * 1_000),
  isOrdered: fc.boolean(),
});

interface More {
  readonly said: Partial<Observation['data']>;
  readonly says: Partial<Observation['data']>;
  readonly later: number;
  readonly isOrdered: boolean;
}

/** The observations of a life's first subscription, and one more; `null` where it was never seen. */
function onceMore({ facts }: Life, { said, says, later, isOrdered }: More): readonly Observation[] | null {
  const told = facts.subscriptions[0]?.observations ?? [];
  const ordered = isOrdered ? told.toSorted(compareFactOrigins) : told;
  const newest = ordered.at(-1);
  if (newest === undefined) return null;
  const last = { ...newest, data: { ...newest.data, ...said } };
  const data = { ...last.data, previous: null, ...says };
  const origin = { eventId: 'evt_more', stripeType: 'customer.subscription.updated' };
  const more = {
    ...last,
    ...origin,
    type: 'SubscriptionUpdated' as const,
    created: last.created + later,
    data,
  };
  return [...ordered.slice(0, -1), last, more];
}

describe('A sight of a subscription that repeats the one before it', () => {
  it('changes nothing of what its user is given, now or later, until time does', () => {
    let repeated = 0;
    fc.assert(
      fc.property(seenOnceMore, ({ told, waits, ...more }) => {
        const observations = onceMore(told, more);
        const [subscription] = told.facts.subscriptions;
        if (observations === null || subscription === undefined) return;
        if (!repeatsTheOneBefore(observations)) return;
        repeated += 1;
        const before = { subscriptions: [{ ...subscription, observations: observations.slice(0, -1) }] };
        const after = { subscriptions: [{ ...subscription, observations }] };
        const was = judge(before, told.catalog, told.now);
        const at = Math.min(told.now + waits, (was.successors[0]?.at ?? Number.POSITIVE_INFINITY) - 1);
        expect(judge(after, told.catalog, at)).toEqual(was);
      }),
      { numRuns, ...seed },
    );
    expect(repeated).toBeGreaterThan(numRuns / 25);
  });
});
