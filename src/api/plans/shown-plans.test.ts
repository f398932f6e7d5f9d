import { planCatalogSchema } from '../../events/catalog.events.js';
import { soldPriceOf } from '../../stripe/gateway/sold-price.js';
import { plansResponse } from './plans.schemas.js';
import { shownPlans, soldNames } from './shown-plans.js';

const catalog = planCatalogSchema.parse({
  default: 'free',
  plans: {
    pro: { rank: 2, role: 'paid', prices: { monthly: ['price_new', 'price_old'], once: 'pro_once' } },
    free: { rank: 0, role: 'free', features: ['b', 'a'], limits: { members: 50 } },
    basic: { rank: 0, role: 'free', sellable: false },
  },
  addons: { seats: { prices: ['price_seat_m', 'price_seat_y'], limits: { members: 10 } } },
});

describe('The plans that are offered', () => {
  it('stand by rank, each label with the price that is sold first and what Stripe said of it', () => {
    expect(soldNames(catalog)).toEqual(['price_new', 'pro_once', 'price_seat_m', 'price_seat_y']);
    const price = soldPriceOf({
      id: 'price_new',
      active: true,
      product: 'prod_a',
      currency: 'usd',
      unit_amount: 1_000,
      recurring: { interval: 'month', interval_count: 1, usage_type: 'licensed' },
    });
    const shown = plansResponse.parse(shownPlans(catalog, new Map([['price_new', price]])));
    expect(shown.plans.map(({ plan }) => plan)).toEqual(['basic', 'free', 'pro']);
    expect(shown.plans[1]).toMatchObject({ isDefault: true, features: ['a', 'b'], prices: {} });
    const unknown = { id: null, active: null, amount: null, currency: null, interval: null };
    expect(shown.plans[2]?.prices).toEqual({
      monthly: {
        name: 'price_new',
        id: 'price_new',
        active: true,
        amount: 1_000,
        currency: 'usd',
        interval: 'month',
        intervalCount: 1,
        usageType: 'licensed',
      },
      once: { name: 'pro_once', ...unknown, intervalCount: null, usageType: null },
    });
    expect(shown.addons).toMatchObject([
      { addon: 'seats', limits: { members: 10 }, prices: [{ name: 'price_seat_m' }, unknown] },
    ]);
  });
});
