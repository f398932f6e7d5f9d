import {
  at,
  checkout,
  day,
  invoice,
  item,
  line,
  type SubscriptionStory,
  seen,
  subscription,
} from '../../test/support/policy-stories.js';
import { planCatalogSchema } from '../events/catalog.events.js';
import { judge } from './judge.js';

const CATALOG = planCatalogSchema.parse({
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free', features: ['reports'], limits: { members: 50 } },
    plus: {
      rank: 1,
      role: 'paid',
      features: ['reports', 'export'],
      limits: { members: 500 },
      prices: { m: 'plus_m', y: 'plus_y', t: 'plus_metered' },
    },
    pro: {
      rank: 2,
      role: 'paid',
      features: ['api'],
      limits: { members: 5000 },
      prices: { m: 'pro_m', metered: 'pro_metered' },
    },
  },
  addons: { seats: { prices: ['seat_m'], limits: { members: 10 } } },
});

function catalogWith(policy: Record<string, unknown>) {
  return planCatalogSchema.parse({ ...CATALOG, policy: { ...CATALOG.policy, ...policy } });
}

function entitled(stories: readonly SubscriptionStory[], now: number, catalog = CATALOG) {
  return judge({ subscriptions: stories.map(subscription) }, catalog, at(now)).entitlement;
}

const plus = item('plus_m');
const pro = item('pro_m');
const boughtPlus = [
  seen('created', day(0), { status: 'active', items: [plus] }),
  invoice('paid', day(0), {
    lines: [line('plus_m', 1000, day(0), day(30))],
    billingReason: 'subscription_create',
  }),
];
const toPro = (second: number, more = {}) =>
  seen('updated', second, { items: [pro], previous: { items: [plus] }, ...more });

describe('A higher plan that is not paid for leaves the lower one in force', () => {
  it.each<[string, SubscriptionStory, number]>([
    [
      'swapped with allow_incomplete and a failed invoice',
      [
        ...boughtPlus,
        toPro(day(3), { status: 'past_due', previous: { items: [plus], status: 'active' } }),
        invoice('failed', day(3), { id: 'in_up', lines: [line('pro_m', 1900, day(3), day(30))] }),
      ],
      day(4),
    ],
    ['with prorations and no invoice yet', [...boughtPlus, toPro(day(3))], day(4)],
    [
      'the upgrade invoice marked uncollectible',
      [
        ...boughtPlus,
        toPro(day(3)),
        invoice('uncollectible', day(4), {
          id: 'in_up',
          created: day(3),
          billingReason: 'subscription_update',
          lines: [line('pro_m', 1900, day(3), day(30))],
        }),
      ],
      day(5),
    ],
    [
      'pause_collection set',
      [
        ...boughtPlus,
        toPro(day(3), {
          pauseCollection: { behavior: 'void', resumesAt: null },
          previous: { items: [plus], pauseCollection: null },
        }),
      ],
      day(5),
    ],
    [
      'an invoice that only credits the higher price',
      [
        ...boughtPlus,
        toPro(day(3)),
        invoice('paid', day(3), { id: 'in_up', lines: [line('pro_m', -500, day(3), day(30))] }),
      ],
      day(5),
    ],
    [
      'a pending update',
      [
        ...boughtPlus,
        seen('updated', day(3), {
          items: [plus],
          pendingUpdate: { expiresAt: day(4), items: [pro] },
          previous: {},
        }),
      ],
      day(3),
    ],
    [
      'paid for a while ago, left, entered again after that',
      [
        seen('created', day(0), { items: [pro] }),
        invoice('paid', day(0), { lines: [line('pro_m', 2900, day(0), day(80))] }),
        seen('updated', day(40), { items: [plus], previous: { items: [pro] } }),
        toPro(day(80)),
      ],
      day(81),
    ],
    ['the unpaid upgrade being the first event ever seen', [toPro(day(3))], day(4)],
  ])('in the case: %s', (_, story, now) => {
    const entitlement = entitled([story], now);
    expect(entitlement).toMatchObject({
      plan: 'plus',
      role: 'paid',
      pendingPayment: { plan: 'pro', price: 'pro_m' },
    });
  });

  it('a first checkout completed unpaid gives nothing, until the delayed payment succeeds', () => {
    const story = [
      seen('created', day(0), { items: [plus] }),
      checkout('CheckoutCompleted', day(0), 'unpaid'),
    ];
    expect(entitled([story], day(1))).toMatchObject({ plan: 'free', pendingPayment: { plan: 'plus' } });
    const paid = [...story, checkout('CheckoutPaymentSucceeded', day(2), 'paid')];
    expect(entitled([paid], day(3))).toMatchObject({ plan: 'plus', pendingPayment: null });
  });

  it('a $0 trial invoice is no payment: after a failed trial nothing is covered', () => {
    const story = [
      seen('created', day(0), { status: 'trialing', trialEnd: day(14), items: [plus] }),
      invoice('paid', day(0), { lines: [line('plus_m', 0, day(0), day(14))] }),
      seen('updated', day(14), { status: 'past_due', items: [plus], previous: { status: 'trialing' } }),
    ];
    expect(entitled([story], day(15))).toMatchObject({ plan: 'free', status: 'past_due' });
  });

  it('send_invoice waits for the money from the first day', () => {
    const story = [seen('created', day(0), { items: [plus], collectionMethod: 'send_invoice' })];
    expect(entitled([story], day(1))).toMatchObject({ plan: 'free', pendingPayment: { plan: 'plus' } });
    expect(entitled([story], day(1), catalogWith({ sendInvoice: 'onActive' })).plan).toBe('plus');
  });
});

describe('A higher plan that was paid for, or asks for nothing, is given', () => {
  it.each<[string, SubscriptionStory, number]>([
    [
      'paid',
      [
        ...boughtPlus,
        toPro(day(3)),
        invoice('paid', day(3), { id: 'in_up', lines: [line('pro_m', 1900, day(3), day(30))] }),
      ],
      day(4),
    ],
    [
      '100 % coupon',
      [
        ...boughtPlus,
        toPro(day(3)),
        invoice('paid', day(3), {
          id: 'in_up',
          lines: [{ ...line('pro_m', 0, day(3), day(30)), discounts: 1900, reduced: true }],
        }),
      ],
      day(4),
    ],
    [
      'customer balance',
      [
        ...boughtPlus,
        toPro(day(3)),
        invoice('paid', day(3), {
          id: 'in_up',
          amountPaid: 0,
          lines: [line('pro_m', 1900, day(3), day(30))],
        }),
      ],
      day(4),
    ],
    [
      'upgrade inside a trial',
      [
        seen('created', day(0), { status: 'trialing', trialEnd: day(14), items: [plus] }),
        toPro(day(3), { status: 'trialing', trialEnd: day(14) }),
      ],
      day(4),
    ],
    [
      'metered price',
      [
        ...boughtPlus,
        seen('updated', day(3), {
          items: [{ ...item('pro_metered'), usageType: 'metered', unitAmount: null }],
          previous: { items: [plus] },
        }),
      ],
      day(4),
    ],
    [
      'an invoice that came before the change was seen',
      [
        ...boughtPlus,
        invoice('paid', day(3), { id: 'in_up', lines: [line('pro_m', 1900, day(3), day(30))] }),
        toPro(day(3) + 30),
      ],
      day(4),
    ],
    [
      'an update held back and then applied',
      [
        ...boughtPlus,
        seen('updated', day(3), {
          items: [plus],
          pendingUpdate: { expiresAt: day(4), items: [pro] },
          previous: {},
        }),
        invoice('paid', day(3), { id: 'in_up', lines: [line('pro_m', 1900, day(3), day(30))] }),
        seen('pending_update_applied', day(3) + 1800, { items: [pro] }),
      ],
      day(4),
    ],
  ])('in the case: %s', (_, story, now) => {
    expect(entitled([story], now)).toMatchObject({ plan: 'pro', pendingPayment: null });
  });

  it('annual plan paid, upgrade failed, grace over: the annual plan stands', () => {
    const annual = item('plus_y');
    const story = [
      seen('created', day(0), { items: [annual] }),
      invoice('paid', day(0), { lines: [line('plus_y', 10_000, day(0), day(365))] }),
      seen('updated', day(100), {
        status: 'past_due',
        items: [pro],
        previous: { items: [annual], status: 'active' },
      }),
      invoice('failed', day(100), { id: 'in_up', lines: [line('pro_m', 1900, day(100), day(130))] }),
    ];
    expect(entitled([story], day(120))).toMatchObject({
      plan: 'plus',
      status: 'past_due',
      expiresAt: new Date(at(day(365))).toISOString(),
    });
    expect(entitled([story], day(366)).plan).toBe('free');
  });

  it('a trial that converts an hour late loses nothing', () => {
    const story = [seen('created', day(0), { status: 'trialing', trialEnd: day(14), items: [plus] })];
    expect(entitled([story], day(14) + 3600)).toMatchObject({ plan: 'plus', status: 'trialing' });
    expect(entitled([story], day(15)).plan).toBe('free');
  });

  it('a price moved to one in no plan yet, of the same product, keeps the plan', () => {
    const moved = { ...item('plus_new'), product: 'prod_plus' };
    const story = [...boughtPlus, seen('updated', day(3), { items: [moved], previous: { items: [plus] } })];
    expect(entitled([story], day(4))).toMatchObject({ plan: 'plus', unmappedPrices: [] });
    const elsewhere = { ...item('plus_new'), product: 'prod_other' };
    const lost = [
      ...boughtPlus,
      seen('updated', day(3), { items: [elsewhere], previous: { items: [plus] } }),
    ];
    expect(entitled([lost], day(4))).toMatchObject({ plan: 'free', unmappedPrices: ['plus_new'] });
  });

  it('paused collection keeps access, unless the policy suspends', () => {
    const story = [
      ...boughtPlus,
      seen('updated', day(3), {
        items: [plus],
        pauseCollection: { behavior: 'void', resumesAt: null },
        previous: { pauseCollection: null },
      }),
    ];
    expect(entitled([story], day(4)).plan).toBe('plus');
    expect(entitled([story], day(4), catalogWith({ pauseCollection: 'suspend' }))).toMatchObject({
      plan: 'free',
      status: 'paused',
    });
  });
});

describe('the status of a subscription', () => {
  it.each<[string, string, string]>([
    ['active', 'plus', 'active'],
    ['trialing', 'plus', 'trialing'],
    ['past_due', 'plus', 'past_due'],
    ['unpaid', 'free', 'unpaid'],
    ['paused', 'free', 'paused'],
    ['incomplete', 'free', 'none'],
    ['incomplete_expired', 'free', 'none'],
    ['canceled', 'free', 'canceled'],
    ['on_hold', 'free', 'unknown'],
  ])('%s gives %s, and says %s', (status, plan, word) => {
    const story = [seen('created', day(0), { status, items: [plus] })];
    expect(entitled([story], day(1))).toMatchObject({ plan, status: word });
  });

  it('a terminal one never comes back, wherever it stands', () => {
    const story = [
      seen('deleted', day(3), { status: 'canceled', items: [plus] }),
      seen('updated', day(4), { items: [plus], previous: {} }),
      ...boughtPlus,
    ];
    expect(entitled([story], day(5))).toMatchObject({ plan: 'free', status: 'canceled' });
  });
});

describe('time alone', () => {
  it('ends grace seven days after the failed payment that led to it', () => {
    const story = [
      ...boughtPlus,
      invoice('failed', day(30), { id: 'in_2', lines: [line('plus_m', 1000, day(30), day(60))] }),
      seen('updated', day(31), { status: 'past_due', items: [plus], previous: { status: 'active' } }),
    ];
    expect(entitled([story], day(37) - 1)).toMatchObject({
      plan: 'plus',
      validUntil: new Date(at(day(37))).toISOString(),
    });
    expect(entitled([story], day(37))).toMatchObject({ plan: 'free', status: 'past_due', validUntil: null });
  });

  it.each<[string, object]>([
    ['cancel_at', { cancelAt: day(30) }],
    ['cancel_at_period_end', { cancelAtPeriodEnd: true }],
  ])('ends access at %s with no event', (_, scheduled) => {
    const story = [
      ...boughtPlus,
      seen('updated', day(3), {
        items: [plus],
        ...scheduled,
        previous: { cancelAt: null, cancelAtPeriodEnd: false },
      }),
    ];
    expect(entitled([story], day(30) - 1)).toMatchObject({
      plan: 'plus',
      cancelAt: new Date(at(day(30))).toISOString(),
    });
    expect(entitled([story], day(30))).toMatchObject({ plan: 'free', status: 'canceled' });
  });

  it('takes nothing from a subscription with a test clock', () => {
    const story = [
      seen('created', day(0), { status: 'trialing', trialEnd: day(1), items: [plus], testClock: 'clock_1' }),
    ];
    expect(entitled([story], day(400)).plan).toBe('plus');
  });
});

describe('several subscriptions of one user', () => {
  const other = (story: SubscriptionStory): SubscriptionStory =>
    story.map((fact) => ({ ...fact, of: 'sub_2' }));

  it('give the highest plan, all features, and the greatest limits', () => {
    const second = other([seen('created', day(0), { items: [pro] })]);
    expect(entitled([boughtPlus, second], day(1))).toMatchObject({
      plan: 'pro',
      features: ['api', 'export', 'reports'],
      limits: { members: 5000 },
      source: { subscriptionId: 'sub_2' },
    });
  });

  it('add add-ons per unit of quantity', () => {
    const seats = { ...item('seat_m'), quantity: 3 };
    const story = [seen('created', day(0), { items: [plus, seats] })];
    expect(entitled([story], day(1)).limits).toEqual({ members: 530 });
  });

  it('fall back when one is written off, until a later invoice is paid', () => {
    const story = [
      ...boughtPlus,
      invoice('uncollectible', day(40), {
        id: 'in_2',
        created: day(30),
        attemptCount: 4,
        lines: [line('plus_m', 1000, day(30), day(60))],
      }),
    ];
    expect(entitled([story], day(41))).toMatchObject({ plan: 'free', status: 'unpaid' });
    const paid = [
      ...story,
      invoice('paid', day(60), { id: 'in_3', lines: [line('plus_m', 1000, day(60), day(90))] }),
    ];
    expect(entitled([paid], day(61)).plan).toBe('plus');
  });
});

describe('What Stripe told of one second', () => {
  it('is put in the order in which each change can follow the one before', () => {
    const failed = seen('updated', day(3), {
      id: 'evt_z',
      status: 'past_due',
      items: [plus],
      previous: { status: 'active' },
    });
    const recovered = seen('updated', day(3), {
      id: 'evt_a',
      items: [plus],
      previous: { status: 'past_due' },
    });
    for (const story of [
      [...boughtPlus, failed, recovered],
      [recovered, ...boughtPlus, failed],
    ]) {
      expect(entitled([story], day(20))).toMatchObject({ plan: 'plus', status: 'active' });
    }
  });

  it('counts events that say the same once', () => {
    const failed = (id: string) =>
      seen('updated', day(3), { id, status: 'past_due', items: [plus], previous: { status: 'active' } });
    const recovered = seen('updated', day(3), {
      id: 'evt_m',
      items: [plus],
      previous: { status: 'past_due' },
    });
    expect(entitled([[...boughtPlus, failed('evt_a'), recovered, failed('evt_z')]], day(20)).status).toBe(
      'active',
    );
  });
});
