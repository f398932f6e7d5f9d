import { type TestDatabase, testDatabase } from '../../../test/support/postgres.js';
import { serviceTables } from '../../../test/support/stores.js';
import type { StripeGateway } from '../gateway/stripe.gateway.js';
import type { ObjectAnswer } from '../gateway/stripe-answers.js';
import { SoldPrices } from './sold-prices.js';

const BY_THE_MONTH = { interval: 'month', interval_count: 1, usage_type: 'licensed' };

function priceObject(id: string, more: object = {}) {
  const amount = { unit_amount: 1_000, unit_amount_decimal: '1000' };
  return {
    id,
    active: true,
    product: 'prod_a',
    currency: 'usd',
    ...amount,
    recurring: BY_THE_MONTH,
    ...more,
  };
}

/** A Stripe that has these objects by their paths, and these prices by their lookup keys. */
class Prices implements Pick<StripeGateway, 'at' | 'page'> {
  readonly asked: string[] = [];
  isAway = false;
  constructor(
    readonly objects: Map<string, object>,
    readonly keys: Readonly<Record<string, string>> = {},
  ) {}

  at: StripeGateway['at'] = async (path) => {
    this.asked.push(path);
    const object = this.objects.get(path);
    if (this.isAway) return { outcome: 'failed', status: 500, requestId: null, againInMs: 0 };
    if (object === undefined) return { outcome: 'not_found', status: 404, requestId: null, againInMs: 0 };
    return { ...answered(), object: object as ObjectAnswer['object'] };
  };

  page: StripeGateway['page'] = async (_, query) => {
    const id = this.keys[query['lookup_keys[0]'] ?? ''];
    return { ...answered(), objects: id === undefined ? [] : [{ id }], hasMore: false };
  };
}

function answered() {
  return { outcome: 'answered', answeredAt: 0, apiVersion: null } as const;
}

describe('Sold prices', () => {
  let database: TestDatabase;
  let now = 0;
  const troubles: unknown[] = [];
  beforeAll(async () => {
    database = await testDatabase(serviceTables());
  });
  afterAll(() => database.drop());

  function soldPrices(gateway: Prices | null): SoldPrices {
    const onTrouble = (error: unknown): void => void troubles.push(error);
    return new SoldPrices({ pool: database.pool, gateway, now: () => now, maxAgeMs: 1_000, onTrouble });
  }

  it('are found by id, then by lookup key, then as the default price of a product', async () => {
    const tier = { up_to: null, unit_amount: null, unit_amount_decimal: '0.5', flat_amount: 100 };
    const gateway = new Prices(
      new Map<string, object>([
        ['/v1/prices/price_1', priceObject('price_1', { currency_options: { eur: { unit_amount: 900 } } })],
        [
          '/v1/prices/price_2',
          priceObject('price_2', { unit_amount: null, unit_amount_decimal: '99.5', recurring: null }),
        ],
        ['/v1/products/prod_a', { id: 'prod_a', default_price: 'price_3' }],
        [
          '/v1/prices/price_3',
          priceObject('price_3', {
            billing_scheme: 'tiered',
            tiers_mode: 'graduated',
            tiers: [tier],
            unit_amount: null,
            unit_amount_decimal: null,
          }),
        ],
      ]),
      { pro_once: 'price_2' },
    );
    const found = await soldPrices(gateway).of(['price_1', 'pro_once', 'prod_a', 'price_4', 'prod_b']);
    expect([...found.keys()]).toEqual(['price_1', 'pro_once', 'prod_a']);
    const monthly = { interval: 'month', intervalCount: 1, usageType: 'licensed' };
    expect(found.get('price_1')).toMatchObject({
      ...monthly,
      id: 'price_1',
      amount: 1_000,
      amountDecimal: null,
      currencies: { eur: { amount: 900, amountDecimal: null } },
    });
    expect(found.get('pro_once')).toMatchObject({ amount: null, amountDecimal: '99.5', interval: null });
    expect(found.get('prod_a')).toMatchObject({
      id: 'price_3',
      amount: null,
      tiersMode: 'graduated',
      tiers: [{ upTo: null, amount: null, amountDecimal: '0.5', flatAmount: 100, flatAmountDecimal: null }],
    });
  });

  it('are asked for all who ask, also while others are being asked of Stripe', async () => {
    const names = ['price_w1', 'price_w2', 'price_w3'];
    const gateway = new Prices(new Map(names.map((id) => [`/v1/prices/${id}`, priceObject(id)])));
    const prices = soldPrices(gateway);
    const asked = [names.slice(0, 1), names, names.slice(2)];
    const found = await Promise.all(asked.map((some) => prices.of(some)));
    expect(found.map((each) => [...each.keys()])).toEqual(asked);
    expect(gateway.asked).toHaveLength(3);
  });

  it('are asked of Stripe once an age, for all instances, and told as they were meanwhile', async () => {
    const gateway = new Prices(new Map([['/v1/prices/price_kept', priceObject('price_kept')]]));
    const [one, other] = [soldPrices(gateway), soldPrices(gateway)];
    const amounts = async (prices: SoldPrices) => (await prices.of(['price_kept'])).get('price_kept')?.amount;
    expect([await amounts(one), await amounts(one), await amounts(other)]).toEqual([1_000, 1_000, 1_000]);
    expect(gateway.asked).toHaveLength(1);
    gateway.objects.set('/v1/prices/price_kept', priceObject('price_kept', { unit_amount: 2_000 }));
    now += 1_000;
    expect(await amounts(one)).toBe(1_000);
    await one.close();
    expect([await amounts(one), await amounts(other)]).toEqual([2_000, 1_000]);
    await other.close();
    expect(await amounts(other)).toBe(2_000);
    expect(gateway.asked).toHaveLength(2);
  });

  it('stay as they were while Stripe is away, which is not asked at each turn', async () => {
    const gateway = new Prices(new Map([['/v1/prices/price_stay', priceObject('price_stay')]]));
    const prices = soldPrices(gateway);
    await prices.of(['price_stay']);
    gateway.isAway = true;
    now += 1_000;
    for (let turn = 0; turn < 3; turn += 1) {
      expect((await prices.of(['price_stay'])).size).toBe(1);
      await prices.close();
    }
    expect(gateway.asked).toHaveLength(2);
    expect(troubles).toHaveLength(1);
  });

  it('are not known where there is no key', async () => {
    expect((await soldPrices(null).of(['price_1'])).size).toBe(0);
  });
});
