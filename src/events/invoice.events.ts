import { z } from 'zod';

const unixSeconds = z.number().int();
const nullableString = z.string().nullable();

/**
 * A line of an invoice. Amounts are minor units. `subtotal` is `null` in API versions that have none. `discounts` and
 * `credits` are the sums of what is listed on the line (`discount_amounts`, `pretax_credit_amounts`), positive; `reduced`
 * says that any is listed, whatever its amount. `subscription` is the one that the line itself names. `billingScheme` is
 * the price's, where the line carries the whole price.
 */
export const invoiceLineSchema = z.strictObject({
  id: nullableString,
  price: nullableString,
  product: nullableString,
  subscription: nullableString,
  billingScheme: nullableString,
  amount: z.number(),
  subtotal: z.number().nullable(),
  discounts: z.number(),
  credits: z.number(),
  reduced: z.boolean(),
  proration: z.boolean(),
  quantity: z.number().nullable(),
  periodStart: unixSeconds.nullable(),
  periodEnd: unixSeconds.nullable(),
});
export type InvoiceLine = z.infer<typeof invoiceLineSchema>;

/** What an invoice says of itself, whoever it is recorded with. */
const invoiceFields = {
  invoice: z.string(),
  status: z.string(),
  created: unixSeconds,
  billingReason: nullableString,
  collectionMethod: nullableString,
  attemptCount: z.number().int(),
  uncollectibleReason: nullableString,
  paymentIntent: nullableString,
  charge: nullableString,
  currency: nullableString,
  total: z.number().nullable(),
  amountDue: z.number().nullable(),
  amountPaid: z.number().nullable(),
  lines: z.array(invoiceLineSchema),
  linesTruncated: z.boolean(),
};

/**
 * One sight of a subscription's invoice. `created` is the invoice's own second. `uncollectibleReason` is
 * `status_details.uncollectible.reason`. `paymentIntent` and `charge` are where API versions before 2025-03-31 have them;
 * `total` and `amountDue` are minor units. `linesTruncated` says that Stripe cut the list of lines.
 */
export const invoiceObservationSchema = z.strictObject({
  ...invoiceFields,
  subscription: z.string(),
  customer: nullableString,
});
export type InvoiceObservationData = z.infer<typeof invoiceObservationSchema>;

/** One sight of an invoice that names no subscription of its own: its lines name the subscriptions it is of (DESIGN 5). */
export const customerInvoiceObservationSchema = z.strictObject({
  ...invoiceFields,
  customer: z.string(),
});
export type CustomerInvoiceObservationData = z.infer<typeof customerInvoiceObservationSchema>;

export const INVOICE_EVENT_TYPES = [
  'SubscriptionPaid',
  'SubscriptionPaymentFailed',
  'SubscriptionInvoiceFinalized',
  'SubscriptionInvoiceUncollectible',
  'SubscriptionInvoiceVoided',
  'SubscriptionInvoiceRetrieved',
] as const;
export type InvoiceEventType = (typeof INVOICE_EVENT_TYPES)[number];

export const CUSTOMER_INVOICE_EVENT_TYPES = [
  'CustomerInvoicePaid',
  'CustomerInvoicePaymentFailed',
  'CustomerInvoiceFinalized',
  'CustomerInvoiceUncollectible',
  'CustomerInvoiceVoided',
  'CustomerInvoiceRetrieved',
] as const;
export type CustomerInvoiceEventType = (typeof CUSTOMER_INVOICE_EVENT_TYPES)[number];

/**
 * What an invoice of a customer is to one subscription: the same invoice with the lines that name it (DESIGN 5). Its keys are in the
 * order of `invoiceObservationSchema`: what is read again is compared, and shared, with what was just made.
 */
export function invoiceOfSubscription(
  { customer, ...invoice }: CustomerInvoiceObservationData,
  subscription: string,
): InvoiceObservationData {
  const lines = invoice.lines.filter((line) => line.subscription === subscription);
  return { ...invoice, lines, subscription, customer };
}

/** The subscriptions that the lines of an invoice name, each once, sorted. */
export function subscriptionsOfLines({
  lines,
}: Pick<CustomerInvoiceObservationData, 'lines'>): readonly string[] {
  return [...new Set(lines.flatMap((line) => line.subscription ?? []))].sort();
}

/** Invoice data as version 1 had it. */
const version1 = z.looseObject({
  lines: z.array(z.looseObject({ discounts: z.number(), credits: z.number() })),
});

/** Version 2 of invoice data names payment intent and charge, and of each line its subscription and what version 1 summed up. */
export function upcastInvoice(data: unknown): unknown {
  const read = version1.safeParse(data);
  if (!read.success) return data; // the schema of today says what is wrong with it
  const { lines, ...invoice } = read.data;
  return {
    paymentIntent: null,
    charge: null,
    ...invoice,
    lines: lines.map((line) => ({
      subscription: null,
      billingScheme: null,
      reduced: line.discounts + line.credits > 0,
      ...line,
    })),
  };
}
