import { byHand, type GrantStory, type OverrideStory } from '../../test/support/by-hand-stories.js';
import {
  at,
  day,
  invoice,
  item,
  line,
  purchase,
  type SubscriptionStory,
  sale,
  seen,
  storyCatalog,
  subscription,
} from '../../test/support/policy-stories.js';
import type { PlanCatalog } from '../events/catalog.events.js';
import type { Entitlement } from './entitlement.js';
import type { UserFacts } from './facts.js';
import { judge } from './judge.js';

interface Given {
  readonly grants?: readonly GrantStory[];
  readonly overrides?: readonly OverrideStory[];
  readonly subscriptions?: readonly SubscriptionStory[];
  readonly bought?: true;
  /** Day of the judgement; 5 when left out. */
  readonly when?: number;
}

type Then = Partial<Entitlement>;

const monthly = (price: string, status = 'active'): SubscriptionStory => [
  seen('created', day(0), {
    items: [item(price)],
    status,
    ...(status === 'trialing' ? { trialEnd: day(30) } : {}),
  }),
  invoice('paid', day(0), {
    lines: [line(price, 1000, day(0), day(30))],
    billingReason: 'subscription_create',
  }),
];
const pastDue = (price: string): SubscriptionStory => [
  ...monthly(price),
  seen('updated', day(4), { items: [item(price)], status: 'past_due', previous: { status: 'active' } }),
];
const seats: SubscriptionStory = [
  seen('created', day(0), { items: [item('plus_m'), { ...item('seat_m'), quantity: 3 }] }),
];
const from = { recorded: day(0) };
const gift = (n: number) => ({ type: 'grant', grantId: `gr_${n}` }) as const;
const sub = (n: number) =>
  ({ type: 'subscription', subscriptionId: `sub_${n}`, customerId: 'cus_1' }) as const;
const iso = (second: number): string => new Date(at(second)).toISOString();

const table: readonly (readonly [string, Given, Then])[] = [
  // Grants
  [
    'a grant gives its plan, with perUnit once, without end',
    { grants: [{ ...from, plan: 'team' }] },
    {
      plan: 'team',
      role: 'paid',
      status: 'granted',
      features: ['reports', 'shared'],
      limits: { members: 100 },
      subscriptionActive: false,
      expiresAt: null,
      validUntil: null,
      source: gift(1),
    },
  ],
  [
    'perUnit once is never below what others give',
    { grants: [{ ...from, plan: 'team' }], subscriptions: [monthly('plus_m')] },
    { plan: 'team', status: 'granted', limits: { members: 500 }, subscriptionActive: true },
  ],
  [
    'a grant with an end says so',
    { grants: [{ ...from, plan: 'pro', until: day(9) }] },
    { plan: 'pro', expiresAt: iso(day(9)), validUntil: iso(day(9)) },
  ],
  [
    'just before its end it holds',
    { grants: [{ ...from, plan: 'pro', until: day(9) }], when: day(9) - 0.001 },
    { plan: 'pro', status: 'granted' },
  ],
  [
    'at its end it is over',
    { grants: [{ ...from, plan: 'pro', until: day(9) }], when: day(9) },
    { plan: 'free', status: 'none', source: null, validUntil: null },
  ],
  [
    'before its start it gives nothing, and says when that is',
    { grants: [{ ...from, plan: 'pro', from: day(9) }] },
    { plan: 'free', status: 'none', source: null, expiresAt: null, validUntil: iso(day(9)) },
  ],
  [
    'from its start on it holds',
    { grants: [{ ...from, plan: 'pro', from: day(9) }], when: day(9) },
    { plan: 'pro', status: 'granted', validUntil: null },
  ],
  [
    'one that was given for the past holds',
    { grants: [{ recorded: day(4), plan: 'pro', from: day(0) }] },
    { plan: 'pro', status: 'granted' },
  ],
  [
    'one that was revoked gives nothing',
    { grants: [{ ...from, plan: 'pro', until: day(9), revoked: day(2) }] },
    { plan: 'free', status: 'none', source: null, validUntil: null },
  ],
  [
    'one that ends before it starts never holds',
    { grants: [{ ...from, plan: 'pro', from: day(8), until: day(7) }] },
    { plan: 'free', validUntil: null },
  ],
  [
    'features and limits of a grant without a plan',
    { grants: [{ ...from, features: ['export'], limits: { members: 60 } }] },
    { plan: 'free', status: 'none', source: null, features: ['export', 'reports'], limits: { members: 60 } },
  ],
  [
    'a limit below that of a plan changes nothing',
    { grants: [{ ...from, limits: { members: 20 } }] },
    { limits: { members: 50 } },
  ],
  [
    'an unlimited limit absorbs',
    { grants: [{ ...from, limits: { members: 'unlimited' }, addons: { seats: 2 } }] },
    { limits: { members: 'unlimited' } },
  ],
  [
    'of two grants the greater limit counts',
    {
      grants: [
        { ...from, limits: { members: 60 } },
        { ...from, limits: { members: 70 } },
      ],
    },
    { limits: { members: 70 } },
  ],
  [
    'add-ons of a grant come on top, in units',
    { grants: [{ ...from, addons: { seats: 2 } }] },
    { plan: 'free', status: 'none', limits: { members: 70 } },
  ],
  [
    'add-ons of a grant and of a subscription add up',
    { grants: [{ ...from, addons: { seats: 2 } }], subscriptions: [seats] },
    { plan: 'plus', limits: { members: 550 } },
  ],
  [
    'add-ons of two grants add up, on the greater limit of the two',
    {
      grants: [
        { ...from, addons: { seats: 2 }, limits: { members: 60 } },
        { ...from, addons: { seats: 1 }, limits: { members: 55 } },
      ],
    },
    { limits: { members: 90 } },
  ],
  [
    'a plan that left the catalogue gives nothing, the rest of its grant does',
    { grants: [{ ...from, plan: 'gold', features: ['export', 'gilded'], limits: { crates: 7 } }] },
    { plan: 'free', status: 'none', source: null, features: ['export', 'reports'], limits: { members: 50 } },
  ],
  [
    'an add-on that left the catalogue gives nothing',
    { grants: [{ ...from, addons: { boxes: 7 } }] },
    { limits: { members: 50 } },
  ],
  [
    'names that every object inherits are no plan and no add-on',
    { grants: [{ ...from, plan: 'constructor', addons: { valueOf: 1 }, features: ['toString'] }] },
    { plan: 'free', features: ['reports'], limits: { members: 50 } },
  ],

  // Combining
  [
    'a higher rank of a grant gives the plan',
    { grants: [{ ...from, plan: 'pro' }], subscriptions: [monthly('plus_m')] },
    {
      plan: 'pro',
      status: 'granted',
      source: gift(1),
      subscriptionActive: true,
      features: ['api', 'export', 'reports'],
    },
  ],
  [
    'a higher rank of a subscription does',
    { grants: [{ ...from, plan: 'plus' }], subscriptions: [monthly('pro_m')] },
    { plan: 'pro', status: 'active', source: sub(1), features: ['api', 'export', 'reports'] },
  ],
  [
    'of equal ranks active comes before granted',
    { grants: [{ ...from, plan: 'plus' }], subscriptions: [monthly('plus_m')] },
    { status: 'active', source: sub(1) },
  ],
  [
    'trialing comes before granted',
    { grants: [{ ...from, plan: 'plus' }], subscriptions: [monthly('plus_m', 'trialing')] },
    { status: 'trialing', source: sub(1) },
  ],
  [
    'granted comes before past due',
    { grants: [{ ...from, plan: 'plus' }], subscriptions: [pastDue('plus_m')] },
    { status: 'granted', source: gift(1) },
  ],
  [
    'a purchase, which is active, comes before granted',
    { grants: [{ ...from, plan: 'pro' }], bought: true },
    { status: 'active', source: { type: 'purchase', sessionId: 'cs_1', customerId: 'cus_1' } },
  ],
  [
    'of two grants the later end counts',
    {
      grants: [
        { ...from, plan: 'pro', until: day(9) },
        { ...from, plan: 'pro', until: day(10) },
      ],
    },
    { source: gift(2), expiresAt: iso(day(10)), validUntil: iso(day(10)) },
  ],
  [
    'no end is the latest',
    {
      grants: [
        { ...from, plan: 'pro', until: day(9) },
        { ...from, plan: 'pro' },
      ],
    },
    { source: gift(2), expiresAt: null, validUntil: null },
  ],
  [
    'of what is equal the smallest id counts',
    {
      grants: [
        { ...from, plan: 'pro' },
        { ...from, plan: 'pro' },
      ],
    },
    { source: gift(1) },
  ],
  [
    'a grant of the default plan gives it',
    { grants: [{ ...from, plan: 'free' }] },
    { plan: 'free', status: 'granted', source: gift(1) },
  ],
  [
    'a subscription that ended says its word where a grant gives no plan',
    {
      grants: [{ ...from, features: ['export'] }],
      subscriptions: [
        [
          seen('created', day(0), { items: [item('plus_m')] }),
          seen('deleted', day(1), { status: 'canceled' }),
        ],
      ],
    },
    { plan: 'free', status: 'canceled' },
  ],

  // Overrides
  [
    'a feature put on',
    { overrides: [{ ...from, key: 'export', value: true }] },
    { features: ['export', 'reports'] },
  ],
  [
    'a feature put off, whatever was bought',
    { overrides: [{ ...from, key: 'export', value: false }], subscriptions: [monthly('plus_m')] },
    { plan: 'plus', role: 'paid', status: 'active', features: ['reports'] },
  ],
  [
    'a feature put off, whatever was granted',
    { overrides: [{ ...from, key: 'export', value: false }], grants: [{ ...from, features: ['export'] }] },
    { features: ['reports'] },
  ],
  ['a limit set lower', { overrides: [{ ...from, key: 'members', value: 7 }] }, { limits: { members: 7 } }],
  [
    'a limit set to unlimited',
    { overrides: [{ ...from, key: 'members', value: 'unlimited' }] },
    { limits: { members: 'unlimited' } },
  ],
  [
    'something added, on top of add-ons',
    { overrides: [{ ...from, key: 'members', add: 5 }], grants: [{ ...from, addons: { seats: 2 } }] },
    { limits: { members: 75 } },
  ],
  ['something taken', { overrides: [{ ...from, key: 'members', add: -5 }] }, { limits: { members: 45 } }],
  ['never below 0', { overrides: [{ ...from, key: 'members', add: -51 }] }, { limits: { members: 0 } }],
  [
    'added to unlimited it stays that',
    {
      overrides: [{ ...from, key: 'members', add: -5 }],
      grants: [{ ...from, limits: { members: 'unlimited' } }],
    },
    { limits: { members: 'unlimited' } },
  ],
  [
    'added to nothing, which is 0',
    { overrides: [{ ...from, key: 'teams', add: 5 }] },
    { limits: { members: 50, teams: 5 } },
  ],
  [
    'until its end',
    { overrides: [{ ...from, key: 'members', value: 7, until: day(9) }] },
    { limits: { members: 7 }, validUntil: iso(day(9)) },
  ],
  [
    'from its end on no more',
    { overrides: [{ ...from, key: 'members', value: 7, until: day(9) }], when: day(9) },
    { limits: { members: 50 }, validUntil: null },
  ],
  [
    'until it is removed',
    { overrides: [{ ...from, key: 'members', value: 7, until: day(9), removed: day(2) }] },
    { limits: { members: 50 }, validUntil: null },
  ],
  [
    'a key that is feature and limit has one of each',
    {
      overrides: [
        { ...from, key: 'teams', value: true },
        { ...from, key: 'teams', value: 3 },
      ],
    },
    { features: ['reports', 'teams'], limits: { members: 50, teams: 3 } },
  ],
  [
    'a key that left the catalogue does nothing',
    {
      overrides: [
        { ...from, key: 'crates', value: 3 },
        { ...from, key: 'gilded', value: true },
        { ...from, key: 'toString', value: true },
      ],
    },
    { features: ['reports'], limits: { members: 50 } },
  ],
];

/** The catalogue of stories, with a key that is feature and limit. */
function catalogOf(): PlanCatalog {
  const catalog = storyCatalog();
  const { scale } = catalog.plans;
  if (scale === undefined) throw new Error('the catalogue of stories lacks a plan');
  const withTeams = {
    ...scale,
    features: [...scale.features, 'teams'],
    limits: { ...scale.limits, teams: 1 },
  };
  return { ...catalog, plans: { ...catalog.plans, scale: withTeams } };
}

function factsOf(given: Given, order: <T>(list: readonly T[]) => readonly T[]): UserFacts {
  const { grants, overrides } = byHand(given.grants ?? [], given.overrides ?? []);
  return {
    subscriptions: order(
      (given.subscriptions ?? []).map((story, n) => ({
        ...subscription(order(story)),
        subscription: `sub_${n + 1}`,
      })),
    ),
    purchases: given.bought ? [purchase([sale('CheckoutCompleted', day(0), { pro_once: 1 })])] : [],
    byHand: { grants: order(grants), overrides: order(overrides) },
  };
}

describe('A grant or an override', () => {
  it.each(table)('is judged by its facts in the case: %s', (_, given, then) => {
    const catalog = catalogOf();
    const when = at(given.when ?? day(5));
    const judged = judge(
      factsOf(given, (list) => list),
      catalog,
      when,
    );
    expect(judged.entitlement).toMatchObject(then);
    expect(
      judge(
        factsOf(given, (list) => list.toReversed()),
        catalog,
        when,
      ),
    ).toEqual(judged);
    for (const { at: instant, entitlement } of judged.successors) {
      expect(
        judge(
          factsOf(given, (list) => list),
          catalog,
          instant,
        ).entitlement,
      ).toEqual(entitlement);
    }
  });

  it('changes by time beside many subscriptions as beside few', () => {
    const given: Given = {
      grants: [
        { ...from, plan: 'pro', from: day(6), until: day(12) },
        { ...from, features: ['sso'], until: day(8) },
      ],
      overrides: [{ ...from, key: 'members', add: 5, until: day(10) }],
      subscriptions: Array.from({ length: 9 }, () => monthly('plus_m')),
    };
    const plans = judge(
      factsOf(given, (list) => list),
      catalogOf(),
      at(day(5)),
    ).successors.map(({ at: instant, entitlement: { plan, features, limits } }) => [
      instant,
      plan,
      features.includes('sso'),
      limits.members,
    ]);
    expect(plans).toEqual([
      [at(day(6)), 'pro', true, 5005],
      [at(day(8)), 'pro', false, 5005],
      [at(day(10)), 'pro', false, 5000],
      [at(day(12)), 'plus', false, 500],
    ]);
  });
});
