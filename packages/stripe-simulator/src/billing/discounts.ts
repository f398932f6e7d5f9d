import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import type { DiscountParams } from '../checkout-details.js';
import type { Coupon, Customer, Discount, PromotionCode, Subscription } from '../types.js';
import type { DraftLine } from './invoice-lines.js';
import { addMonths } from './periods.js';

/** Lines with what each is reduced by, and the discounts that did it. */
export interface Discounted {
  readonly lines: readonly DraftLine[];
  readonly discounts: readonly string[];
}

/** Applies the discounts of a subscription, else that of its customer, to the lines of an invoice. */
export function applyDiscounts(
  account: Account,
  customer: Customer,
  subscription: Subscription | null,
  lines: readonly DraftLine[],
): Discounted {
  const own = subscription?.discounts ?? [];
  const ids = own.length > 0 ? own : customer.discount == null ? [] : [customer.discount.id];
  const active = ids.flatMap((id) => activeDiscount(account, id) ?? []);
  const reduced = active.reduce<readonly DraftLine[]>(
    (so_far, { discount, coupon }) => reducedBy(coupon, discount.id, so_far),
    lines,
  );
  for (const { discount, coupon } of active) {
    if (coupon.duration === 'once') account.change(account.discounts, discount.id, { end: account.now });
  }
  return { lines: reduced, discounts: active.map(({ discount }) => discount.id) };
}

function activeDiscount(account: Account, id: string): { discount: Discount; coupon: Coupon } | null {
  const discount = account.discounts.find(id);
  const coupon = account.coupons.find(discount?.source.coupon ?? '');
  if (discount === undefined || coupon === undefined) return null;
  return discount.end !== null && discount.end <= account.now ? null : { discount, coupon };
}

/** Percent of each line, or an amount that is spread over the lines as their amounts are. */
export function reducedBy(
  coupon: Coupon,
  discount: string,
  lines: readonly DraftLine[],
): readonly DraftLine[] {
  const open = lines.map((line) => (line.discountable && line.amount > 0 ? leftOf(line) : 0));
  const sum = open.reduce((total, left) => total + left, 0);
  const off = coupon.amount_off === null ? null : Math.min(coupon.amount_off, sum);
  let spread = 0;
  let seen = 0;
  return lines.map((line, index) => {
    const left = open[index] ?? 0;
    if (left === 0) return line;
    seen += left;
    const upTo = off === null || sum === 0 ? 0 : Math.round((off * seen) / sum);
    const amount = off === null ? Math.round((left * (coupon.percent_off ?? 0)) / 100) : upTo - spread;
    spread = upTo;
    const one = { amount, discount };
    return {
      ...line,
      discounts: [...line.discounts, discount],
      discount_amounts: [...(line.discount_amounts ?? []), one],
      pretax_credit_amounts: [...(line.pretax_credit_amounts ?? []), { ...one, type: 'discount' as const }],
    };
  });
}

function leftOf(line: DraftLine): number {
  return (line.discount_amounts ?? []).reduce((left, { amount }) => left - amount, line.amount);
}

/** Redeems coupons and codes for a customer; ids of the discounts. @throws ApiError 400 */
export function discountsFor(
  account: Account,
  customer: string,
  params: readonly DiscountParams[],
): readonly string[] {
  return params.map(({ discount, ...params }) => discount ?? redeem(account, customer, params));
}

/** The coupon that is meant, and the code by which it is. @throws ApiError 400 when it cannot be redeemed */
export function couponOf(
  account: Account,
  { coupon, promotion_code }: DiscountParams,
): { readonly coupon: Coupon; readonly code: PromotionCode | null } {
  const code = promotion_code === undefined ? null : account.promotionCodes.find(promotion_code);
  if (code === undefined) throw resourceMissing('promotion code', promotion_code ?? '', 'promotion_code');
  if (code !== null && !canBeUsed(account, code)) {
    throw invalidRequest(`This promotion code cannot be redeemed because it is inactive or expired.`, {
      param: 'promotion_code',
    });
  }
  const id = code?.promotion.coupon ?? coupon ?? '';
  const found = account.coupons.find(id);
  if (found === undefined) throw resourceMissing('coupon', id, 'coupon');
  if (!isValid(account, found)) {
    throw invalidRequest(`Coupon expired: ${id}`, { code: 'coupon_expired', param: 'coupon' });
  }
  return { coupon: found, code };
}

function canBeUsed({ now }: Account, code: PromotionCode): boolean {
  const isOver = code.expires_at !== null && code.expires_at <= now;
  const isUsedUp = code.max_redemptions !== null && code.times_redeemed >= code.max_redemptions;
  return code.active && !isOver && !isUsedUp;
}

function isValid({ now }: Account, coupon: Coupon): boolean {
  const isOver = coupon.redeem_by !== null && coupon.redeem_by <= now;
  return !isOver && (coupon.max_redemptions === null || coupon.times_redeemed < coupon.max_redemptions);
}

function redeem(account: Account, customer: string, params: DiscountParams): string {
  const { coupon, code } = couponOf(account, params);
  account.change(account.coupons, coupon.id, { times_redeemed: coupon.times_redeemed + 1 }, 'coupon.updated');
  if (code !== null) {
    const times_redeemed = code.times_redeemed + 1;
    account.change(account.promotionCodes, code.id, { times_redeemed }, 'promotion_code.updated');
  }
  const months = coupon.duration === 'repeating' ? coupon.duration_in_months : null;
  const discount: Discount = {
    id: account.ids.next('di'),
    object: 'discount',
    checkout_session: null,
    customer,
    customer_account: null,
    end: months === null ? null : addMonths(account.now, months),
    invoice: null,
    invoice_item: null,
    promotion_code: code?.id ?? null,
    source: { coupon: coupon.id, type: 'coupon' },
    start: account.now,
    subscription: null,
    subscription_item: null,
  };
  return account.add(account.discounts, discount, 'customer.discount.created').id;
}
