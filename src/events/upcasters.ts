import { NamedError } from '../observability/named-error.js';
import { upcastCheckout } from './checkout.events.js';
import { upcastInvoice } from './invoice.events.js';

/** Turns the data of one event type from one schema version into that of the next. Pure; it never throws away facts. */
export type Upcaster = (data: unknown) => unknown;

/** Upcasters by event type, then by the version they start from (`2` makes version 3 of version 2). */
export type Upcasters = ReadonlyMap<string, ReadonlyMap<number, Upcaster>>;

/** What a later version has more, the schema fills in: each default is what the earlier one meant. */
const filledIn: Upcaster = (data) => data;

/** The upcasters of today. */
export const UPCASTERS: Upcasters = new Map([
  ['SubscriptionPaid', new Map([[1, upcastInvoice]])],
  ['SubscriptionPaymentFailed', new Map([[1, upcastInvoice]])],
  ['SubscriptionInvoiceUncollectible', new Map([[1, upcastInvoice]])],
  ['SubscriptionInvoiceVoided', new Map([[1, upcastInvoice]])],
  ['SubscriptionRetrieved', new Map([[1, filledIn]])],
  ['CustomerRetrieved', new Map([[1, filledIn]])],
  ['CheckoutCompleted', new Map([[1, upcastCheckout]])],
  ['CheckoutPaymentSucceeded', new Map([[1, upcastCheckout]])],
  ['CheckoutPaymentFailed', new Map([[1, upcastCheckout]])],
  ['CheckoutExpired', new Map([[1, upcastCheckout]])],
  ['CheckoutRetrieved', new Map([[1, upcastCheckout]])],
  [
    'PlanCatalogPublished',
    new Map([
      [1, filledIn],
      [2, filledIn],
      [3, filledIn],
    ]),
  ],
]);

/** Data is of a version that nothing leads from to today's: an upcaster is missing, or newer code wrote it. */
export class UnsupportedSchemaVersionError extends NamedError {
  readonly code = 'unsupported_schema_version';
  constructor(
    readonly type: string,
    readonly version: number,
    readonly current: number,
  ) {
    super(`${type}: no way from schema version ${version} to ${current}`);
  }
}

/**
 * Brings `data` of `type` from version `from` to version `to`, one step at a time.
 * @throws UnsupportedSchemaVersionError when a step is missing or `from` is newer than `to`
 */
export function upcast(type: string, data: unknown, from: number, to: number, upcasters: Upcasters): unknown {
  if (from > to) throw new UnsupportedSchemaVersionError(type, from, to);
  let current = data;
  for (let version = from; version < to; version++) {
    const step = upcasters.get(type)?.get(version);
    if (step === undefined) throw new UnsupportedSchemaVersionError(type, version, to);
    current = step(current);
  }
  return current;
}
