import {
  day,
  entitledBy,
  invoice,
  item,
  line,
  type SubscriptionStory,
  seen,
} from '../../test/support/policy-stories.js';

const keyed = (price: string, lookupKey: string | null, product = 'prod_keyed') => ({
  ...item(price),
  lookupKey,
  product,
});

describe('A price belongs to what names it most specifically', () => {
  it.each([
    ['its id, before its lookup key', { ...item('plus_m'), lookupKey: 'pro_key' }, 'plus'],
    ['its id, before its product', { ...item('plus_m'), product: 'prod_scale' }, 'plus'],
    ['its lookup key, before its product', keyed('x', 'team_key', 'prod_scale'), 'team'],
    ['its product, where nothing else does', keyed('x', null, 'prod_scale'), 'scale'],
    ['another price of a list under one label', item('plus_m_old'), 'plus'],
    ['nothing', keyed('x', 'unknown_key'), 'free'],
  ])('in the case: %s', (_, only, plan) => {
    expect(entitledBy([[seen('created', day(0), { items: [only] })]], day(1)).plan).toBe(plan);
  });

  it('so an add-on listed by id is never its product’s plan', () => {
    const seats = { ...item('seat_m'), product: 'prod_scale', quantity: 3 };
    expect(entitledBy([[seen('created', day(0), { items: [item('plus_m'), seats] })]], day(1))).toMatchObject(
      {
        plan: 'plus',
        limits: { members: 530 },
      },
    );
  });
});

describe('a price whose lookup key is moved to another price', () => {
  const bought = seen('created', day(0), { items: [keyed('a', 'team_key')] });
  const moved = seen('updated', day(3), { items: [keyed('a', null)], previous: {} });

  it.each<[string, SubscriptionStory]>([
    ['for what is seen after it', [bought, moved]],
    [
      'though its product names another plan',
      [bought, seen('updated', day(3), { items: [keyed('a', null, 'prod_scale')], previous: {} })],
    ],
    [
      'though only what came before it showed the key',
      [seen('updated', day(3), { items: [keyed('a', null)], previous: { items: [keyed('a', 'team_key')] } })],
    ],
    [
      'though only a pending update showed the key',
      [
        seen('updated', day(1), {
          items: [keyed('a', null)],
          pendingUpdate: { expiresAt: null, items: [keyed('a', 'team_key')] },
          previous: {},
        }),
      ],
    ],
  ])('keeps its plan in this subscription %s', (_, story) => {
    expect(entitledBy([story], day(4))).toMatchObject({ plan: 'team', unmappedPrices: [] });
  });

  it('keeps it for what was seen before, too', () => {
    // Had the price no plan before its key was seen, entering it later would be an upgrade that is not paid.
    const story = [
      seen('created', day(0), { items: [keyed('a', null)] }),
      seen('updated', day(3), { items: [keyed('a', 'team_key')], previous: {} }),
    ];
    expect(entitledBy([story], day(4))).toMatchObject({ plan: 'team', pendingPayment: null });
  });

  it('is of the newest mapped key it showed', () => {
    const rekeyed = seen('updated', day(3), { items: [keyed('a', 'pro_key')], previous: {} });
    expect(
      entitledBy(
        [[bought, rekeyed, seen('updated', day(4), { items: [keyed('a', null)], previous: {} })]],
        day(5),
      ).plan,
    ).toBe('pro');
  });

  it('keeps it for the lines of its invoices', () => {
    const story = [
      bought,
      invoice('paid', day(0), {
        lines: [line('a', 1000, day(0), day(30))],
        billingReason: 'subscription_create',
      }),
      moved,
      seen('updated', day(5), {
        items: [keyed('a', null)],
        status: 'unpaid',
        previous: { status: 'active' },
      }),
    ];
    expect(entitledBy([story], day(20))).toMatchObject({ plan: 'team', status: 'past_due' });
  });
});

describe('an unmapped price that a subscription moves to from a plan’s price', () => {
  const before = { ...item('plus_m'), product: 'prod_p' };
  const after = keyed('new', null, 'prod_p');
  const moved = (items = [after], previous = [before]) => [
    seen('created', day(0), { items: [before] }),
    seen('updated', day(3), { items, previous: { items: previous } }),
  ];

  it.each<[string, SubscriptionStory, string, readonly string[]]>([
    ['of the same product counts as the plan’s own', moved(), 'plus', []],
    ['of another product does not', moved([keyed('new', null, 'prod_q')]), 'free', ['new']],
    ['beside the plan’s price, which stays, does not', moved([before, after]), 'plus', ['new']],
    [
      'of the same product passes it on to the next',
      [
        ...moved(),
        seen('updated', day(4), { items: [keyed('newer', null, 'prod_p')], previous: { items: [after] } }),
      ],
      'plus',
      [],
    ],
  ])('%s', (_, story, plan, unmappedPrices) => {
    expect(entitledBy([story], day(5))).toMatchObject({ plan, unmappedPrices });
  });

  it('counts as the one that was the plan item, whatever the order of the list', () => {
    const others = [before, { ...item('pro_m'), product: 'prod_p' }];
    for (const list of [others, [...others].reverse()]) {
      const story = [
        seen('created', day(0), { items: list }),
        seen('updated', day(3), { items: [after], previous: { items: list } }),
      ];
      expect(entitledBy([story], day(5)).plan).toBe('pro');
    }
  });

  it('is found among 2,000 items in the time of a pass', () => {
    const many = (prefix: string) =>
      Array.from({ length: 2_000 }, (_, n) =>
        keyed(`${prefix}${n}`, n === 7 && prefix === 'a' ? 'team_key' : null),
      );
    const story = [
      seen('created', day(0), { items: many('a') }),
      seen('updated', day(1), { items: many('b'), previous: { items: many('a') } }),
    ];
    expect(entitledBy([story], day(2)).plan).toBe('team');
  });
});

describe('prices in no plan', () => {
  it('are told of the newest items that were not cut', () => {
    const story = [
      seen('created', day(0), { items: [item('plus_m'), keyed('x', null)] }),
      seen('updated', day(1), { items: [keyed('y', null)], itemsTruncated: true, previous: {} }),
    ];
    expect(entitledBy([story], day(2)).unmappedPrices).toEqual(['x']);
  });

  it('are not told of a subscription that has ended', () => {
    const story = [seen('deleted', day(1), { status: 'canceled', items: [keyed('x', null)] })];
    expect(entitledBy([story], day(2)).unmappedPrices).toEqual([]);
  });
});
