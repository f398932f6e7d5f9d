/** Objects of Stripe about payments as JSON, new shape (2026); `more` replaces fields. Amounts are minor units. */

const MADE = 1_793_526_000;

/** An invoice payment: `pi_1` paid all of an invoice. */
export function invoicePaymentObject(id: string, invoice: string, paymentIntent: string, more: object = {}) {
  return {
    id,
    object: 'invoice_payment',
    amount_paid: 1000,
    amount_requested: 1000,
    created: MADE,
    currency: 'usd',
    invoice,
    is_default: true,
    livemode: false,
    payment: { type: 'payment_intent', payment_intent: paymentIntent },
    status: 'paid',
    status_transitions: { canceled_at: null, paid_at: MADE },
    ...more,
  };
}

/** A charge of 1000 of which all was refunded. */
export function chargeObject(id: string, paymentIntent: string | null, more: object = {}) {
  return {
    id,
    object: 'charge',
    amount: 1000,
    amount_captured: 1000,
    amount_refunded: 1000,
    billing_details: { name: 'Test Buyer', email: 'buyer@example.com' },
    captured: true,
    created: MADE,
    currency: 'usd',
    customer: 'cus_1',
    disputed: false,
    paid: true,
    payment_intent: paymentIntent,
    refunded: true,
    status: 'succeeded',
    ...more,
  };
}

/** A refund that failed. */
export function refundObject(id: string, charge: string, paymentIntent: string | null, more: object = {}) {
  return {
    id,
    object: 'refund',
    amount: 1000,
    charge,
    created: MADE,
    currency: 'usd',
    failure_reason: 'expired_or_canceled_card',
    payment_intent: paymentIntent,
    reason: 'requested_by_customer',
    status: 'failed',
    ...more,
  };
}

/** A dispute that was just opened over all of a charge of 1000. */
export function disputeObject(id: string, charge: string, paymentIntent: string | null, more: object = {}) {
  return {
    id,
    object: 'dispute',
    amount: 1000,
    charge,
    created: MADE,
    currency: 'usd',
    is_charge_refundable: false,
    payment_intent: paymentIntent,
    payment_method_details: {
      type: 'card',
      card: { brand: 'visa', case_type: 'chargeback', network_reason_code: '10.4' },
    },
    reason: 'fraudulent',
    status: 'needs_response',
    ...more,
  };
}

/** An early fraud warning that can still be acted on. */
export function fraudWarningObject(
  id: string,
  charge: string,
  paymentIntent: string | null,
  more: object = {},
) {
  return {
    id,
    object: 'radar.early_fraud_warning',
    actionable: true,
    charge,
    created: MADE,
    fraud_type: 'made_with_stolen_card',
    payment_intent: paymentIntent,
    ...more,
  };
}
