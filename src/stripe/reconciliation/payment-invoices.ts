import type { PaymentNames } from '../../events/payment.events.js';
import type { PageAnswer } from '../gateway/stripe-answers.js';
import { type AnswerReading, isAhead, type ReadAnswer, readAnswer, retrievalKey } from './answers.js';
import type { StreamFacts } from './stream-facts.js';

/** Where Stripe lists which payment is of which invoice (Stripe: "List all payments for an invoice"). */
export const INVOICE_PAYMENTS = '/v1/invoice_payments';

/** What a payment is called by what was told of it. */
export type PaymentToPlace = Pick<PaymentNames, 'payment' | 'paymentIntent' | 'charge'>;

/** Asks for the invoices that a payment paid; `null` of a charge without an intent, which Stripe's list knows nothing of. */
export function invoicesPaidBy({ paymentIntent }: PaymentToPlace): Readonly<Record<string, string>> | null {
  if (paymentIntent === null) return null;
  const payment = { 'payment[type]': 'payment_intent', 'payment[payment_intent]': paymentIntent };
  return { ...payment, status: 'paid' };
}

/** Whether a stream says which invoice its payment paid, or that Stripe was asked and named none: it is not asked again. */
export function isPlaced({ payments, isOfNoInvoice }: Pick<StreamFacts, 'payments' | 'isOfNoInvoice'>) {
  return isOfNoInvoice || payments.some(({ data }) => data.invoice !== null);
}

/** Reads Stripe's answer: an attachment for each invoice, or else one answer that there is none. Pure but for the clock. */
export function readInvoicesPaid(
  { payment, paymentIntent, charge }: PaymentToPlace,
  why: string,
  { objects, answeredAt, apiVersion }: Pick<PageAnswer, 'objects' | 'answeredAt' | 'apiVersion'>,
  reading: AnswerReading,
): readonly ReadAnswer[] {
  if (isAhead(answeredAt)) return [{ outcome: 'unusable', why: 'the Date of the answer lies ahead' }];
  const read = objects.map((object) => {
    const answer = { outcome: 'answered', object, answeredAt, apiVersion } as const;
    return readAnswer({ kind: 'invoice_payment', id: object.id }, why, answer, reading);
  });
  if (read.some(({ outcome }) => outcome !== 'ignored')) return read;
  return [
    {
      outcome: 'recorded',
      stream: { category: 'payment', id: payment },
      event: {
        type: 'PaymentRetrieved',
        data: { object: 'none', payment, paymentIntent, charge, invoice: null },
      },
      causation: retrievalKey(payment, why),
      stripe: {
        eventId: null,
        eventType: null,
        created: answeredAt,
        apiVersion,
        livemode: reading.livemode,
      },
    },
  ];
}
