import type { CheckoutObservationData } from '../../events/checkout.events.js';
import { type ClaimReading, claimOf } from '../../events/user-id.js';
import { claimInMetadata, createdSecond, id, idOf, type JsonObject, text } from './read-json.js';

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
  };
}
