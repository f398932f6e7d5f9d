import fc from 'fast-check';
import { checkout, day, seen } from '../../test/support/policy-stories.js';
import type { CheckoutEventType } from '../events/checkout.events.js';
import { CheckoutClaims } from './checkout-claims.js';
import type { CustomerObservation } from './customer-sights.js';
import type { CheckoutObservation, Observation } from './facts.js';
import {
  type CustomerClaims,
  type CustomerWord,
  customerConflicts,
  customerOfSubscription,
  customerWord,
  NO_CUSTOMER,
  type SubscriptionClaims,
  subscriptionConflicts,
  subscriptionOwner,
} from './ownership.js';

/** An observation of a subscription with a claim in its metadata. */
function observed(
  created: number,
  userId: string | null,
  more: { id?: string; customer?: string | null } = {},
): Observation {
  const told = seen('updated', created, { userId, previous: {}, ...more });
  if (told.kind !== 'observation') throw new Error('no observation');
  return told.fact;
}

interface Claims {
  readonly metadata?: string | null;
  readonly reference?: string | null;
  readonly id?: string;
}

/** A sight of a checkout session with its claims. */
function session(
  created: number,
  { metadata = null, reference = null, id }: Claims,
  type: CheckoutEventType = 'CheckoutCompleted',
): CheckoutObservation {
  const told = checkout(type, created, 'paid');
  if (told.kind !== 'checkout') throw new Error('no checkout');
  const data = { ...told.fact.data, metadataUserId: metadata, clientReferenceId: reference };
  return { ...told.fact, data, ...(id === undefined ? {} : { eventId: id }) };
}

let counter = 0;
/** A sight of a customer with the claim in its metadata. */
function customer(
  created: number,
  userId: string | null,
  kind = 'updated',
  id?: string,
): CustomerObservation {
  counter += 1;
  return { eventId: id ?? `evt_c${counter}`, stripeType: `customer.${kind}`, created, userId };
}

const subscriptionClaims = (claims: Partial<SubscriptionClaims>): SubscriptionClaims => ({
  link: null,
  observations: [],
  checkouts: [],
  ...claims,
});
const customerClaims = (claims: Partial<CustomerClaims>): CustomerClaims => ({
  link: null,
  observations: [],
  checkouts: [],
  subscriptions: [],
  ...claims,
});

const own = [observed(day(1), 'own')];
const sold = [session(day(1), { metadata: 'sold' })];

describe('a subscription', () => {
  it.each<
    [owner: string | null, given: string, claims: Partial<SubscriptionClaims>, ofCustomer: string | null]
  >([
    ['ops', 'a link, whatever else is said', { link: 'ops', observations: own, checkouts: sold }, 'payer'],
    ['own', 'its metadata before its checkout', { observations: own, checkouts: sold }, 'payer'],
    [
      'sold',
      'its checkout before its customer',
      { checkouts: sold, observations: [observed(day(1), null)] },
      'payer',
    ],
    ['payer', 'its customer when nothing else claims', { observations: [observed(day(1), null)] }, 'payer'],
    [null, 'nobody at all', { observations: [observed(day(1), null)] }, null],
    [
      'newer',
      'the newest observation, however it came',
      { observations: [observed(day(2), 'newer'), observed(day(1), 'older')] },
      null,
    ],
    [
      'older',
      'the newest observation that has a claim',
      { observations: [observed(day(1), 'older'), observed(day(2), null)] },
      null,
    ],
    [
      'first',
      'the earliest of its checkouts',
      { checkouts: [session(day(2), { metadata: 'second' }), session(day(1), { metadata: 'first' })] },
      null,
    ],
    [
      'second',
      'the earliest checkout that makes a claim',
      { checkouts: [session(day(1), {}), session(day(2), { reference: 'second' })] },
      null,
    ],
    [
      'a',
      'the smaller event id of checkouts in one second',
      {
        checkouts: [
          session(day(1), { reference: 'b', id: 'evt_2' }),
          session(day(1), { reference: 'a', id: 'evt_1' }),
        ],
      },
      null,
    ],
    [
      'meta',
      'a session’s metadata before its reference',
      { checkouts: [session(day(1), { metadata: 'meta', reference: 'ref' })] },
      null,
    ],
    [
      'ref',
      'a session’s reference when its metadata has none',
      { checkouts: [session(day(1), { reference: 'ref' })] },
      null,
    ],
    [
      'payer',
      'no session that expired',
      { checkouts: [session(day(1), { reference: 'ref' }, 'CheckoutExpired')] },
      'payer',
    ],
    [
      'ref',
      'a session whose payment failed',
      { checkouts: [session(day(1), { reference: 'ref' }, 'CheckoutPaymentFailed')] },
      null,
    ],
    [
      'late',
      'a session that expired, no more than its other events',
      {
        checkouts: [
          session(day(1), { reference: 'early' }, 'CheckoutExpired'),
          session(day(2), { reference: 'late' }),
        ],
      },
      null,
    ],
  ])('belongs to %s by %s', (owner, _, claims, ofCustomer) => {
    expect(subscriptionOwner(subscriptionClaims(claims), { ...NO_CUSTOMER, owner: ofCustomer })).toBe(owner);
  });

  it.each<[owner: string, given: string, claims: Partial<SubscriptionClaims>, word: Partial<CustomerWord>]>([
    ['own', 'its metadata before a link of its customer', { observations: own }, { link: 'ops' }],
    ['ops', 'a link of its customer before a session’s metadata', { checkouts: sold }, { link: 'ops' }],
    ['sold', 'a session’s metadata before its customer’s', { checkouts: sold }, { metadata: 'payer' }],
    [
      'payer',
      'its customer’s metadata before a session’s reference, which may be a referral',
      { checkouts: [session(day(1), { reference: 'ref' })] },
      { metadata: 'payer' },
    ],
    [
      'ref',
      'a session’s reference before what else its customer is known by',
      { checkouts: [session(day(1), { reference: 'ref' })] },
      { owner: 'payer' },
    ],
    [
      'late',
      'the metadata of a later session where the earliest one has a reference alone',
      { checkouts: [session(day(1), { reference: 'ref' }), session(day(2), { metadata: 'late' })] },
      {},
    ],
  ])('belongs to %s: %s', (owner, _, claims, word) => {
    expect(subscriptionOwner(subscriptionClaims(claims), { ...NO_CUSTOMER, ...word })).toBe(owner);
  });

  it.each<[string, Partial<SubscriptionClaims>, string | null, readonly string[]]>([
    ['its checkout says otherwise', { observations: own, checkouts: sold }, 'own', ['sold']],
    [
      'all say otherwise than ops',
      { link: 'ops', observations: own, checkouts: sold },
      'ops',
      ['own', 'sold'],
    ],
    [
      'two sessions say the same',
      { observations: own, checkouts: [...sold, session(day(2), { metadata: 'sold' })] },
      'own',
      ['sold'],
    ],
    [
      'an older observation said otherwise',
      { observations: [observed(day(0), 'before'), ...own] },
      'own',
      [],
    ],
    [
      'an expired session says otherwise',
      { observations: own, checkouts: [session(day(1), { reference: 'x' }, 'CheckoutExpired')] },
      'own',
      [],
    ],
    ['all agree', { observations: own, checkouts: [session(day(1), { metadata: 'own' })] }, 'own', []],
    ['nobody owns it', { observations: [], checkouts: [] }, null, []],
  ])('is in conflict, or not, where %s', (_, claims, owner, others) => {
    const conflicts = subscriptionConflicts(subscriptionClaims(claims), owner);
    expect(conflicts.map(({ userId }) => userId)).toEqual(others);
  });

  it('is of the customer of the newest observation that names one', () => {
    const named = (created: number, id: string | null) => observed(created, null, { customer: id });
    expect(customerOfSubscription([named(day(2), 'cus_new'), named(day(1), 'cus_old')])).toBe('cus_new');
    expect(customerOfSubscription([named(day(1), 'cus_old'), named(day(2), null)])).toBe('cus_old');
    expect(customerOfSubscription([])).toBeNull();
  });
});

describe('a customer', () => {
  it.each<[owner: string | null, given: string, claims: Partial<CustomerClaims>]>([
    [
      'ops',
      'a link, whatever else is said',
      { link: 'ops', observations: [customer(day(1), 'own')], checkouts: sold, subscriptions: own },
    ],
    [
      'me',
      'its metadata before its checkouts',
      { observations: [customer(day(1), 'me')], checkouts: sold, subscriptions: own },
    ],
    ['sold', 'its checkouts before its subscriptions', { checkouts: sold, subscriptions: own }],
    [
      'meta',
      'a checkout’s metadata before an earlier one’s reference',
      { checkouts: [session(day(1), { reference: 'ref' }), session(day(2), { metadata: 'meta' })] },
    ],
    [
      'own',
      'its subscriptions when nothing else claims',
      { observations: [customer(day(1), null)], subscriptions: own },
    ],
    [null, 'nobody at all', { observations: [customer(day(1), null)] }],
    [
      'newer',
      'the newest of its metadata',
      { observations: [customer(day(2), 'newer'), customer(day(1), 'older')] },
    ],
    [
      'older',
      'the newest of its metadata that has a claim',
      { observations: [customer(day(1), 'older'), customer(day(2), null, 'deleted')] },
    ],
    [
      'changed',
      'what came after its creation in one second',
      {
        observations: [
          customer(day(1), 'changed', 'updated', 'evt_1'),
          customer(day(1), 'made', 'created', 'evt_2'),
        ],
      },
    ],
    [
      'last',
      'its deletion as the last of one second',
      {
        observations: [
          customer(day(1), 'last', 'deleted', 'evt_1'),
          customer(day(1), 'changed', 'updated', 'evt_2'),
        ],
      },
    ],
    [
      'b',
      'the greater event id of two changes in one second',
      {
        observations: [customer(day(1), 'b', 'updated', 'evt_2'), customer(day(1), 'a', 'updated', 'evt_1')],
      },
    ],
    [
      'first',
      'the earliest of its checkouts',
      { checkouts: [session(day(2), { reference: 'second' }), session(day(1), { reference: 'first' })] },
    ],
    [
      'own',
      'no session that expired',
      { checkouts: [session(day(0), { reference: 'x' }, 'CheckoutExpired')], subscriptions: own },
    ],
    [
      'first',
      'the earliest claim of its subscriptions',
      { subscriptions: [observed(day(3), 'second'), observed(day(2), 'first'), observed(day(1), null)] },
    ],
    [
      'a',
      'the smaller event id of two subscriptions in one second',
      { subscriptions: [observed(day(1), 'b', { id: 'evt_2' }), observed(day(1), 'a', { id: 'evt_1' })] },
    ],
  ])('belongs to %s by %s', (owner, _, claims) => {
    expect(customerWord(customerClaims(claims)).owner).toBe(owner);
  });

  it('is in conflict with every claim that says otherwise, each user once, in order', () => {
    const claims = customerClaims({
      observations: [customer(day(1), 'me')],
      checkouts: [session(day(1), { reference: 'z' }), session(day(2), { reference: 'me' })],
      subscriptions: [observed(day(1), 'a'), observed(day(2), 'a'), observed(day(3), 'z')],
    });
    expect(customerConflicts(claims, 'me').map(({ userId }) => userId)).toEqual(['a', 'z']);
    expect(customerConflicts(claims, null)).toEqual([]);
  });
});

describe('whose something is', () => {
  it('depends on the facts, not on their order or how often they were told', () => {
    const users = fc.constantFrom('a', 'b', null);
    const second = fc.constantFrom(day(1), day(2), day(3));
    const sub = fc.tuple(second, users).map(([at, user]) => observed(at, user));
    const cs = fc
      .tuple(second, users, users)
      .map(([at, metadata, reference]) => session(at, { metadata, reference }));
    const cus = fc
      .tuple(second, users, fc.constantFrom('created', 'updated', 'deleted'))
      .map(([at, user, kind]) => customer(at, user, kind));
    const facts = fc.record({ subs: fc.array(sub), sessions: fc.array(cs), sights: fc.array(cus) });
    const shuffled = <T>(list: readonly T[]): fc.Arbitrary<T[]> =>
      fc.shuffledSubarray([...list], { minLength: list.length }).map((all) => [...all, ...all.slice(0, 2)]);
    const told = facts.chain(({ subs, sessions, sights }) =>
      fc.tuple(fc.constant({ subs, sessions, sights }), shuffled(subs), shuffled(sessions), shuffled(sights)),
    );
    fc.assert(
      fc.property(told, ([{ subs, sessions, sights }, subs2, sessions2, sights2]) => {
        const one = customerClaims({ observations: sights, checkouts: sessions, subscriptions: subs });
        const two = customerClaims({ observations: sights2, checkouts: sessions2, subscriptions: subs2 });
        expect(customerWord(two)).toEqual(customerWord(one));
        expect(customerConflicts(two, 'a')).toEqual(customerConflicts(one, 'a'));
        const ofSub = subscriptionClaims({ observations: subs, checkouts: sessions });
        const again = subscriptionClaims({ observations: subs2, checkouts: sessions2 });
        const word = customerWord(one);
        expect(subscriptionOwner(again, word)).toBe(subscriptionOwner(ofSub, word));
        expect(subscriptionConflicts(again, 'a')).toEqual(subscriptionConflicts(ofSub, 'a'));
      }),
    );
  });

  it('is said by the earliest claims of checkout sessions, kept one by one, as by all of them', () => {
    const users = fc.constantFrom('a', 'b', 'c', null);
    const types = fc.constantFrom<CheckoutEventType>(
      'CheckoutCompleted',
      'CheckoutPaymentFailed',
      'CheckoutExpired',
    );
    const sessions = fc
      .array(fc.tuple(fc.nat(5), users, users, types))
      .map((all) =>
        all.map(([at, metadata, reference, type], n) =>
          session(day(at), { metadata, reference, id: `evt_${(n * 7) % 10}${n}` }, type),
        ),
      );
    fc.assert(
      fc.property(sessions, users, (checkouts, owner) => {
        const kept = new CheckoutClaims();
        for (const [n, each] of checkouts.entries()) {
          const before = customerClaims({ checkouts: kept.observations });
          const matters = kept.add(each);
          const all = customerClaims({ checkouts: checkouts.slice(0, n + 1) });
          const some = customerClaims({ checkouts: kept.observations });
          expect(customerWord(some)).toEqual(customerWord(all));
          expect(customerConflicts(some, owner)).toEqual(customerConflicts(all, owner));
          if (!matters) expect(customerConflicts(before, owner)).toEqual(customerConflicts(all, owner));
        }
        expect(kept.observations.length).toBeLessThanOrEqual(6);
      }),
    );
  });
});
