import { z } from 'zod';
import type { Account } from '../account.js';
import { resourceMissing } from '../api-error.js';
import { itemObject, itemsOf, spanOf } from '../billing/subscription-object.js';
import { updateSubscription } from '../billing/subscription-update.js';
import { pageOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Subscription, SubscriptionItem } from '../types.js';
import { commonFields, type ItemParams, itemParams, itemsAfter } from './subscription-params.js';
import { subscriptionOf } from './subscriptions.js';

const { payment_behavior, proration_behavior, expand } = commonFields;
const fields = {
  ...itemParams.omit({ id: true, deleted: true }).shape,
  off_session: p.boolean.optional(),
  payment_behavior,
  proration_behavior,
  proration_date: p.timestamp.optional(),
  expand,
};
const bare = z.strictObject(fields);

/** `/v1/subscription_items`: the items of a subscription in pages, and changes of one of them. */
export function subscriptionItemRoutes(router: Router, account: Account): void {
  const list = z.strictObject({ ...p.cursor, subscription: p.text });
  router.on('GET', '/v1/subscription_items', list, ({ subscription, ...cursor }) => {
    const of = subscriptionOf(account, subscription, 'subscription');
    return pageOf(`/v1/subscription_items?subscription=${of.id}`, itemsOf(account, of), cursor);
  });
  const create = z.strictObject({ ...fields, subscription: p.text });
  router.on('POST', '/v1/subscription_items', create, ({ subscription, ...params }) => {
    const of = subscriptionOf(account, subscription, 'subscription');
    const before = new Set(itemsOf(account, of).map(({ id }) => id));
    const after = applied(account, of, params, {});
    return itemsOf(account, after).find(({ id }) => !before.has(id)) ?? after;
  });
  router.on(
    'GET',
    '/v1/subscription_items/:id',
    z.strictObject({ expand: p.expand }),
    (_, { id }) => owned(account, id)[1],
  );
  router.on('POST', '/v1/subscription_items/:id', bare, (params, { id }) => {
    const [of] = owned(account, id);
    applied(account, of, params, { id });
    return owned(account, id)[1];
  });
  const remove = z.strictObject({
    clear_usage: p.ignored,
    payment_behavior,
    proration_behavior,
    proration_date: p.timestamp.optional(),
  });
  router.on('DELETE', '/v1/subscription_items/:id', remove, (params, { id }) => {
    const [of] = owned(account, id);
    applied(account, of, params, { id, deleted: true });
    return { id, object: 'subscription_item', deleted: true };
  });
}

/** The subscription that an item is of, and the item. @throws ApiError 404 */
function owned(account: Account, id: string): readonly [Subscription, SubscriptionItem] {
  const subscription = account.subscriptions.find(account.itemOwners.get(id) ?? '');
  const item =
    subscription === undefined ? undefined : itemsOf(account, subscription).find((row) => row.id === id);
  if (subscription === undefined || item === undefined) throw resourceMissing('subscription_item', id);
  return [subscription, item];
}

function applied(
  account: Account,
  of: Subscription,
  params: Partial<z.output<typeof bare>>,
  which: Pick<ItemParams, 'id' | 'deleted'>,
): Subscription {
  const { off_session, payment_behavior, proration_behavior, proration_date, expand: _, ...item } = params;
  const before = itemsOf(account, of);
  return updateSubscription(account, of, {
    items: itemsAfter(account, before, [{ ...item, ...which }], (parts) =>
      itemObject(account, of.id, parts, spanOf(before)),
    ),
    fields: {},
    proration: proration_behavior ?? 'create_prorations',
    prorationDate: proration_date ?? null,
    behaviour: payment_behavior ?? 'allow_incomplete',
    presence: off_session === true ? 'off_session' : 'on_session',
    resetsCycle: 'no',
    trialEnd: undefined,
  });
}
