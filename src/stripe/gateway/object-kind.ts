/** Kinds of objects that Stripe's API is asked for by their ids. */
export type ObjectKind = 'subscription' | 'invoice' | 'customer' | 'checkout';

/** One object of Stripe's, by its kind and id. */
export interface StripeObjectRef {
  readonly kind: ObjectKind;
  readonly id: string;
}
