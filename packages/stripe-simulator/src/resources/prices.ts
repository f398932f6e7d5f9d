import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Plan, Price } from '../types.js';

const recurring = z.strictObject({
  interval: z.enum(['day', 'week', 'month', 'year']),
  interval_count: p.integer.optional(),
  usage_type: z.enum(['licensed', 'metered']).optional(),
  meter: p.text.optional(),
  trial_period_days: p.integer.optional(),
});

const tier = z.strictObject({
  up_to: z.union([z.literal('inf'), p.integer]),
  unit_amount: p.integer.optional(),
  unit_amount_decimal: p.decimal.optional(),
  flat_amount: p.integer.optional(),
  flat_amount_decimal: p.decimal.optional(),
});

/** What a price is made of, also where it is made along with a product or a checkout. */
export const priceFields = {
  currency: p.text,
  unit_amount: p.integer.optional(),
  unit_amount_decimal: p.decimal.optional(),
  recurring: recurring.optional(),
  tax_behavior: p.ignored,
  metadata: p.metadata.optional(),
};

const create = z.strictObject({
  ...priceFields,
  product: p.text.optional(),
  product_data: z
    .strictObject({ id: p.text.optional(), name: p.text, metadata: p.metadata.optional() })
    .optional(),
  active: p.boolean.optional(),
  billing_scheme: z.enum(['per_unit', 'tiered']).optional(),
  lookup_key: p.text.optional(),
  nickname: p.text.optional(),
  tiers: z.array(tier).optional(),
  tiers_mode: z.enum(['graduated', 'volume']).optional(),
  transfer_lookup_key: p.boolean.optional(),
  transform_quantity: z.strictObject({ divide_by: p.integer, round: z.enum(['up', 'down']) }).optional(),
  expand: p.expand,
});
export type PriceParams = z.output<typeof create>;

/** `/v1/prices`: what a product costs. A price never changes its amount; its lookup key can move to another. */
export function priceRoutes(router: Router, account: Account): void {
  const { prices } = account;
  router.on('POST', '/v1/prices', create, (params) => {
    if (params.product !== undefined) {
      if (account.products.find(params.product) === undefined) {
        throw resourceMissing('product', params.product, 'product');
      }
      return createPrice(account, params);
    }
    if (params.product_data === undefined) {
      throw invalidRequest('Missing required param: product.', {
        code: 'parameter_missing',
        param: 'product',
      });
    }
    throw invalidRequest('The simulator makes products at /v1/products only.', { param: 'product_data' });
  });
  const list = z.strictObject({
    ...p.cursor,
    active: p.boolean.optional(),
    created: p.range,
    currency: p.text.optional(),
    lookup_keys: z.array(p.text).optional(),
    product: p.text.optional(),
    recurring: z
      .strictObject({ interval: p.text.optional(), usage_type: p.text.optional(), meter: p.text.optional() })
      .optional(),
    type: z.enum(['one_time', 'recurring']).optional(),
  });
  router.on('GET', '/v1/prices', list, (params) =>
    listOf('/v1/prices', prices, params, {
      by: params.product === undefined ? undefined : ['product', params.product],
      where: (row) =>
        (params.active === undefined || row.active === params.active) &&
        (params.currency === undefined || row.currency === params.currency) &&
        (params.lookup_keys === undefined || params.lookup_keys.includes(row.lookup_key ?? '')) &&
        (params.type === undefined || row.type === params.type) &&
        (params.recurring?.interval === undefined || row.recurring?.interval === params.recurring.interval) &&
        (params.recurring?.usage_type === undefined ||
          row.recurring?.usage_type === params.recurring.usage_type) &&
        p.isWithin(params.created, row.created),
    }),
  );
  router.on('GET', '/v1/prices/:id', z.strictObject({ expand: p.expand }), (_, { id }) =>
    priceOf(account, id),
  );
  const update = z.strictObject({
    active: p.boolean.optional(),
    lookup_key: p.emptyable(p.text).optional(),
    metadata: p.emptyable(p.metadata).optional(),
    nickname: p.emptyable(p.text).optional(),
    tax_behavior: p.ignored,
    transfer_lookup_key: p.boolean.optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/prices/:id', update, (params, { id }) => {
    const before = priceOf(account, id);
    if (params.lookup_key != null) takeLookupKey(account, params.lookup_key, params.transfer_lookup_key, id);
    const changes = {
      active: params.active ?? before.active,
      lookup_key: params.lookup_key === undefined ? before.lookup_key : params.lookup_key,
      metadata: p.mergeMetadata(before.metadata, params.metadata),
      nickname: params.nickname === undefined ? before.nickname : params.nickname,
    };
    return account.change(prices, id, changes, 'price.updated');
  });
}

/** @throws ApiError 404, or 400 where a parameter names it */
export function priceOf(account: Account, id: string, param = 'id'): Price {
  const price = account.prices.find(id);
  if (price === undefined) throw resourceMissing('price', id, param);
  return price;
}

/** Makes a price of a product that is there. @throws ApiError 400 */
export function createPrice(
  account: Account,
  params: PriceParams & { readonly product?: string | undefined },
): Price {
  const { product = '', recurring: every, tiers } = params;
  const isTiered = params.billing_scheme === 'tiered';
  const amount = params.unit_amount ?? null;
  const amountDecimal = params.unit_amount_decimal ?? (amount === null ? null : String(amount));
  if (!isTiered && amountDecimal === null) {
    throw invalidRequest('One of the following is required: unit_amount, unit_amount_decimal.', {
      code: 'parameter_missing',
      param: 'unit_amount',
    });
  }
  if (isTiered && (tiers === undefined || params.tiers_mode === undefined)) {
    throw invalidRequest('A tiered price needs `tiers` and `tiers_mode`.', { param: 'tiers' });
  }
  if (params.lookup_key !== undefined) {
    takeLookupKey(account, params.lookup_key, params.transfer_lookup_key, null);
  }
  const whole =
    amount ?? (amountDecimal !== null && /^-?\d+$/.test(amountDecimal) ? Number(amountDecimal) : null);
  const price: Price = {
    id: account.ids.next('price'),
    object: 'price',
    active: params.active ?? true,
    billing_scheme: isTiered ? 'tiered' : 'per_unit',
    created: account.now,
    currency: params.currency.toLowerCase(),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: params.lookup_key ?? null,
    metadata: params.metadata ?? {},
    nickname: params.nickname ?? null,
    product,
    recurring:
      every === undefined
        ? null
        : {
            interval: every.interval,
            interval_count: every.interval_count ?? 1,
            meter: every.meter ?? null,
            trial_period_days: every.trial_period_days ?? null,
            usage_type: every.usage_type ?? 'licensed',
          },
    tax_behavior: 'unspecified',
    ...(tiers === undefined ? {} : { tiers: tiers.map(tierObject) }),
    tiers_mode: params.tiers_mode ?? null,
    transform_quantity: params.transform_quantity ?? null,
    type: every === undefined ? 'one_time' : 'recurring',
    unit_amount: isTiered ? null : whole,
    unit_amount_decimal: isTiered ? null : amountDecimal,
  };
  return account.add(account.prices, price, 'price.created');
}

function tierObject(from: z.output<typeof tier>): NonNullable<Price['tiers']>[number] {
  const unit = from.unit_amount_decimal ?? (from.unit_amount === undefined ? null : String(from.unit_amount));
  const flat = from.flat_amount_decimal ?? (from.flat_amount === undefined ? null : String(from.flat_amount));
  return {
    flat_amount: from.flat_amount ?? null,
    flat_amount_decimal: flat,
    unit_amount: from.unit_amount ?? null,
    unit_amount_decimal: unit,
    up_to: from.up_to === 'inf' ? null : from.up_to,
  };
}

/** A key is one price's at a time; it can be taken from another by `transfer_lookup_key`. @throws ApiError 400 */
function takeLookupKey(
  account: Account,
  key: string,
  transfer: boolean | undefined,
  id: string | null,
): void {
  for (const other of account.prices.select({ where: (row) => row.lookup_key === key && row.id !== id })) {
    if (transfer !== true) {
      const message = `A price (\`${other.id}\`) already uses that lookup key.`;
      throw invalidRequest(message, { code: 'resource_already_exists', param: 'lookup_key' });
    }
    account.change(account.prices, other.id, { lookup_key: null }, 'price.updated');
  }
}

/** The older twin of a price, which Stripe still sends beside it. */
export function planOf(price: Price): Plan {
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: price.recurring?.interval ?? 'month',
    interval_count: price.recurring?.interval_count ?? 1,
    livemode: false,
    metadata: price.metadata,
    meter: price.recurring?.meter ?? null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: price.tiers_mode,
    transform_usage: null,
    trial_period_days: price.recurring?.trial_period_days ?? null,
    usage_type: price.recurring?.usage_type ?? 'licensed',
  };
}
