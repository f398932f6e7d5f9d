/**
 * Whole Stripe objects, field for field as API version 2026-10-28 shapes them (periods on the items, an invoice's
 * subscription under `parent`). Times are Unix seconds, amounts are in the smallest unit of the currency.
 */
export type StripeObject = Readonly<Record<string, unknown>>;

export const API_VERSION = '2026-10-28.endive';

export interface Price {
  readonly id: string;
  readonly product: string;
  readonly name: string;
  readonly unitAmount: number;
}

export interface Period {
  readonly start: number;
  readonly end: number;
}

export interface EventState {
  readonly id: string;
  readonly type: string;
  readonly created: number;
  readonly object: StripeObject;
  readonly previousAttributes: StripeObject | null;
}

/** The envelope of every event, as Stripe posts it. */
export function eventObject(event: EventState): StripeObject {
  const previous = event.previousAttributes === null ? {} : { previous_attributes: event.previousAttributes };
  return {
    id: event.id,
    object: 'event',
    api_version: API_VERSION,
    created: event.created,
    data: { object: event.object, ...previous },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type: event.type,
  };
}
