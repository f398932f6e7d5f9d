import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Product } from '../types.js';
import { createPrice, priceFields } from './prices.js';

const fields = {
  active: p.boolean.optional(),
  description: p.emptyable(p.text).optional(),
  images: p.emptyable(z.array(p.text)).optional(),
  marketing_features: p.emptyable(z.array(z.strictObject({ name: p.text }))).optional(),
  metadata: p.emptyable(p.metadata).optional(),
  statement_descriptor: p.text.optional(),
  unit_label: p.emptyable(p.text).optional(),
  url: p.emptyable(p.text).optional(),
  tax_code: p.ignored,
  shippable: p.ignored,
  expand: p.expand,
};

/** `/v1/products`: what is sold, under an id of the caller's choice if wanted. */
export function productRoutes(router: Router, account: Account): void {
  const { products } = account;
  const create = z.strictObject({
    ...fields,
    id: p.text.optional(),
    name: p.text,
    default_price_data: z.strictObject(priceFields).optional(),
  });
  router.on('POST', '/v1/products', create, ({ default_price_data, ...params }) => {
    const product = createProduct(account, params);
    if (default_price_data === undefined) return product;
    const price = createPrice(account, { ...default_price_data, product: product.id });
    return account.change(products, product.id, { default_price: price.id }, 'product.updated');
  });
  const list = z.strictObject({
    ...p.cursor,
    active: p.boolean.optional(),
    created: p.range,
    ids: z.array(p.text).optional(),
  });
  router.on('GET', '/v1/products', list, ({ active, created, ids, ...cursor }) =>
    listOf('/v1/products', products, cursor, {
      where: (row) =>
        (active === undefined || row.active === active) &&
        (ids === undefined || ids.includes(row.id)) &&
        p.isWithin(created, row.created),
    }),
  );
  router.on('GET', '/v1/products/:id', z.strictObject({ expand: p.expand }), (_, { id }) =>
    productOf(account, id),
  );
  const update = z.strictObject({ ...fields, name: p.text.optional(), default_price: p.text.optional() });
  router.on('POST', '/v1/products/:id', update, (params, { id }) => {
    const before = productOf(account, id);
    const { metadata, images, marketing_features, default_price, expand: _, ...plain } = params;
    const changes = {
      ...before,
      ...withoutIgnored(plain),
      metadata: p.mergeMetadata(before.metadata, metadata),
      images: images === undefined ? before.images : (images ?? []),
      marketing_features:
        marketing_features === undefined ? before.marketing_features : (marketing_features ?? []),
      default_price: default_price ?? before.default_price ?? null,
      updated: account.now,
    };
    return account.change(products, id, changes, 'product.updated');
  });
  router.on('DELETE', '/v1/products/:id', z.strictObject({}), (_, { id }) => {
    const product = productOf(account, id);
    if (!account.prices.select({ by: ['product', id] }).next().done) {
      throw invalidRequest('This product cannot be deleted because it has one or more user-created prices.');
    }
    products.remove(id);
    account.emit('product.deleted', product);
    return { id, object: 'product', deleted: true };
  });
}

/** @throws ApiError 404 */
export function productOf(account: Account, id: string, param = 'id'): Product {
  const product = account.products.find(id);
  if (product === undefined) throw resourceMissing('product', id, param);
  return product;
}

type Params = z.output<z.ZodObject<typeof fields>> & {
  readonly id?: string | undefined;
  readonly name: string;
};

/** Makes a product. @throws ApiError 400 when its id is taken */
export function createProduct(account: Account, params: Params): Product {
  const id = params.id ?? `prod_${account.ids.letters(14)}`;
  if (account.products.find(id) !== undefined) {
    throw invalidRequest(`Product already exists.`, { code: 'resource_already_exists', param: 'id' });
  }
  const product: Product = {
    id,
    object: 'product',
    active: params.active ?? true,
    created: account.now,
    default_price: null,
    description: params.description ?? null,
    images: params.images ?? [],
    livemode: false,
    marketing_features: params.marketing_features ?? [],
    metadata: params.metadata ?? {},
    name: params.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: params.statement_descriptor ?? null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: params.unit_label ?? null,
    updated: account.now,
    url: params.url ?? null,
  };
  return account.add(account.products, product, 'product.created');
}

function withoutIgnored<Plain extends { readonly tax_code?: unknown; readonly shippable?: unknown }>({
  tax_code: _code,
  shippable: _shippable,
  ...rest
}: Plain): Omit<Plain, 'tax_code' | 'shippable'> {
  return rest;
}
