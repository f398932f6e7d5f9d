import { z } from 'zod';

const unixSeconds = z.number().int();
const nullableString = z.string().nullable();

/**
 * A line of an invoice. Amounts are minor units. `subtotal` is `null` in API versions that have none. `discounts` and
 * `credits` are the sums of what is listed on the line (`discount_amounts`, `pretax_credit_amounts`), positive.
 */
export const invoiceLineSchema = z.strictObject({
  id: nullableString,
  price: nullableString,
  product: nullableString,
  amount: z.number(),
  subtotal: z.number().nullable(),
  discounts: z.number(),
  credits: z.number(),
  proration: z.boolean(),
  quantity: z.number().nullable(),
  periodStart: unixSeconds.nullable(),
  periodEnd: unixSeconds.nullable(),
});
export type InvoiceLine = z.infer<typeof invoiceLineSchema>;

/**
 * One sight of a subscription's invoice. `created` is the invoice's own second. `uncollectibleReason` is
 * `status_details.uncollectible.reason`. `linesTruncated` says that Stripe cut the list of lines.
 */
export const invoiceObservationSchema = z.strictObject({
  invoice: z.string(),
  subscription: z.string(),
  customer: nullableString,
  status: z.string(),
  created: unixSeconds,
  billingReason: nullableString,
  collectionMethod: nullableString,
  attemptCount: z.number().int(),
  uncollectibleReason: nullableString,
  currency: nullableString,
  total: z.number().nullable(),
  amountDue: z.number().nullable(),
  amountPaid: z.number().nullable(),
  lines: z.array(invoiceLineSchema),
  linesTruncated: z.boolean(),
});
export type InvoiceObservationData = z.infer<typeof invoiceObservationSchema>;

export const INVOICE_EVENT_TYPES = [
  'SubscriptionPaid',
  'SubscriptionPaymentFailed',
  'SubscriptionInvoiceUncollectible',
  'SubscriptionInvoiceVoided',
] as const;
export type InvoiceEventType = (typeof INVOICE_EVENT_TYPES)[number];
