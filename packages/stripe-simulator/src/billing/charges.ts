import type { Account } from '../account.js';
import { declineMessage, errorCodeOf } from '../test-cards.js';
import type { Charge, PaymentIntent, PaymentMethod } from '../types.js';

/** How an attempt went; a bank debit is pending first. */
export type ChargeOutcome =
  | { readonly status: 'succeeded' | 'pending' }
  | { readonly status: 'failed'; readonly decline: string };

/** An attempt to take the money of an intent. The event is the caller's. */
export function createCharge(
  account: Account,
  intent: PaymentIntent,
  method: PaymentMethod,
  outcome: ChargeOutcome,
): Charge {
  const decline = outcome.status === 'failed' ? outcome.decline : null;
  const id = account.ids.next(method.type === 'card' ? 'ch' : 'py');
  const charge: Charge = {
    id,
    object: 'charge',
    amount: intent.amount,
    amount_captured: outcome.status === 'succeeded' ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: outcome.status === 'succeeded' ? account.ids.next('txn') : null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: 'EXAMPLE SAAS',
    captured: outcome.status !== 'failed',
    created: account.now,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: decline === null ? null : errorCodeOf(decline),
    failure_message: decline === null ? null : declineMessage(decline),
    fraud_details: {},
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: decline === null ? 'approved_by_network' : 'declined_by_network',
      reason: decline,
      risk_level: 'normal',
      seller_message: decline === null ? 'Payment complete.' : 'The bank did not return any further details.',
      type: decline === null ? 'authorized' : 'issuer_declined',
    },
    paid: outcome.status === 'succeeded',
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: null,
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: outcome.status,
    transfer_data: null,
    transfer_group: null,
  };
  account.charges.put(charge);
  return charge;
}
