import type Stripe from 'stripe';

type Decimal = NonNullable<Stripe.Price['unit_amount_decimal']>;

/** A list inside an object, as Stripe sends it; `total_count` comes with the lists of invoices and subscriptions. */
export interface List<Row> {
  readonly object: 'list';
  readonly data: readonly Row[];
  readonly has_more: boolean;
  readonly total_count?: number;
  readonly url: string;
}

/** What can be an id or, expanded, an object is kept as the id. */
type Unexpanded<Field> = string extends Field ? Exclude<Field, object> : Stored<Field>;

/**
 * A Stripe object as it is kept and sent: a type of the SDK in which every reference is an id, a decimal is the string
 * that goes over the wire, and nothing is changed in place. So what the simulator answers has the SDK's shape by
 * construction; `expand` puts objects in the place of ids on the way out.
 */
export type Stored<T> = T extends Decimal
  ? string
  : T extends Stripe.ApiList<infer Row>
    ? List<Stored<Row>>
    : T extends readonly (infer Item)[]
      ? readonly Unexpanded<Item>[]
      : T extends object
        ? { readonly [Key in keyof T]: Unexpanded<T[Key]> }
        : T;
