import { day, entitledBy, item, seen } from '../../test/support/policy-stories.js';

const usage = { ...item('pro_usage'), usageType: 'metered', unitAmount: null };

describe('the plan item of a list, in any order', () => {
  it.each([
    ['is of the plan of highest rank', [item('plus_m'), item('pro_m')], 'pro_m'],
    ['asks in advance, of several of one plan', [usage, item('pro_m')], 'pro_m'],
    ['has the smallest price id, of several that ask', [item('plus_y'), item('plus_m')], 'plus_m'],
    ['is one that is held', [{ ...item('pro_m'), quantity: 0 }, item('plus_m')], 'plus_m'],
  ])('%s', (_, items, price) => {
    for (const list of [items, [...items].reverse()]) {
      // Nothing is settled under send_invoice, so the plan item is what is waited for.
      const story = [seen('created', day(0), { items: list, collectionMethod: 'send_invoice' })];
      expect(entitledBy([story], day(1)).pendingPayment?.price).toBe(price);
    }
  });

  it('so a metered item listed first grants no upgrade that is not paid', () => {
    for (const list of [
      [usage, item('pro_m')],
      [item('pro_m'), usage],
    ]) {
      const story = [
        seen('created', day(0), { items: [item('plus_m')] }),
        seen('updated', day(3), { items: list, previous: { items: [item('plus_m')] } }),
      ];
      expect(entitledBy([story], day(4))).toMatchObject({ plan: 'plus', pendingPayment: { plan: 'pro' } });
    }
  });
});

describe('an item of quantity 0', () => {
  const none = (price: string) => ({ ...item(price), quantity: 0 });

  it.each([
    ['gives no plan', [none('plus_m')], { plan: 'free', limits: { members: 50 } }],
    [
      'gives no add-on',
      [item('plus_m'), none('audit_m'), none('seat_m')],
      { features: ['export', 'reports'], limits: { members: 500 } },
    ],
    ['is not told as unmapped', [item('plus_m'), none('odd')], { unmappedPrices: [] }],
  ])('%s', (_, items, expected) => {
    expect(entitledBy([[seen('created', day(0), { items })]], day(1))).toMatchObject(expected);
  });

  it('is no upgrade held back', () => {
    const pendingUpdate = { expiresAt: null, items: [item('plus_m'), none('pro_m')] };
    const story = [seen('created', day(0), { items: [item('plus_m')], pendingUpdate })];
    expect(entitledBy([story], day(1)).pendingPayment).toBeNull();
  });

  it('is nothing that was there before, either: to raise it is an upgrade', () => {
    const story = [
      seen('created', day(0), { items: [item('plus_m'), none('pro_m')] }),
      seen('updated', day(1), {
        items: [item('plus_m'), item('pro_m')],
        previous: { items: [item('plus_m'), none('pro_m')] },
      }),
    ];
    expect(entitledBy([story], day(2))).toMatchObject({ plan: 'plus', pendingPayment: { plan: 'pro' } });
  });
});
