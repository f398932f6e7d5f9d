/** Kinds of objects that Stripe's API is asked for by their ids. */
export const OBJECT_KINDS = [
  'subscription',
  'invoice',
  'customer',
  'checkout',
  'invoice_payment',
  'charge',
  'dispute',
  'early_fraud_warning',
] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** One object of Stripe's, by its kind and id. */
export interface StripeObjectRef {
  readonly kind: ObjectKind;
  readonly id: string;
}
