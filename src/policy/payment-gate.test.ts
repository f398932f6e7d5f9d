import {
  checkout,
  day,
  entitledBy,
  invoice,
  item,
  line,
  type SubscriptionStory,
  seen,
} from '../../test/support/policy-stories.js';

const plus = item('plus_m');
const pro = item('pro_m');
const boughtPlus: SubscriptionStory = [
  seen('created', day(0), { items: [plus] }),
  invoice('paid', day(0), {
    lines: [line('plus_m', 1000, day(0), day(30))],
    billingReason: 'subscription_create',
  }),
];
const toPro = (second = day(3), more = {}) =>
  seen('updated', second, { items: [pro], previous: { items: [plus] }, ...more });
const upgrade = (lineMore = {}, more = {}) =>
  invoice('paid', day(3), {
    id: 'in_up',
    billingReason: 'subscription_update',
    lines: [{ ...line('pro_m', 1900, day(3), day(30)), ...lineMore }],
    ...more,
  });

describe('an upgrade is paid for by a paid invoice with a line of its price', () => {
  it.each<[string, SubscriptionStory, 'pro' | 'plus']>([
    ['that is positive', [upgrade()], 'pro'],
    ['of which the amount stands where there is no subtotal', [upgrade({ subtotal: null })], 'pro'],
    ['that a discount of nothing is listed on', [upgrade({ amount: 0, subtotal: 0, reduced: true })], 'pro'],
    ['that comes to nothing with nothing listed', [upgrade({ amount: 0, subtotal: 0 })], 'plus'],
    [
      'that comes to nothing by its own tiers',
      [upgrade({ amount: 0, subtotal: 0, billingScheme: 'tiered' })],
      'pro',
    ],
    ['that is a credit', [upgrade({ amount: -500, subtotal: -500 })], 'plus'],
    ['that is of another price', [upgrade({ price: 'plus_m' })], 'plus'],
    ['whose period ended before the upgrade', [upgrade({ periodEnd: day(3) })], 'plus'],
    [
      'created a minute before the price was named',
      [upgrade({ periodStart: day(4) }, { created: day(0) - 60 })],
      'pro',
    ],
    ['created longer before', [upgrade({ periodStart: day(4) }, { created: day(0) - 61 })], 'plus'],
    [
      'of the customer, with the lines that name the subscription',
      [upgrade({ subscription: 'sub_1' }, { billingReason: 'manual' })],
      'pro',
    ],
    [
      'that was voided after it was paid',
      [upgrade(), invoice('voided', day(4), { id: 'in_up', created: day(3), lines: [] })],
      'pro',
    ],
    [
      'that is only finalized',
      [invoice('open', day(3), { id: 'in_up', lines: [line('pro_m', 1900, day(3), day(30))] })],
      'plus',
    ],
  ])('%s', (_, paid, plan) => {
    const entitlement = entitledBy([[...boughtPlus, toPro(), ...paid]], day(5));
    expect(entitlement.plan).toBe(plan);
    expect(entitlement.pendingPayment?.plan ?? null).toBe(plan === 'pro' ? null : 'pro');
  });

  it('a tiered price of which the line says nothing is known by the items', () => {
    const tiered = { ...item('team_m'), billingScheme: 'tiered', unitAmount: null };
    const story = [
      ...boughtPlus,
      seen('updated', day(3), { items: [tiered], previous: { items: [plus] } }),
      upgrade({ price: 'team_m', amount: 0, subtotal: 0 }),
    ];
    expect(entitledBy([story], day(5)).plan).toBe('team');
    expect(entitledBy([story.slice(0, -1)], day(5)).plan).toBe('plus');
  });

  it.each<[string, number | null, 'pro' | 'plus']>([
    ['in a trial that goes on, pays for nothing', day(10), 'plus'],
    ['at the end of a trial, pays', day(3), 'pro'],
    ['in a trial without an end, pays', null, 'pro'],
  ])('$0 with a discount listed, created %s', (_, trialEnd, plan) => {
    const story = [
      seen('created', day(0), { status: 'trialing', trialEnd, items: [plus] }),
      upgrade({ amount: 0, subtotal: 0, reduced: true }),
      seen('updated', day(3) + 10, { items: [plus], previous: { status: 'trialing', trialEnd } }),
      toPro(day(3) + 20),
    ];
    expect(entitledBy([story], day(5)).plan).toBe(plan);
  });
});

describe('a downgrade undone', () => {
  const back = [
    seen('created', day(0), { items: [pro] }),
    invoice('paid', day(0), { lines: [line('pro_m', 2900, day(0), day(30))] }),
    seen('updated', day(3), { items: [plus], previous: { items: [pro] } }),
    toPro(day(3) + 600),
  ];
  const settling = (more: object) => invoice('paid', day(3) + 300, { id: 'in_2', ...more });

  it.each<[string, SubscriptionStory, 'pro' | 'plus']>([
    ['before anything was credited is still paid for', [], 'pro'],
    [
      'after a paid invoice credited it is not',
      [settling({ lines: [line('pro_m', -2600, day(3), day(30))] })],
      'plus',
    ],
    [
      'after a paid invoice with lines that were cut is not',
      [settling({ linesTruncated: true, billingReason: 'manual' })],
      'plus',
    ],
    [
      'is still paid for after a credit of another price',
      [settling({ lines: [line('plus_m', -10, day(3), day(30))] })],
      'pro',
    ],
    [
      'is still paid for while the credit is not paid',
      [invoice('open', day(3) + 300, { id: 'in_2', lines: [line('pro_m', -2600, day(3), day(30))] })],
      'pro',
    ],
  ])('%s', (_, more, plan) => {
    expect(entitledBy([[...back, ...more]], day(4)).plan).toBe(plan);
  });

  it('after the period that was paid for is not paid for', () => {
    const story = [...back.slice(0, 3), toPro(day(31))];
    expect(entitledBy([story], day(32)).plan).toBe('plus');
  });
});

describe('a paid invoice whose lines were cut', () => {
  const upgraded = [
    ...boughtPlus,
    toPro(),
    seen('updated', day(30), {
      items: [{ ...pro, currentPeriodStart: day(30), currentPeriodEnd: day(60) }],
      previous: { items: [pro] },
    }),
  ];
  const cut = (more = {}) =>
    invoice('paid', day(30), {
      id: 'in_c',
      linesTruncated: true,
      lines: [line('seat_m', 100, day(30), day(60))],
      ...more,
    });

  it.each<[string, object, 'pro' | 'plus']>([
    ['of a cycle pays for the prices held when it was created', {}, 'pro'],
    ['of a creation pays for them', { billingReason: 'subscription_create' }, 'pro'],
    ['of an update does not', { billingReason: 'subscription_update' }, 'plus'],
    ['from before the price was held does not', { created: day(2) }, 'plus'],
  ])('%s', (_, more, plan) => {
    expect(entitledBy([[...upgraded, cut(more)]], day(31)).plan).toBe(plan);
  });

  it('that is not paid does not', () => {
    const open = invoice('failed', day(30), { id: 'in_c', linesTruncated: true });
    expect(entitledBy([[...upgraded, open]], day(31)).plan).toBe('plus');
  });

  it('in a trial does not', () => {
    const story = [
      seen('created', day(0), { items: [pro], status: 'trialing', trialEnd: day(10) }),
      invoice('paid', day(0), { linesTruncated: true, billingReason: 'subscription_create' }),
      seen('updated', day(10), { items: [pro], status: 'unpaid', previous: { status: 'trialing' } }),
    ];
    expect(entitledBy([story], day(11)).plan).toBe('free');
  });
});

describe('a later plan period is settled without a payment', () => {
  it.each<[string, SubscriptionStory, Record<string, unknown>, 'pro' | 'plus' | 'team']>([
    ['in a trial', [toPro(day(3), { status: 'trialing', trialEnd: day(20) })], {}, 'pro'],
    [
      'of a metered price, tiered or not',
      [
        seen('updated', day(3), {
          items: [{ ...item('pro_usage'), usageType: 'metered', billingScheme: 'tiered', unitAmount: null }],
          previous: { items: [plus] },
        }),
      ],
      {},
      'pro',
    ],
    ['of a price of nothing', [toPro(day(3), { items: [{ ...pro, unitAmount: '0.00' }] })], {}, 'pro'],
    [
      'but not of a licensed tiered price',
      [toPro(day(3), { items: [{ ...pro, billingScheme: 'tiered', unitAmount: '0' }] })],
      {},
      'plus',
    ],
    ['where the policy asks for no payment', [toPro()], { requirePaymentForUpgrade: false }, 'pro'],
    ['where an upgrade without an invoice is allowed', [toPro()], { upgradeWithoutInvoice: 'allow' }, 'pro'],
    [
      'allowed, with a cycle invoice since that failed',
      [toPro(), invoice('failed', day(4), { id: 'in_c' })],
      { upgradeWithoutInvoice: 'allow' },
      'pro',
    ],
    [
      'but not allowed with an update invoice since',
      [toPro(), invoice('failed', day(3) - 60, { id: 'in_u', billingReason: 'subscription_update' })],
      { upgradeWithoutInvoice: 'allow' },
      'plus',
    ],
    [
      'and allowed where that was a minute and more before',
      [toPro(), invoice('failed', day(3) - 61, { id: 'in_u', billingReason: 'subscription_update' })],
      { upgradeWithoutInvoice: 'allow' },
      'pro',
    ],
  ])('%s', (_, story, policy, plan) => {
    expect(entitledBy([[...boughtPlus, ...story]], day(5), policy).plan).toBe(plan);
  });
});

describe('a first plan period whose money comes later', () => {
  const sent = { collectionMethod: 'send_invoice' };
  const seats = { ...item('seat_m'), quantity: 3 };

  it.each<[string, SubscriptionStory, string]>([
    ['waits under send_invoice', [seen('created', day(0), { items: [plus], ...sent })], 'free'],
    [
      'does not wait where its price asks nothing in advance',
      [seen('created', day(0), { items: [{ ...plus, unitAmount: '0' }], ...sent })],
      'plus',
    ],
    [
      'does not wait where the first that is known is no creation',
      [seen('updated', day(0), { items: [plus], ...sent, previous: {} })],
      'plus',
    ],
    [
      'counts while it is a trial',
      [seen('created', day(0), { items: [plus], ...sent, status: 'trialing', trialEnd: day(9) })],
      'plus',
    ],
    [
      'is there once its invoice is paid',
      [
        seen('created', day(0), { items: [plus], ...sent }),
        invoice('paid', day(1), { lines: [line('plus_m', 1000, day(0), day(30))] }),
      ],
      'plus',
    ],
    [
      'waits for a checkout completed unpaid',
      [seen('created', day(0), { items: [plus] }), checkout('CheckoutCompleted', day(0), 'unpaid')],
      'free',
    ],
    [
      'waits on when the payment failed',
      [
        seen('created', day(0), { items: [plus] }),
        checkout('CheckoutCompleted', day(0), 'unpaid'),
        checkout('CheckoutPaymentFailed', day(1), 'unpaid'),
      ],
      'free',
    ],
  ])('%s', (_, story, plan) => {
    expect(entitledBy([story], day(2)).plan).toBe(plan);
  });

  it('lets no later plan period in but by payment', () => {
    const first = seen('created', day(0), { items: [pro], ...sent });
    const down = seen('updated', day(1), { items: [plus], ...sent, previous: { items: [pro] } });
    expect(entitledBy([[first, down]], day(2))).toMatchObject({
      plan: 'free',
      pendingPayment: { plan: 'plus' },
    });
    const paid = invoice('paid', day(1), { lines: [line('plus_m', 1000, day(1), day(30))] });
    expect(entitledBy([[first, down, paid]], day(2))).toMatchObject({ plan: 'plus', pendingPayment: null });
  });

  it.each<[string, SubscriptionStory, number]>([
    ['wait likewise', [], 50],
    [
      'count once a line of an add-on is paid',
      [invoice('paid', day(1), { lines: [line('audit_m', 100, day(0), day(30))] })],
      80,
    ],
    [
      'wait on when a line of something else is paid',
      [invoice('paid', day(1), { lines: [line('odd', 100, day(0), day(30))] })],
      50,
    ],
  ])('add-ons alone %s', (_, paid, members) => {
    const story = [seen('created', day(0), { items: [seats], ...sent }), ...paid];
    expect(entitledBy([story], day(2)).limits).toEqual({ members });
  });

  it('add-ons alone that ask nothing in advance do not wait', () => {
    const story = [seen('created', day(0), { items: [{ ...seats, usageType: 'metered' }], ...sent })];
    expect(entitledBy([story], day(2)).limits).toEqual({ members: 80 });
  });
});

describe('what is waited for', () => {
  const open = (more = {}) =>
    invoice('open', day(3), { id: 'in_up', lines: [line('pro_m', 1900, day(3), day(30))], ...more });
  const failed = invoice('failed', day(4), {
    id: 'in_up',
    created: day(3),
    lines: [line('pro_m', 1900, day(3), day(30))],
  });

  it.each<[string, SubscriptionStory, string, string | null]>([
    ['no_invoice', [...boughtPlus, toPro()], 'no_invoice', null],
    ['invoice_open', [...boughtPlus, toPro(), open()], 'invoice_open', 'in_up'],
    ['invoice_failed', [...boughtPlus, toPro(), open(), failed], 'invoice_failed', 'in_up'],
    [
      'no_invoice, where the open one is of another price',
      [...boughtPlus, toPro(), open({ lines: [line('plus_m', 1, day(3), day(30))] })],
      'no_invoice',
      null,
    ],
    [
      'sent_invoice',
      [...boughtPlus, toPro(day(3), { collectionMethod: 'send_invoice' }), open()],
      'sent_invoice',
      'in_up',
    ],
    [
      'bank_debit',
      [
        seen('created', day(0), { items: [pro], collectionMethod: 'send_invoice' }),
        checkout('CheckoutCompleted', day(0), 'unpaid'),
        open(),
      ],
      'bank_debit',
      'in_up',
    ],
    [
      'the newest of several open invoices',
      [...boughtPlus, toPro(), open(), open({ id: 'in_later', created: day(4) })],
      'invoice_open',
      'in_later',
    ],
  ])('is told with its reason: %s', (_, story, reason, id) => {
    expect(entitledBy([story], day(5)).pendingPayment).toMatchObject({
      plan: 'pro',
      price: 'pro_m',
      reason,
      invoice: id,
    });
  });

  it('is told of a first plan period that waits in any status but an end', () => {
    const incomplete = (status: string) => [
      seen('created', day(0), { items: [pro], status, collectionMethod: 'send_invoice' }),
    ];
    expect(entitledBy([incomplete('incomplete')], day(1)).pendingPayment).toMatchObject({ plan: 'pro' });
    expect(entitledBy([incomplete('incomplete_expired')], day(1)).pendingPayment).toBeNull();
  });
});
