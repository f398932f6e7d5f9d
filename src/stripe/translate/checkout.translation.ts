import type { CheckoutObservationData, LineItem } from '../../events/checkout.events.js';
import { type ClaimReading, claimOf } from '../../events/user-id.js';
import {
  claimInMetadata,
  createdSecond,
  field,
  id,
  idOf,
  items,
  type JsonObject,
  quantityOf,
  text,
  whole,
} from './read-json.js';

/** Reads a Stripe checkout session of any API version and mode. @throws OutOfRangeError */
export function readCheckout(
  value: JsonObject,
  claims: ClaimReading,
): CheckoutObservationData | { readonly problems: readonly string[] } {
  const session = id(value.id);
  if (session === null) return { problems: ['data.object.id must be an id'] };
  return {
    session,
    customer: idOf(value.customer),
    subscription: idOf(value.subscription),
    invoice: idOf(value.invoice),
    paymentIntent: idOf(value.payment_intent),
    mode: text(value.mode),
    status: text(value.status),
    paymentStatus: text(value.payment_status),
    created: createdSecond(value.created, 'data.object.created'),
    metadataUserId: claimInMetadata(value, claims),
    clientReferenceId: claimOf(value.client_reference_id, claims),
    amountTotal: whole(value.amount_total),
    currency: text(value.currency),
    lineItems: lineItemsOf(value.line_items),
  };
}

/** All that a session sells; `null` where the list is not there, or was cut. @throws OutOfRangeError, TooManyEntriesError */
function lineItemsOf(list: unknown): LineItem[] | null {
  const data = field(list, 'data');
  if (!Array.isArray(data) || field(list, 'has_more') === true) return null;
  return items(data).flatMap((line) => {
    const price = field(line, 'price');
    const name = idOf(price);
    if (name === null) return [];
    return [
      {
        price: name,
        lookupKey: text(field(price, 'lookup_key')),
        product: idOf(field(price, 'product')),
        quantity: quantityOf(field(line, 'quantity'), 'quantity of a line item'),
      },
    ];
  });
}
