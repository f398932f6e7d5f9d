import Stripe from 'stripe';
import { Simulator } from '../src/index.js';

const START = Date.UTC(2024, 0, 1) / 1_000;
const KEY = 'sk_test_of_the_tests';

describe('The API of the Stripe simulator', () => {
  let simulator: Simulator;
  let stripe: Stripe;

  beforeEach(async () => {
    simulator = await Simulator.start({ start: START });
    stripe = client(KEY);
  });
  afterEach(async () => simulator.close());

  function client(key: string): Stripe {
    return new Stripe(key, { ...simulator.sdkConfig, maxNetworkRetries: 0, telemetry: false });
  }

  it('answers with the second of its clock and the id of the request', async () => {
    const { lastResponse } = await stripe.customers.create({});
    expect(Date.parse(lastResponse.headers.date ?? '')).toBe(START * 1_000);
    expect(lastResponse).toMatchObject({ apiVersion: Stripe.API_VERSION, statusCode: 200 });
    expect(lastResponse.requestId).toMatch(/^req_\w+$/);
  });

  it('refuses keys that are none, and lets a restricted one do what it may', async () => {
    await expect(client('pk_test_123').customers.list()).rejects.toMatchObject({
      type: 'StripeAuthenticationError',
    });
    await simulator.control('POST', '/_simulator/keys', {
      key: 'rk_test_reader',
      permissions: [{ resource: 'customers', access: 'read' }],
    });
    const reader = client('rk_test_reader');
    expect((await reader.customers.list()).data).toEqual([]);
    await expect(reader.customers.create({})).rejects.toMatchObject({ type: 'StripePermissionError' });
    await expect(reader.invoices.list()).rejects.toMatchObject({ statusCode: 403 });
  });

  it.each<[string, (stripe: Stripe) => Promise<unknown>, object]>([
    [
      'an id that nothing has',
      (asked) => asked.subscriptions.retrieve('sub_none'),
      { statusCode: 404, code: 'resource_missing', param: 'id', message: "No such subscription: 'sub_none'" },
    ],
    [
      'a parameter that it does not know',
      (asked) => asked.customers.create({ nickname: 'Ada' } as Stripe.CustomerCreateParams),
      { statusCode: 400, code: 'parameter_unknown', param: 'nickname' },
    ],
    [
      'a parameter that is missing',
      (asked) => asked.prices.create({ unit_amount: 5 } as Stripe.PriceCreateParams),
      { statusCode: 400, code: 'parameter_missing', param: 'currency' },
    ],
    [
      'an unknown price deep in a list',
      async (asked) =>
        asked.subscriptions.create({
          customer: (await asked.customers.create({})).id,
          items: [{ price: 'price_none' }],
        }),
      { statusCode: 400, code: 'resource_missing', param: 'items[0][price]' },
    ],
    [
      'a card that is declined',
      async (asked) =>
        asked.paymentMethods.attach('pm_card_chargeDeclinedInsufficientFunds', {
          customer: (await asked.customers.create({})).id,
        }),
      { statusCode: 402, type: 'StripeCardError', decline_code: 'insufficient_funds' },
    ],
    [
      'a cursor of nothing',
      (asked) => asked.customers.list({ starting_after: 'cus_none' }),
      { statusCode: 400, param: 'starting_after' },
    ],
  ])('says what is wrong as Stripe does: %s', async (_, ask, error) => {
    await expect(ask(stripe)).rejects.toMatchObject(error);
  });

  it('gives the first answer again to the same request under one idempotency key, and refuses another', async () => {
    const options = { idempotencyKey: 'key-1' };
    const first = await stripe.customers.create({ name: 'Ada' }, options);
    const second = await stripe.customers.create({ name: 'Ada' }, options);
    expect(second.id).toBe(first.id);
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
    await expect(stripe.customers.create({ name: 'Eve' }, options)).rejects.toMatchObject({
      type: 'StripeIdempotencyError',
    });
    expect((await stripe.customers.list()).data).toHaveLength(1);
    const unread = stripe.customers.create({ balance: 0.5 }, { idempotencyKey: 'key-2' });
    await expect(unread).rejects.toMatchObject({ param: 'balance' });
    expect((await stripe.customers.create({}, { idempotencyKey: 'key-2' })).id).toMatch(/^cus_/);
  });

  it('lists newest first, in pages in both directions', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.unshift((await stripe.customers.create({ name: `${n}` })).id);
    expect(
      (await stripe.customers.list({ limit: 2 }).autoPagingToArray({ limit: 9 })).map(({ id }) => id),
    ).toEqual(ids);
    const before = await stripe.customers.list({ limit: 2, ending_before: ids[4] ?? '' });
    expect(before.data.map(({ id }) => id)).toEqual([ids[2], ids[3]]);
    expect(before.has_more).toBe(true);
    expect((await stripe.customers.list({ limit: 2, ending_before: ids[2] ?? '' })).has_more).toBe(false);
  });

  it('puts objects in the place of ids where it is asked to', async () => {
    const product = await stripe.products.create({ name: 'Pro', id: 'pro' });
    await stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: 5, lookup_key: 'pro' });
    const { data } = await stripe.prices.list({ lookup_keys: ['pro'], expand: ['data.product'] });
    expect(data[0]?.product).toMatchObject({ id: 'pro', name: 'Pro' });
    await expect(stripe.products.retrieve('pro', { expand: ['maker'] })).rejects.toMatchObject({
      message: 'This property cannot be expanded (maker).',
    });
  });

  it('moves a lookup key to another price when it is told to, and not before', async () => {
    const common = { currency: 'usd', unit_amount: 5, lookup_key: 'pro' };
    const { id: product } = await stripe.products.create({ name: 'Pro' });
    const first = await stripe.prices.create({ ...common, product });
    await expect(stripe.prices.create({ ...common, product })).rejects.toMatchObject({ param: 'lookup_key' });
    await stripe.prices.create({ ...common, product, transfer_lookup_key: true });
    expect((await stripe.prices.retrieve(first.id)).lookup_key).toBeNull();
  });

  it('answers 429 when more is asked than its bucket holds', async () => {
    await simulator.control('POST', '/_simulator/settings', { requests_per_second: 5 });
    const asked = await Promise.allSettled(Array.from({ length: 40 }, () => stripe.customers.list()));
    const refused = asked.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(40);
    expect(refused[0]).toMatchObject({ reason: { type: 'StripeRateLimitError', statusCode: 429 } });
  });

  it('repeats a life, with the same ids, under the same seed', async () => {
    const other = await Simulator.start({ start: START });
    const elsewhere = new Stripe(KEY, { ...other.sdkConfig, telemetry: false });
    expect((await elsewhere.customers.create({})).id).toBe((await stripe.customers.create({})).id);
    await other.close();
  });
});
