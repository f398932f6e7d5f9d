import type { EventEnvelope } from '../../events/event-envelope.js';
import type {
  ChargeObservationData,
  DisputeObservationData,
  FraudWarningData,
  PaymentAttachmentData,
  PaymentEventType,
} from '../../events/payment.events.js';

/** What an event about a payment says, in a line of plain words; amounts are minor units, as Stripe has them. */
export function saidOfPayment(
  event: Extract<EventEnvelope, { type: PaymentEventType | 'PaymentRetrieved' }>,
): string {
  switch (event.type) {
    case 'PaymentAttachedToInvoice':
      return paidInvoice(event.data);
    case 'PaymentRefunded':
      return refunded(event.data);
    case 'PaymentRefundFailed': {
      const { refund, amount, currency, status, failureReason } = event.data;
      return `the refund ${refund} of ${money(amount, currency)} is ${status}${because(failureReason)}`;
    }
    case 'PaymentDisputed':
    case 'DisputeClosed':
      return disputed(event.data);
    case 'PaymentWarned':
      return warned(event.data);
    case 'PaymentRetrieved':
      switch (event.data.object) {
        case 'invoice_payment':
          return paidInvoice(event.data);
        case 'charge':
          return refunded(event.data);
        case 'dispute':
          return disputed(event.data);
        case 'early_fraud_warning':
          return warned(event.data);
        case 'none':
          return `${event.data.payment} paid no invoice`;
      }
  }
}

function paidInvoice({ payment, invoice, amountPaid, currency }: PaymentAttachmentData): string {
  return `${payment} paid ${money(amountPaid, currency)} of the invoice ${invoice}`;
}

function refunded({ charge, payment, amount, amountRefunded, currency }: ChargeObservationData): string {
  const of = charge === payment ? charge : `${charge} of ${payment}`;
  return `${amountRefunded ?? 'some'} of ${money(amount, currency)} of ${of} is refunded`;
}

function disputed({ dispute, payment, amount, currency, status, reason }: DisputeObservationData): string {
  return `the dispute ${dispute} of ${money(amount, currency)} of ${payment} is ${status}${because(reason)}`;
}

function warned({ payment, fraudType }: FraudWarningData): string {
  return `an early fraud warning of ${payment}${because(fraudType)}`;
}

function money(amount: number | null, currency: string | null): string {
  return amount === null ? 'an unknown amount' : `${amount} ${currency ?? ''}`.trimEnd();
}

function because(reason: string | null): string {
  return reason === null ? '' : `: ${reason}`;
}
