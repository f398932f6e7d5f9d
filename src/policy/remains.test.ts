import {
  at,
  day,
  entitledBy,
  invoice,
  item,
  line,
  type SubscriptionStory,
  seen,
  storyCatalog,
  subscription,
} from '../../test/support/policy-stories.js';
import type { SubscriptionItem } from '../events/subscription.events.js';
import { judge } from './judge.js';

const iso = (second: number) => new Date(at(second)).toISOString();
const seats = (quantity: number) => ({ ...item('seat_y'), quantity, currentPeriodEnd: day(365) });
const yearly: SubscriptionItem = { ...item('plus_y'), currentPeriodEnd: day(365) };
const units = (price: string, quantity: number, end = day(365), start = day(0)) => ({
  ...line(price, 1000, start, end),
  quantity,
});
const pastDue = (second: number, items = [yearly]) =>
  seen('updated', second, { status: 'past_due', items, previous: { status: 'active' } });
const bought: SubscriptionStory = [
  seen('created', day(0), { items: [yearly, seats(20)] }),
  invoice('paid', day(0), {
    lines: [units('plus_y', 1), units('seat_y', 20)],
    billingReason: 'subscription_create',
  }),
];

describe('What was paid for stays after grace, and under unpaid,', () => {
  const fallen = (status: string, items = [yearly, seats(21)]): SubscriptionStory => [
    ...bought,
    invoice('failed', day(60), {
      id: 'in_2',
      billingReason: 'subscription_update',
      lines: [units('seat_y', 21, day(365), day(60))],
    }),
    seen('updated', day(60), { status, items, previous: { status: 'active', items: [yearly, seats(20)] } }),
  ];

  it.each(['past_due', 'unpaid'])(
    'under %s: the plan, and the seats that were paid, until their lines end',
    (status) => {
      expect(entitledBy([fallen(status)], day(80))).toMatchObject({
        plan: 'plus',
        status: 'past_due',
        subscriptionActive: true,
        limits: { members: 700 },
        expiresAt: iso(day(365)),
        validUntil: iso(day(365)),
      });
      expect(entitledBy([fallen(status)], day(365))).toMatchObject({
        plan: 'free',
        status,
        limits: { members: 50 },
      });
    },
  );

  it('no more seats than are held', () => {
    expect(entitledBy([fallen('unpaid', [yearly, seats(4)])], day(80)).limits).toEqual({ members: 540 });
  });

  it('seats as the newest line says, not as the most', () => {
    const fewer = invoice('paid', day(30), { id: 'in_f', lines: [units('seat_y', 5, day(365), day(30))] });
    expect(entitledBy([[...fallen('unpaid'), fewer]], day(80)).limits).toEqual({ members: 550 });
  });

  it.each<[string, SubscriptionStory, string]>([
    [
      'not where a paid invoice created later credits the price',
      [invoice('paid', day(30), { id: 'in_n', lines: [line('plus_y', -900, day(30), day(365))] })],
      'free',
    ],
    [
      'but where that invoice is not paid',
      [invoice('open', day(30), { id: 'in_n', lines: [line('plus_y', -900, day(30), day(365))] })],
      'plus',
    ],
    [
      'but where the credit is in the invoice itself',
      [
        invoice('paid', day(30), {
          id: 'in_n',
          lines: [line('plus_y', -900, day(30), day(365)), units('plus_y', 1, day(365), day(30))],
        }),
      ],
      'plus',
    ],
  ])('in the case: %s', (_, more, plan) => {
    expect(entitledBy([[...fallen('unpaid'), ...more]], day(80)).plan).toBe(plan);
  });

  it('the settled plan, where a line of a higher one covers', () => {
    const story = [
      seen('created', day(0), { items: [item('pro_m')] }),
      invoice('paid', day(0), { lines: [units('pro_m', 1)] }),
      seen('updated', day(10), { items: [yearly], previous: { items: [item('pro_m')] } }),
      pastDue(day(20)),
    ];
    expect(entitledBy([story], day(40))).toMatchObject({ plan: 'plus', status: 'past_due' });
  });

  it('the highest plan that a line covers, where none is of the settled one', () => {
    const story = [
      ...bought,
      invoice('paid', day(0), { id: 'in_t', lines: [units('team_m', 2, day(50))] }),
      seen('updated', day(5), { items: [item('pro_m')], previous: { items: [yearly, seats(20)] } }),
      invoice('paid', day(5), { id: 'in_p', lines: [units('pro_m', 1, day(30), day(5))] }),
      pastDue(day(30), [item('pro_m')]),
    ];
    expect(entitledBy([story], day(40))).toMatchObject({ plan: 'team', validUntil: iso(day(50)) });
    expect(entitledBy([story], day(50))).toMatchObject({ plan: 'plus', validUntil: iso(day(365)) });
  });

  it('a plan sold by the seat in the units that were paid', () => {
    const team = (quantity: number) => ({ ...item('team_m'), quantity });
    const story = [
      seen('created', day(0), { items: [team(3)] }),
      invoice('paid', day(0), { lines: [units('team_m', 3, day(100))] }),
      seen('updated', day(10), { items: [team(7)], previous: { items: [team(3)] } }),
    ];
    expect(entitledBy([story], day(20)).limits).toEqual({ members: 700 });
    expect(entitledBy([[...story, pastDue(day(30), [team(7)])]], day(40)).limits).toEqual({ members: 300 });
  });

  it('a plan sold by the seat, of whose price no line covers, in the units of the newest line that it stays by', () => {
    const team: SubscriptionItem = { ...item('team_m'), quantity: 9 };
    const story = [
      seen('created', day(0), { items: [item('pro_m')] }),
      invoice('paid', day(0), { lines: [units('pro_m', 2, day(365))] }),
      invoice('paid', day(5), { id: 'in_t', lines: [units('pro_usage', 4, day(50), day(5))] }),
      seen('updated', day(10), { items: [team], previous: { items: [item('pro_m')] } }),
      pastDue(day(20), [team]),
    ];
    expect(entitledBy([story], day(40))).toMatchObject({ plan: 'team', limits: { members: 400 } });
    expect(entitledBy([story], day(50))).toMatchObject({ plan: 'team', limits: { members: 200 } });
  });

  it('under a test clock as of the newest observation, and no clock of ours takes it', () => {
    const clocked = bought.map((told) =>
      told.kind === 'observation'
        ? {
            ...told,
            fact: { ...told.fact, data: { ...told.fact.data, testClock: 'clock_1', status: 'unpaid' } },
          }
        : told,
    );
    expect(entitledBy([clocked], day(4000))).toMatchObject({ plan: 'plus', validUntil: null });
  });
});

describe('grace', () => {
  const policy = { pastDueGraceDays: 7, trialGraceDays: 2, neverPaidGraceDays: 1 };
  const fell = (before: SubscriptionStory) => [...before, pastDue(day(10), [item('plus_m')])];
  const open = invoice('failed', day(10), { id: 'in_o', lines: [line('plus_m', 1000, day(10), day(40))] });
  const paid = invoice('paid', day(0), { lines: [line('plus_m', 1000, day(0), day(9))] });
  const created = seen('created', day(0), { items: [item('plus_m')] });

  it.each<[string, SubscriptionStory, number]>([
    ['lasts pastDueGraceDays where something was paid', [created, paid, open], 7],
    [
      'lasts trialGraceDays after a trial and no payment',
      [seen('created', day(0), { items: [item('plus_m')], status: 'trialing', trialEnd: day(9) }), open],
      2,
    ],
    ['lasts neverPaidGraceDays where nothing was ever paid', [created, open], 1],
    ['lasts pastDueGraceDays where no invoice was seen', [created], 7],
    [
      'lasts pastDueGraceDays where the beginning was not seen',
      [seen('updated', day(0), { items: [item('plus_m')], previous: {} }), open],
      7,
    ],
  ])('%s', (_, before, days) => {
    const { successors } = judge(
      { subscriptions: [subscription(fell(before))] },
      storyCatalog(policy),
      at(day(10)),
    );
    expect(successors.map((each) => each.at)).toEqual([at(day(10 + days))]);
  });

  it('that is carried past the year 9999 ends with it', () => {
    const late = 253_402_300_799 - 60;
    const story = [
      created,
      paid,
      seen('updated', late, { status: 'past_due', items: [item('plus_m')], previous: { status: 'active' } }),
    ];
    expect(entitledBy([story], late).validUntil).toBe('9999-12-31T23:59:59.000Z');
  });

  it('so does the slack of a trial', () => {
    const story = [
      seen('created', day(0), { status: 'trialing', trialEnd: 253_402_300_799, items: [item('plus_m')] }),
    ];
    expect(entitledBy([story], day(1)).validUntil).toBe('9999-12-31T23:59:59.000Z');
  });
});

describe('a customer deleted at Stripe', () => {
  it('ends its subscriptions', () => {
    const facts = { ...subscription(bought), customerDeleted: true };
    const { entitlement } = judge({ subscriptions: [facts] }, storyCatalog(), at(day(1)));
    expect(entitlement).toMatchObject({ plan: 'free', status: 'canceled', limits: { members: 50 } });
  });
});

describe('A quantity', () => {
  const units = (quantity: number | null, price = 'team_m') => ({ ...item(price), quantity });

  it.each<[string, SubscriptionStory, object]>([
    [
      'of a plan sold by the seat: its limit by the quantity',
      [seen('created', day(0), { items: [units(4)] })],
      { members: 400 },
    ],
    ['without a quantity: once', [seen('created', day(0), { items: [units(null)] })], { members: 100 }],
    [
      'as the last item said that carried the price',
      [
        seen('created', day(0), { items: [units(4)] }),
        seen('updated', day(1), { items: [units(6)], previous: { items: [units(4)] } }),
      ],
      { members: 600 },
    ],
    [
      'of an upgrade that is not paid: not of the new item',
      [
        seen('created', day(0), { items: [units(4)] }),
        seen('updated', day(1), { items: [units(9, 'pro_m')], previous: { items: [units(5)] } }),
      ],
      { members: 500 },
    ],
    [
      'past all numbers: as the last of them',
      [seen('created', day(0), { items: [item('plus_m'), units(Number.MAX_SAFE_INTEGER, 'seat_m')] })],
      { members: Number.MAX_SAFE_INTEGER },
    ],
  ])('counts in the case: %s', (_, story, limits) => {
    expect(entitledBy([story], day(2)).limits).toEqual(limits);
  });

  it('an add-on gives its features while it is held', () => {
    const story = (items = [item('plus_m'), item('audit_m')]) => [seen('created', day(0), { items })];
    expect(entitledBy([story()], day(1)).features).toEqual(['audit', 'export', 'reports']);
    expect(entitledBy([story([item('audit_m')])], day(1))).toMatchObject({
      plan: 'free',
      features: ['audit', 'reports'],
    });
  });
});
