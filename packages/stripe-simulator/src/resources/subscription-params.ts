import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest } from '../api-error.js';
import type { ItemParts } from '../billing/subscription-object.js';
import * as p from '../params.js';
import type { SubscriptionItem } from '../types.js';
import { createPrice, planOf, priceFields, priceOf } from './prices.js';

const priceData = z.strictObject({ ...priceFields, product: p.text });

/** An item as it is asked for, of a new subscription or a changed one. */
export const itemParams = z.strictObject({
  id: p.text.optional(),
  price: p.text.optional(),
  plan: p.text.optional(),
  price_data: priceData.optional(),
  quantity: p.integer.optional(),
  deleted: p.boolean.optional(),
  clear_usage: p.ignored,
  metadata: p.emptyable(p.metadata).optional(),
  discounts: p.ignored,
  tax_rates: p.ignored,
  billing_thresholds: p.ignored,
});
export type ItemParams = z.output<typeof itemParams>;

/** What a customer says of why they leave. */
export const cancellationDetails = z
  .strictObject({
    comment: p.text.optional(),
    feedback: z
      .enum([
        'customer_service',
        'low_quality',
        'missing_features',
        'other',
        'switched_service',
        'too_complex',
        'too_expensive',
        'unused',
      ])
      .optional(),
    feedback_option: p.ignored,
  })
  .optional();

/** Parameters that creating and updating have in common. */
export const commonFields = {
  add_invoice_items: z
    .array(
      z.strictObject({
        price: p.text.optional(),
        price_data: priceData.optional(),
        quantity: p.integer.optional(),
        metadata: p.ignored,
        period: p.ignored,
      }),
    )
    .optional(),
  automatic_tax: p.ignored,
  cancel_at: p.emptyable(z.union([p.timestamp, z.enum(['max_period_end', 'min_period_end'])])).optional(),
  cancel_at_period_end: p.boolean.optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  days_until_due: p.integer.optional(),
  default_payment_method: p.emptyable(p.text).optional(),
  default_tax_rates: p.ignored,
  description: p.emptyable(p.text).optional(),
  discounts: p
    .emptyable(
      z.array(
        z.strictObject({
          coupon: p.text.optional(),
          promotion_code: p.text.optional(),
          discount: p.text.optional(),
        }),
      ),
    )
    .optional(),
  expand: p.expand,
  items: z.array(itemParams).max(20).optional(),
  metadata: p.emptyable(p.metadata).optional(),
  off_session: p.boolean.optional(),
  payment_behavior: z
    .enum(['allow_incomplete', 'default_incomplete', 'error_if_incomplete', 'pending_if_incomplete'])
    .optional(),
  payment_settings: z
    .strictObject({
      save_default_payment_method: z.enum(['off', 'on_subscription']).optional(),
      payment_method_types: p.ignored,
      payment_method_options: p.ignored,
    })
    .optional(),
  proration_behavior: z.enum(['create_prorations', 'always_invoice', 'none']).optional(),
  trial_end: z.union([z.literal('now'), p.timestamp]).optional(),
  trial_from_plan: p.ignored,
  trial_settings: z
    .strictObject({
      end_behavior: z.strictObject({
        missing_payment_method: z.enum(['cancel', 'create_invoice', 'pause']).optional(),
        billing_cycle_anchor: p.ignored,
      }),
    })
    .optional(),
};

/** What an item of a new subscription is made of. @throws ApiError 400 */
export function partsOf(account: Account, params: ItemParams, index: number): ItemParts {
  const id = params.price ?? params.plan;
  const at = `items[${index}]`;
  const price =
    params.price_data === undefined
      ? priceOf(account, required(id, `${at}[price]`), `${at}[price]`)
      : createPrice(account, params.price_data);
  if (!price.active)
    throw invalidRequest('The price specified is inactive. This field only accepts active prices.', {
      param: `${at}[price]`,
    });
  return { price, quantity: params.quantity, metadata: params.metadata ?? {}, discounts: [] };
}

function required(value: string | undefined, param: string): string {
  if (value !== undefined) return value;
  throw invalidRequest(`Missing required param: ${param}.`, { code: 'parameter_missing', param });
}

/** The items after an update: changed, added and removed as Stripe reads `items` ("Change subscription price"). @throws ApiError 400 */
export function itemsAfter(
  account: Account,
  before: readonly SubscriptionItem[],
  params: readonly ItemParams[],
  make: (parts: ItemParts) => SubscriptionItem,
): readonly SubscriptionItem[] {
  let after = before;
  params.forEach((wanted, index) => {
    if (wanted.id === undefined) {
      const parts = partsOf(account, wanted, index);
      if (after.some(({ price }) => price.id === parts.price.id)) {
        throw invalidRequest(`Cannot add multiple subscription items with the same plan: ${parts.price.id}`, {
          param: `items[${index}][price]`,
        });
      }
      after = [...after, make(parts)];
      return;
    }
    const item = after.find(({ id }) => id === wanted.id);
    if (item === undefined) {
      throw invalidRequest(`No such subscription item: '${wanted.id}'`, {
        code: 'resource_missing',
        param: `items[${index}][id]`,
      });
    }
    after =
      wanted.deleted === true
        ? after.filter((row) => row !== item)
        : after.map((row) => (row === item ? changedItem(account, item, wanted, index) : row));
  });
  if (after.length === 0) throw invalidRequest('A subscription must have at least one active plan.');
  return after;
}

function changedItem(
  account: Account,
  item: SubscriptionItem,
  wanted: ItemParams,
  index: number,
): SubscriptionItem {
  const names = wanted.price ?? wanted.plan ?? wanted.price_data;
  const price = names === undefined ? item.price : partsOf(account, wanted, index).price;
  const { quantity: _, ...rest } = item;
  const isMetered = price.recurring?.usage_type === 'metered';
  return {
    ...rest,
    price,
    plan: planOf(price),
    metadata: p.mergeMetadata(item.metadata, wanted.metadata),
    ...(isMetered ? {} : { quantity: wanted.quantity ?? item.quantity ?? 1 }),
  };
}
