import type { PaymentRetrievedData } from '../../../events/payment.events.js';
import type { PaymentObservation } from '../../../policy/facts.js';
import { compareDisputes, type DisputeObservation, moneyBackOf } from '../../../policy/money-back.js';
import { compareFactOrigins } from '../../../policy/order.js';
import { newestWarnings } from '../../../projections/entitlements/payment-facts.js';
import { isPlaced } from '../payment-invoices.js';
import type { StreamFacts } from '../stream-facts.js';

/** Whether what is newest of a payment by its stream is what Stripe shows. Pure. */
export function isPaymentKnown(
  shown: PaymentRetrievedData,
  facts: Pick<StreamFacts, 'payments' | 'isOfNoInvoice'>,
): boolean {
  const { payments } = facts;
  switch (shown.object) {
    case 'none':
      return isPlaced(facts);
    case 'invoice_payment':
      return payments.some(
        ({ type, data }) =>
          type === 'PaymentAttachedToInvoice' && data.invoicePayment === shown.invoicePayment,
      );
    case 'charge':
      return isRefundKnown(shown, payments);
    case 'early_fraud_warning':
      // One that was never told of, and can no longer be acted on, tells nobody anything.
      return (newestWarnings(payments).get(shown.warning)?.data.actionable ?? false) === shown.actionable;
    case 'dispute': {
      const newest = disputesOf(shown.dispute, payments).sort(compareDisputes).at(-1)?.data;
      return (
        newest !== undefined &&
        newest.status === shown.status &&
        newest.caseType === shown.caseType &&
        newest.amount === shown.amount &&
        newest.currency === shown.currency
      );
    }
  }
}

/** What was told of the very object that is shown: of a charge what was told of any of its payment. */
export function toldOfShown(
  shown: PaymentRetrievedData,
  payments: readonly PaymentObservation[],
): readonly PaymentObservation[] {
  switch (shown.object) {
    case 'none':
    case 'invoice_payment':
      return [];
    case 'charge':
      return payments.filter(({ type }) => type === 'PaymentRefunded' || type === 'PaymentRefundFailed');
    case 'early_fraud_warning':
      return payments.filter(({ type, data }) => type === 'PaymentWarned' && data.warning === shown.warning);
    case 'dispute':
      return disputesOf(shown.dispute, payments);
  }
}

function disputesOf(dispute: string, payments: readonly PaymentObservation[]): DisputeObservation[] {
  return payments
    .filter((told) => told.type === 'PaymentDisputed' || told.type === 'DisputeClosed')
    .filter(({ data }) => data.dispute === dispute);
}

/** What of a charge was refunded, without what failed of it since: of a charge that nothing was told of, nothing. */
function isRefundKnown(
  shown: Extract<PaymentRetrievedData, { object: 'charge' }>,
  payments: readonly PaymentObservation[],
): boolean {
  const told = [...toldOfShown(shown, payments)].sort(compareFactOrigins);
  const { charge, asked, isRefunded } = moneyBackOf({ ids: [], told, namedBy: [] });
  if (charge === null) return shown.amountRefunded === 0;
  return isRefunded === shown.refunded && (asked ?? charge.data.amountRefunded) === shown.amountRefunded;
}
