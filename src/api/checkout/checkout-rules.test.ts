import { planCatalogSchema } from '../../events/catalog.events.js';
import { soldPriceOf } from '../../stripe/gateway/sold-price.js';
import { checkoutRequest } from './checkout.schemas.js';
import { choiceHeld, type Held, heldBy, stripeSubscription } from './held.js';
import { checkOrigins, offerOf } from './offer.js';
import { choiceKey, sessionParams } from './session-params.js';
import { trialDaysOf } from './trial.js';
import { itemsAfter } from './upgrade.js';
import { type Wanted, wantedOf } from './wanted.js';

const catalog = planCatalogSchema.parse({
  default: 'free',
  trialDays: 14,
  checkout: { promotionCodes: true, automaticTax: true, taxIds: true, locale: 'de' },
  plans: {
    free: { rank: 0, role: 'free' },
    plus: {
      rank: 1,
      role: 'paid',
      trialDays: 0,
      prices: { monthly: ['plus_m', 'plus_old'], yearly: 'plus_y' },
    },
    pro: { rank: 2, role: 'paid', prices: { monthly: 'pro_m', lifetime: 'pro_once' } },
  },
  addons: {
    seats: { prices: ['seat_m', 'seat_y'] },
    storage: { prices: ['storage_m'] },
    calls: { prices: ['calls_m'] },
  },
});

const price = (id: string, interval: 'month' | 'year' | null) => ({
  id,
  active: true,
  product: `prod_${id}`,
  currency: 'usd',
  unit_amount: 1_000,
  recurring: interval === null ? null : { interval, interval_count: 1, usage_type: 'licensed' },
});
const PRICES = new Map(
  [
    price('plus_m', 'month'),
    price('plus_y', 'year'),
    price('pro_m', 'month'),
    price('pro_once', null),
    price('seat_m', 'month'),
    price('seat_y', 'year'),
    price('storage_m', 'month'),
    {
      ...price('calls_m', 'month'),
      recurring: { interval: 'month', interval_count: 1, usage_type: 'metered' },
    },
  ].map((each) => [each.id, soldPriceOf(each)]),
);

function asked(choice: object) {
  return checkoutRequest.parse({
    userId: 'ann',
    successUrl: 'https://app.example.com/done?session={CHECKOUT_SESSION_ID}',
    cancelUrl: 'https://app.example.com/plans',
    ...choice,
  });
}

function held(items: readonly [id: string, quantity: number][]): Held {
  const data = items.map(([id, quantity]) => ({
    id: `si_${id}`,
    quantity,
    price: price(id, id.endsWith('y') ? 'year' : 'month'),
  }));
  return heldBy(
    stripeSubscription.parse({ id: 'sub_1', status: 'active', customer: 'cus_1', items: { data } }),
    catalog,
  );
}

function wanted(choice: object, of: Held | null): Wanted {
  const request = asked(choice);
  return wantedOf(catalog, request, offerOf(catalog, request), of, (name) => PRICES.get(name) ?? null);
}

describe('What is wanted beside what is held', () => {
  it('keeps units and add-ons that the request does not name, by the new interval', () => {
    const has = held([
      ['plus_old', 3],
      ['seat_m', 2],
      ['unmapped', 1],
    ]);
    expect(choiceHeld(has)).toMatchObject({ plan: 'plus', quantity: 3, addons: { seats: 2 } });
    const yearly = wanted({ plan: 'plus', interval: 'yearly' }, has);
    expect(yearly).toMatchObject({ quantity: 3, addons: [{ price: 'seat_y', quantity: 2 }] });
    expect(itemsAfter({ held: has, wanted: yearly })).toEqual([
      { id: 'si_plus_old', price: 'plus_y', quantity: 3 },
      { id: 'si_seat_m', price: 'seat_y', quantity: 2 },
      { id: 'si_unmapped' },
    ]);
  });

  it('names every item: those that go, and those that come', () => {
    const has = held([
      ['plus_m', 1],
      ['seat_m', 2],
    ]);
    const pro = wanted({ plan: 'pro', interval: 'monthly', addons: { storage: 5 } }, has);
    expect(itemsAfter({ held: has, wanted: pro })).toEqual([
      { id: 'si_plus_m', price: 'pro_m', quantity: 1 },
      { id: 'si_seat_m', deleted: true },
      { price: 'storage_m', quantity: 5 },
    ]);
  });

  it('gives no quantity to an add-on that is billed by what was used', () => {
    const has = held([
      ['plus_m', 1],
      ['calls_m', 1],
    ]);
    const choice = { plan: 'pro', interval: 'monthly', addons: { calls: 1, seats: 2 } };
    expect(itemsAfter({ held: has, wanted: wanted(choice, has) })).toEqual([
      { id: 'si_plus_m', price: 'pro_m', quantity: 1 },
      { id: 'si_calls_m', price: 'calls_m' },
      { price: 'seat_m', quantity: 2 },
    ]);
  });

  it('brings a plan to a subscription of add-ons alone', () => {
    const has = held([['seat_m', 2]]);
    expect(choiceHeld(has)).toBeNull();
    const plus = wanted({ plan: 'plus', interval: 'monthly' }, has);
    expect(itemsAfter({ held: has, wanted: plus })).toEqual([
      { id: 'si_seat_m', price: 'seat_m', quantity: 2 },
      { price: 'plus_m', quantity: 1 },
    ]);
  });

  it('is not for sale where Stripe does not sell it, or not by that interval', () => {
    const request = asked({ plan: 'plus', interval: 'monthly' });
    expect(() => wantedOf(catalog, request, offerOf(catalog, request), null, () => null)).toThrow(
      'does not sell',
    );
    expect(() => wanted({ plan: 'plus', interval: 'yearly', addons: { storage: 1 } }, null)).toThrow(
      'storage',
    );
  });
});

describe('A trial', () => {
  const never = { subscriptions: [] };
  const once = { subscriptions: [{ subscription: 's', customer: null, status: 'canceled', hasBegun: true }] };
  it.each<[string, boolean | undefined, number, typeof never | typeof once, number | string]>([
    ['is given where it is offered', undefined, 14, never, 14],
    ['is given where it is asked for', true, 14, never, 14],
    ['is not given where it is not wanted', false, 14, never, 0],
    ['is not given where none is offered', undefined, 0, never, 0],
    ['is refused where none is offered', true, 0, never, 'trial_not_offered'],
    ['is not given a second time', undefined, 14, once, 0],
    ['is refused a second time', true, 14, once, 'trial_used'],
  ])('%s', (_what, trial, trialDays, buyer, outcome) => {
    const days = () => trialDaysOf({ trial }, { plan: 'pro', trialDays }, buyer);
    if (typeof outcome === 'number') expect(days()).toBe(outcome);
    else expect(days).toThrow(expect.objectContaining({ code: outcome }));
  });
});

describe('A session', () => {
  const parts = (choice: object, trialDays = 0) => ({
    request: asked(choice),
    wanted: wanted(choice, null),
    customer: 'cus_1',
    trialDays,
    options: catalog.checkout,
    userIdKey: 'user_id',
    checkout: 'c1',
  });

  it('gives no quantity to what is billed by what was used', () => {
    const choice = { plan: 'pro', interval: 'monthly', addons: { calls: 1, seats: 2 } };
    expect(sessionParams(parts(choice)).line_items).toEqual([
      { price: 'pro_m', quantity: 1 },
      { price: 'calls_m' },
      { price: 'seat_m', quantity: 2 },
    ]);
  });

  it('names the user on itself and on the subscription, and has what the plan file says', () => {
    expect(sessionParams(parts({ plan: 'pro', interval: 'monthly', quantity: 2 }, 14))).toMatchObject({
      mode: 'subscription',
      customer: 'cus_1',
      client_reference_id: 'ann',
      metadata: { user_id: 'ann', payment_reason: 'purchase', tenure_checkout: 'c1' },
      line_items: [{ price: 'pro_m', quantity: 2 }],
      subscription_data: { trial_period_days: 14, metadata: { user_id: 'ann', payment_reason: 'purchase' } },
      allow_promotion_codes: true,
      automatic_tax: { enabled: true },
      tax_id_collection: { enabled: true },
      customer_update: { address: 'auto', name: 'auto' },
      locale: 'de',
    });
  });

  it('of a plan for good is a payment, and of an embedded page has no way to cancel', () => {
    const params = sessionParams(parts({ plan: 'pro', interval: 'lifetime', uiMode: 'embedded' }));
    expect(params).toMatchObject({
      mode: 'payment',
      ui_mode: 'embedded_page',
      payment_intent_data: { metadata: { user_id: 'ann' } },
    });
    for (const key of ['subscription_data', 'success_url', 'cancel_url'])
      expect(params).not.toHaveProperty(key);
  });

  it('is another one for whatever differs', () => {
    const key = (choice: object, days = 0) => {
      const all = { plan: 'plus', interval: 'monthly', ...choice };
      return choiceKey(asked(all), wanted(all, null), days);
    };
    const keys = [
      key({}),
      key({ plan: 'pro' }),
      key({ interval: 'yearly' }),
      key({ quantity: 2 }),
      key({ addons: { seats: 1 } }),
      key({ addons: { seats: 2 } }),
      key({ uiMode: 'embedded' }),
      key({ cancelUrl: 'https://app.example.com/' }),
      key({}, 14),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(key({ addons: { seats: 1, storage: 2 } })).toBe(key({ addons: { storage: 2, seats: 1 } }));
  });
});

describe('A URL to lead back to', () => {
  const origins = ['https://app.example.com', 'http://localhost:5173'];
  it.each(['https://app.example.com/', 'https://APP.example.com:443/a?b#c', 'http://localhost:5173/x'])(
    '%s is of an allowed origin',
    (successUrl) => {
      checkOrigins(origins, { successUrl: asked({ plan: 'p', interval: 'i', successUrl }).successUrl });
    },
  );

  it.each([
    'http://app.example.com/',
    'https://app.example.com:444/',
    'https://app.example.com.evil.com/',
    'https://evil.com/https://app.example.com/',
    'https://evil.com#https://app.example.com/',
    'http://localhost/',
  ])('%s is of none', (successUrl) => {
    expect(() => checkOrigins(origins, { successUrl })).toThrow(
      expect.objectContaining({ code: 'url_not_allowed' }),
    );
  });

  it.each([
    'https://app.example.com@evil.com/',
    'https://evil.com\\@app.example.com/',
    'https://app.example.com\\.evil.com/',
    'https://app.example.com/\nx',
    ' https://app.example.com/',
    'javascript:alert(1)',
    '//app.example.com/',
  ])('%j is none that all read alike', (successUrl) => {
    expect(() => asked({ plan: 'p', interval: 'i', successUrl })).toThrow();
  });
});
