import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Coupon, PromotionCode } from '../types.js';

const one = z.strictObject({ expand: p.expand });

/** `/v1/coupons`: what takes something off, for once, for some months or for ever. */
export function couponRoutes(router: Router, account: Account): void {
  const { coupons } = account;
  const create = z.strictObject({
    id: p.text.optional(),
    amount_off: p.integer.optional(),
    currency: p.text.optional(),
    duration: z.enum(['forever', 'once', 'repeating']).default('once'),
    duration_in_months: p.integer.optional(),
    max_redemptions: p.integer.optional(),
    metadata: p.metadata.optional(),
    name: p.text.optional(),
    percent_off: p.decimal.transform(Number).optional(),
    redeem_by: p.timestamp.optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/coupons', create, (params) => {
    if ((params.amount_off === undefined) === (params.percent_off === undefined)) {
      throw invalidRequest('Must provide percent_off or amount_off.', { param: 'percent_off' });
    }
    const coupon: Coupon = {
      id: params.id ?? account.ids.letters(8),
      object: 'coupon',
      amount_off: params.amount_off ?? null,
      created: account.now,
      currency: params.amount_off === undefined ? null : (params.currency ?? 'usd'),
      duration: params.duration,
      duration_in_months: params.duration_in_months ?? null,
      livemode: false,
      max_redemptions: params.max_redemptions ?? null,
      metadata: params.metadata ?? {},
      name: params.name ?? null,
      percent_off: params.percent_off ?? null,
      redeem_by: params.redeem_by ?? null,
      times_redeemed: 0,
      valid: true,
    };
    if (coupons.find(coupon.id) !== undefined) {
      throw invalidRequest('Coupon already exists.', { code: 'resource_already_exists', param: 'id' });
    }
    return account.add(coupons, coupon, 'coupon.created');
  });
  router.on('GET', '/v1/coupons', z.strictObject(p.cursor), (cursor) =>
    listOf('/v1/coupons', coupons, cursor),
  );
  router.on('GET', '/v1/coupons/:id', one, (_, { id }) => couponById(account, id));
  router.on('DELETE', '/v1/coupons/:id', z.strictObject({}), (_, { id }) => {
    const coupon = couponById(account, id);
    coupons.remove(id);
    account.emit('coupon.deleted', coupon);
    return { id, object: 'coupon', deleted: true };
  });
  promotionCodeRoutes(router, account);
}

/** `/v1/promotion_codes`: what a buyer types to redeem a coupon. */
function promotionCodeRoutes(router: Router, account: Account): void {
  const { promotionCodes } = account;
  const create = z.strictObject({
    promotion: z.strictObject({ type: z.literal('coupon'), coupon: p.text }),
    active: p.boolean.optional(),
    code: p.text.optional(),
    customer: p.text.optional(),
    expires_at: p.timestamp.optional(),
    max_redemptions: p.integer.optional(),
    metadata: p.metadata.optional(),
    restrictions: p.ignored,
    expand: p.expand,
  });
  router.on('POST', '/v1/promotion_codes', create, (params) => {
    couponById(account, params.promotion.coupon, 'promotion[coupon]');
    const code: PromotionCode = {
      id: account.ids.next('promo'),
      object: 'promotion_code',
      active: params.active ?? true,
      code: params.code ?? account.ids.letters(8).toUpperCase(),
      created: account.now,
      customer: params.customer ?? null,
      customer_account: null,
      expires_at: params.expires_at ?? null,
      livemode: false,
      max_redemptions: params.max_redemptions ?? null,
      metadata: params.metadata ?? {},
      promotion: { coupon: params.promotion.coupon, type: 'coupon' },
      restrictions: { first_time_transaction: false, minimum_amount: null, minimum_amount_currency: null },
      times_redeemed: 0,
    };
    return account.add(promotionCodes, code, 'promotion_code.created');
  });
  const list = z.strictObject({
    ...p.cursor,
    active: p.boolean.optional(),
    code: p.text.optional(),
    coupon: p.text.optional(),
  });
  router.on('GET', '/v1/promotion_codes', list, (params) =>
    listOf('/v1/promotion_codes', promotionCodes, params, {
      where: (row) =>
        (params.active === undefined || row.active === params.active) &&
        (params.code === undefined || row.code.toLowerCase() === params.code.toLowerCase()) &&
        (params.coupon === undefined || row.promotion.coupon === params.coupon),
    }),
  );
  router.on('GET', '/v1/promotion_codes/:id', one, (_, { id }) => {
    const code = promotionCodes.find(id);
    if (code === undefined) throw resourceMissing('promotion code', id);
    return code;
  });
  const update = z.strictObject({
    active: p.boolean.optional(),
    metadata: p.metadata.optional(),
    expand: p.expand,
  });
  router.on('POST', '/v1/promotion_codes/:id', update, ({ active, metadata }, { id }) => {
    const before = promotionCodes.find(id);
    if (before === undefined) throw resourceMissing('promotion code', id);
    const changes = {
      active: active ?? before.active,
      metadata: p.mergeMetadata(before.metadata ?? {}, metadata),
    };
    return account.change(promotionCodes, id, changes, 'promotion_code.updated');
  });
}

/** @throws ApiError 404, or 400 where a parameter names it */
function couponById(account: Account, id: string, param = 'id'): Coupon {
  const coupon = account.coupons.find(id);
  if (coupon === undefined) throw resourceMissing('coupon', id, param);
  return coupon;
}
