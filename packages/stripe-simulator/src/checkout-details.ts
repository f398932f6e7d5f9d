import type { LineItem, Metadata } from './types.js';

/** What is redeemed by a coupon or a promotion code. */
export interface DiscountParams {
  readonly coupon?: string | undefined;
  readonly promotion_code?: string | undefined;
  readonly discount?: string | undefined;
}

/** What a checkout session needs to be completed and does not show. */
export interface CheckoutDetails {
  readonly lineItems: readonly LineItem[];
  readonly discounts: readonly DiscountParams[];
  readonly paymentMetadata: Metadata;
  readonly paymentDescription: string | null;
  readonly savesMethod: 'off_session' | 'on_session' | null;
  readonly subscription: {
    readonly anchor: number | null;
    readonly billingMode: 'classic' | 'flexible';
    readonly description: string | null;
    readonly metadata: Metadata;
    readonly missingMethod: 'cancel' | 'create_invoice' | 'pause';
    /** The second (Unix) of its end, or days from the completion on. */
    readonly trial: { readonly end: number } | { readonly days: number } | null;
  };
}
