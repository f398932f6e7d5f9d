import type { CheckoutObservationData } from '../../events/checkout.events.js';
import { isUserId } from '../../events/user-id.js';
import { field, id, idOf, type JsonObject, text, whole } from './read-json.js';

/** Reads a Stripe checkout session of any API version and mode. */
export function readCheckout(
  value: JsonObject,
  userIdMetadataKey: string,
): CheckoutObservationData | { readonly problems: readonly string[] } {
  const session = id(value.id);
  if (session === null) return { problems: ['data.object.id must be an id'] };
  const metadataUserId = field(value, 'metadata', userIdMetadataKey);
  const reference = value.client_reference_id;
  return {
    session,
    customer: idOf(value.customer),
    subscription: idOf(value.subscription),
    invoice: idOf(value.invoice),
    paymentIntent: idOf(value.payment_intent),
    mode: text(value.mode),
    status: text(value.status),
    paymentStatus: text(value.payment_status),
    created: whole(value.created),
    metadataUserId: isUserId(metadataUserId) ? metadataUserId : null,
    clientReferenceId: isUserId(reference) ? reference : null,
  };
}
