import type { Account } from '../account.js';
import { resourceMissing } from '../api-error.js';
import type { Customer, Subscription } from '../types.js';
import type { DraftLine } from './invoice-lines.js';

/** Lines with what each is reduced by, and the discounts that did it. */
export interface Discounted {
  readonly lines: readonly DraftLine[];
  readonly discounts: readonly string[];
}

/** Applies the discounts of a subscription, else those of its customer, to the lines of an invoice. */
export function applyDiscounts(
  _account: Account,
  _customer: Customer,
  _subscription: Subscription | null,
  lines: readonly DraftLine[],
): Discounted {
  return { lines, discounts: [] };
}

/** What is redeemed by a coupon or a promotion code. */
export interface DiscountParams {
  readonly coupon?: string | undefined;
  readonly promotion_code?: string | undefined;
  readonly discount?: string | undefined;
}

/** Redeems coupons and codes for a customer; ids of the discounts. @throws ApiError 400 */
export function discountsFor(
  _account: Account,
  _customer: string,
  params: readonly DiscountParams[],
): readonly string[] {
  const [first] = params;
  if (first === undefined) return [];
  throw resourceMissing('coupon', first.coupon ?? first.promotion_code ?? '', 'discounts');
}
