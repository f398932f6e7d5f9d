import { z } from 'zod';
import type { Account } from '../account.js';
import { itemsOf } from '../billing/subscription-object.js';
import { pageOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import { listInside } from '../stored-list.js';
import type { ActiveEntitlement, Feature } from '../types.js';
import { customerOf } from './customers.js';

/** `/v1/entitlements/active_entitlements`: what a customer may do by what they pay for (Stripe: "Entitlements"). */
export function activeEntitlementRoutes(router: Router, account: Account): void {
  const active = '/v1/entitlements/active_entitlements';
  router.on('GET', active, z.strictObject({ ...p.cursor, customer: p.text }), ({ customer, ...cursor }) =>
    pageOf(active, entitlementsOf(account, customerOf(account, customer, 'customer').id), cursor),
  );
}

const GIVES: ReadonlySet<string> = new Set(['active', 'past_due', 'trialing']);

/** What a customer may do by all subscriptions that give something, each feature once. */
function entitlementsOf(account: Account, customer: string): readonly ActiveEntitlement[] {
  const told = account.entitlements.get(customer) ?? [];
  const features = new Map<string, Feature>();
  for (const subscription of account.subscriptions.select({ by: ['customer', customer] })) {
    if (!GIVES.has(subscription.status)) continue;
    for (const { price } of itemsOf(account, subscription)) {
      for (const { entitlement_feature: feature } of account.productFeatures.select({
        by: ['product', price.product],
      })) {
        features.set(feature.id, feature);
      }
    }
  }
  return [...features.values()].map(
    ({ id, lookup_key }): ActiveEntitlement =>
      told.find(({ feature }) => feature === id) ?? {
        id: `ent_test_${account.ids.letters(32)}`,
        object: 'entitlements.active_entitlement',
        feature: id,
        livemode: false,
        lookup_key,
      },
  );
}

/** Tells what a customer may do whenever a subscription has changed it; `entitlements.active_entitlement_summary.updated`. */
export function followEntitlements(account: Account): void {
  account.events.listen(({ type, object }) => {
    if (account.productFeatures.size === 0 || !type.startsWith('customer.subscription.')) return;
    const customer = account.subscriptions.find(object.id ?? '')?.customer;
    if (customer === undefined) return;
    const before = account.entitlements.get(customer) ?? [];
    const after = entitlementsOf(account, customer);
    const isSame = before.length === after.length && after.every((one) => before.includes(one));
    if (isSame) return;
    account.entitlements.set(customer, after);
    const url = `/v1/customer/${customer}/entitlements`;
    const summary = {
      object: 'entitlements.active_entitlement_summary',
      customer,
      entitlements: listInside(after, url),
      livemode: false,
    };
    account.emit('entitlements.active_entitlement_summary.updated', summary, {
      entitlements: { data: before },
    });
  });
}
