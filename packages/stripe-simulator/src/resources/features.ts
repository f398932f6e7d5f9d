import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Feature, ProductFeature } from '../types.js';
import { productOf } from './products.js';

const only = z.strictObject({ expand: p.expand });

/** `/v1/entitlements/features`, and which of them a product gives (Stripe: "Entitlements"). */
export function featureRoutes(router: Router, account: Account): void {
  const { features, productFeatures } = account;
  const create = z.strictObject({
    lookup_key: p.text.max(80),
    name: p.text.max(80),
    metadata: p.metadata.optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/entitlements/features', create, ({ lookup_key, name, metadata }) => {
    if (!features.select({ by: ['lookup_key', lookup_key] }).next().done) {
      throw invalidRequest('A feature with this lookup key exists already.', { param: 'lookup_key' });
    }
    const feature: Feature = {
      id: account.ids.next('feat'),
      object: 'entitlements.feature',
      active: true,
      livemode: false,
      lookup_key,
      metadata: metadata ?? {},
      name,
    };
    return account.add(features, feature);
  });
  const list = z.strictObject({ ...p.cursor, lookup_key: p.text.optional(), archived: p.boolean.optional() });
  router.on('GET', '/v1/entitlements/features', list, ({ lookup_key, archived, ...cursor }) =>
    listOf('/v1/entitlements/features', features, cursor, {
      by: lookup_key === undefined ? undefined : ['lookup_key', lookup_key],
      where: (row) => row.active !== (archived ?? false),
    }),
  );
  router.on('GET', '/v1/entitlements/features/:id', only, (_, { id }) => featureOf(account, id));

  const attach = z.strictObject({ entitlement_feature: p.text, expand: p.expand });
  router.on(
    'POST',
    '/v1/products/:id/features',
    attach,
    ({ entitlement_feature: named }, { id: product }) => {
      productOf(account, product);
      const entitlement_feature = featureOf(account, named, 'entitlement_feature');
      const id = account.ids.next('prodft');
      account.productsOfFeatures.set(id, product);
      const attached: ProductFeature = {
        id,
        object: 'product_feature',
        entitlement_feature,
        livemode: false,
      };
      return account.add(productFeatures, attached);
    },
  );
  router.on('GET', '/v1/products/:id/features', z.strictObject(p.cursor), (cursor, { id: product }) => {
    productOf(account, product);
    const path = `/v1/products/${product}/features`;
    return listOf(path, productFeatures, cursor, { by: ['product', product] });
  });
  router.on('GET', '/v1/products/:product/features/:id', only, (_, { product, id }) =>
    attachedOf(account, product, id),
  );
  router.on('DELETE', '/v1/products/:product/features/:id', z.strictObject({}), (_, { product, id }) => {
    attachedOf(account, product, id);
    productFeatures.remove(id);
    return { id, object: 'product_feature', deleted: true };
  });
}

/** @throws ApiError 404 */
function featureOf(account: Account, id: string, param = 'id'): Feature {
  const feature = account.features.find(id);
  if (feature === undefined) throw resourceMissing('feature', id, param);
  return feature;
}

/** @throws ApiError 404 */
function attachedOf(account: Account, product: string, id: string): ProductFeature {
  const attached = account.productFeatures.find(id);
  if (attached === undefined || account.productsOfFeatures.get(id) !== product) {
    throw resourceMissing('product feature', id, 'id');
  }
  return attached;
}
