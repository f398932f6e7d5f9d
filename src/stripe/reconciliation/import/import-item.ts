import { z } from 'zod';
import { EVENT_TYPES } from '../../../events/event-types.js';

const event = z.union([
  EVENT_TYPES.CustomerLinked.event,
  EVENT_TYPES.CustomerRetrieved.event,
  EVENT_TYPES.SubscriptionRetrieved.event,
  EVENT_TYPES.SubscriptionInvoiceRetrieved.event,
  EVENT_TYPES.CustomerInvoiceRetrieved.event,
  EVENT_TYPES.CheckoutRetrieved.event,
  EVENT_TYPES.PaymentRetrieved.event,
]);

/**
 * What an import will record: the very event, the key it counts once by, and for an answer of Stripe's API its second (Unix)
 * and version; a link has neither. Kept from the moment it was read, so that an import that goes on says what it said.
 */
export const importItem = z.strictObject({
  category: z.enum(['subscription', 'customer', 'checkout', 'payment']),
  id: z.string(),
  event,
  causation: z.string(),
  answeredAt: z.number().nullable(),
  apiVersion: z.string().nullable(),
});
export type ImportItem = z.infer<typeof importItem>;
