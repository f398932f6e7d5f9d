import { parsePlanFile } from '../../plans/plan-file.js';
import type { StripePrice, StripeProduct } from '../gateway/products.js';
import { draftPlanFile } from './plan-draft.js';

function price(id: string, more: Partial<StripePrice> = {}): StripePrice {
  return {
    id,
    active: true,
    product: 'prod_x',
    currency: 'eur',
    lookup_key: null,
    unit_amount: 900,
    recurring: { interval: 'month', interval_count: 1, usage_type: 'licensed' },
    ...more,
  };
}

function product(
  name: string,
  prices: readonly StripePrice[],
  more: Partial<StripeProduct> = {},
): StripeProduct {
  return { id: `prod_${name}`, name, active: true, defaultPrice: null, prices, features: [], ...more };
}

const yearly = { interval: 'year', interval_count: 1, usage_type: 'licensed' } as const;

/** What the draft says, once read as a plan file. */
function drafted(...products: readonly StripeProduct[]) {
  return parsePlanFile(draftPlanFile(products), 'draft').catalog;
}

describe('The draft of a plan file', () => {
  it('has a plan of each product, ranked by the price of a month, and a default plan', () => {
    const pro = product('Pro', [price('price_pro', { unit_amount: 2_900 })], { features: ['export', 'api'] });
    const plus = product('Plus', [price('price_plus_y', { unit_amount: 9_000, recurring: yearly })]);
    const { default: fallback, plans, addons } = drafted(pro, plus);
    expect(fallback).toBe('free');
    expect(plans).toMatchObject({
      free: { rank: 0, role: 'free', prices: {} },
      plus: { rank: 1, role: 'paid', prices: { yearly: ['price_plus_y'] } },
      pro: { rank: 2, role: 'paid', features: ['export', 'api'], prices: { monthly: ['price_pro'] } },
    });
    expect(addons).toEqual({});
  });

  it('lists of each label the price that is sold first, archived ones last, and lookup keys where there are any', () => {
    const prices = [
      price('price_new'),
      price('price_old', { active: false }),
      price('price_main', { lookup_key: 'plus_monthly' }),
      price('price_quarter', { recurring: { interval: 'month', interval_count: 3, usage_type: 'licensed' } }),
    ];
    expect(drafted(product('Plus', prices, { defaultPrice: 'price_main' })).plans.plus?.prices).toEqual({
      monthly: ['plus_monthly', 'price_new', 'price_old'],
      every_3_months: ['price_quarter'],
    });
  });

  it('no longer sells a product that is archived, and keeps what runs on it', () => {
    expect(drafted(product('Old', [price('price_1')], { active: false })).plans.old).toMatchObject({
      sellable: false,
      prices: { monthly: ['price_1'] },
    });
  });

  it('takes a product of the name for the default plan, and metered ones for add-ons', () => {
    const metered = { interval: 'month', interval_count: 1, usage_type: 'metered' } as const;
    const { plans, addons } = drafted(
      product('Free', [price('price_0', { unit_amount: 0 })], { features: ['reports'] }),
      product('API calls', [price('price_calls', { recurring: metered, unit_amount: null })]),
    );
    expect(Object.keys(plans)).toEqual(['free']);
    expect(plans.free).toMatchObject({ rank: 0, features: ['reports'], prices: { monthly: ['price_0'] } });
    expect(addons).toMatchObject({ api_calls: { prices: ['price_calls'] } });
  });

  it('names in a comment what is sold once', () => {
    const text = draftPlanFile([product('Book', [price('price_once', { recurring: null })])]);
    expect(text).toContain('# Book (prod_Book) is sold once');
    expect(Object.keys(parsePlanFile(text, 'draft').catalog.plans)).toEqual(['free']);
  });

  it('is a plan file whatever products are called', () => {
    const names = ['Plus', 'plus!', '金', 'a: b # c\n- d', '', '7', 'yes', '__proto__', 'x'.repeat(250)];
    const products = names.map((name, n) =>
      product(name, [price(`price_${n}`, { lookup_key: `key, ${n}: "${name.slice(0, 50)}"` })], {
        id: `prod_${n}`,
        features: ['a, b', '[c]'],
      }),
    );
    const { plans } = drafted(...products);
    expect(Object.keys(plans)).toHaveLength(names.length + 1);
    expect(plans.plus_2?.prices.monthly).toEqual(['key, 1: "plus!"']);
    expect(plans.plus?.features).toEqual(['a, b', '[c]']);
  });

  it('is one of a default plan alone where nothing is sold', () => {
    expect(Object.keys(drafted().plans)).toEqual(['free']);
  });
});
