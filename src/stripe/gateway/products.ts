import { z } from 'zod';
import type { StripeGateway } from './stripe.gateway.js';
import { listed } from './stripe-lists.js';

const productSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  active: z.boolean(),
  default_price: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
});

const priceSchema = z.looseObject({
  id: z.string(),
  active: z.boolean(),
  product: z.union([z.string(), z.looseObject({ id: z.string() })]),
  currency: z.string(),
  lookup_key: z.string().nullish(),
  unit_amount: z.number().nullish(),
  recurring: z
    .looseObject({
      interval: z.enum(['day', 'week', 'month', 'year']),
      interval_count: z.number(),
      usage_type: z.string(),
    })
    .nullish(),
});

const productFeatureSchema = z.looseObject({
  entitlement_feature: z.looseObject({ lookup_key: z.string() }),
});

/** A price of Stripe's, whether it is still sold or not. */
export type StripePrice = z.infer<typeof priceSchema>;

/** A product of Stripe's with all its prices, and with the lookup keys of the features that Stripe says it gives. */
export interface StripeProduct {
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
  readonly defaultPrice: string | null;
  readonly prices: readonly StripePrice[];
  readonly features: readonly string[];
}

/**
 * All products that have prices, archived ones too: subscriptions to them may still run. Products as Stripe lists them.
 * @throws StripeUnansweredError
 */
export async function readProducts(gateway: Pick<StripeGateway, 'page'>): Promise<readonly StripeProduct[]> {
  const prices = new Map<string, StripePrice[]>();
  for await (const object of listed(gateway, '/v1/prices')) {
    const price = priceSchema.parse(object);
    const product = idOf(price.product);
    prices.set(product, [...(prices.get(product) ?? []), price]);
  }
  const products: StripeProduct[] = [];
  for await (const object of listed(gateway, '/v1/products')) {
    const { id, name, active, default_price } = productSchema.parse(object);
    const its = prices.get(id);
    if (its === undefined) continue;
    const features: string[] = [];
    for await (const feature of listed(gateway, `/v1/products/${encodeURIComponent(id)}/features`)) {
      features.push(productFeatureSchema.parse(feature).entitlement_feature.lookup_key);
    }
    const defaultPrice = default_price == null ? null : idOf(default_price);
    products.push({ id, name, active, defaultPrice, prices: its, features });
  }
  return products;
}

/** Stripe's id of what is named by it or stands there whole. */
function idOf(named: string | { readonly id: string }): string {
  return typeof named === 'string' ? named : named.id;
}
