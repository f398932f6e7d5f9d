import { z } from 'zod';

const nullableString = z.string().nullable();
const amount = z.number().int().nullable();

/**
 * How a payment is named: `payment` names its stream and is its intent, else its charge, else its payment record. `invoice` is
 * what the object, or the charge in it, says that it paid: API versions before 2025-03-31 do.
 */
const namedPayment = {
  payment: z.string(),
  paymentIntent: nullableString,
  charge: nullableString,
  invoice: nullableString,
};

/** An invoice that a payment was attached to and paid (`invoice_payment.paid`). Amounts are minor units. */
export const paymentAttachmentSchema = z.strictObject({
  ...namedPayment,
  invoice: z.string(),
  invoicePayment: z.string(),
  paymentRecord: nullableString,
  status: nullableString,
  amountPaid: amount,
  currency: nullableString,
});
export type PaymentAttachmentData = z.infer<typeof paymentAttachmentSchema>;

/** One sight of a charge of which something was refunded: all of it where `refunded` says so. Amounts are minor units. */
export const chargeObservationSchema = z.strictObject({
  ...namedPayment,
  charge: z.string(),
  amount,
  amountRefunded: amount,
  refunded: z.boolean(),
  currency: nullableString,
});
export type ChargeObservationData = z.infer<typeof chargeObservationSchema>;

/** A refund that failed or was cancelled: its money stays with the seller. Amounts are minor units. */
export const failedRefundSchema = z.strictObject({
  ...namedPayment,
  refund: z.string(),
  status: z.string(),
  failureReason: nullableString,
  amount,
  currency: nullableString,
});
export type FailedRefundData = z.infer<typeof failedRefundSchema>;

/**
 * One sight of a dispute; `amount`, in minor units, is what it asks back. `caseType` is that of a card
 * (`payment_method_details.card.case_type`).
 */
export const disputeObservationSchema = z.strictObject({
  ...namedPayment,
  dispute: z.string(),
  status: z.string(),
  caseType: nullableString,
  reason: nullableString,
  amount,
  currency: nullableString,
});
export type DisputeObservationData = z.infer<typeof disputeObservationSchema>;

/** One sight of an early fraud warning: `actionable` while a refund may still prevent a dispute. */
export const fraudWarningSchema = z.strictObject({
  ...namedPayment,
  warning: z.string(),
  fraudType: nullableString,
  actionable: z.boolean(),
});
export type FraudWarningData = z.infer<typeof fraudWarningSchema>;

/**
 * What Stripe's API showed of a payment, by `object`: which invoice it paid, its charge, a dispute, or an early fraud warning;
 * read as what webhooks bring is. `none`: asked which invoices it paid, Stripe named none. Amounts are minor units.
 */
export const paymentRetrievedSchema = z.discriminatedUnion('object', [
  paymentAttachmentSchema.extend({ object: z.literal('invoice_payment') }),
  chargeObservationSchema.extend({ object: z.literal('charge') }),
  disputeObservationSchema.extend({ object: z.literal('dispute') }),
  fraudWarningSchema.extend({ object: z.literal('early_fraud_warning') }),
  z.strictObject({ ...namedPayment, object: z.literal('none') }),
]);
export type PaymentRetrievedData = z.infer<typeof paymentRetrievedSchema>;

/** What a payment is called by anything that is told of it. */
export type PaymentNames = Pick<FraudWarningData, 'payment' | 'paymentIntent' | 'charge'> &
  Partial<Pick<PaymentAttachmentData, 'paymentRecord'>>;

/** The ids of a payment that one observation names, the one of its stream first, each once. */
export function paymentIds({
  payment,
  paymentIntent,
  charge,
  paymentRecord = null,
}: PaymentNames): readonly string[] {
  const ids = [payment, paymentIntent, charge, paymentRecord];
  return [...new Set(ids.filter((id) => id !== null))];
}

/** Types that Stripe's events become; what is retrieved counts as one of them. */
export const PAYMENT_EVENT_TYPES = [
  'PaymentAttachedToInvoice',
  'PaymentRefunded',
  'PaymentRefundFailed',
  'PaymentDisputed',
  'DisputeClosed',
  'PaymentWarned',
] as const;
export type PaymentEventType = (typeof PAYMENT_EVENT_TYPES)[number];
