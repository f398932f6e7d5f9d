import type { Account } from '../account.js';
import { testMethodOf } from '../resources/payment-methods.js';
import { declineMessage, errorCodeOf } from '../test-cards.js';
import type { Charge, Metadata, PaymentIntent, PaymentMethod } from '../types.js';
import { createCharge } from './charges.js';

const DAY = 86_400;

export interface PaymentToMake {
  /** Amount in the smallest unit of the currency. */
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly description: string | null;
  readonly metadata: Metadata;
  readonly setupFutureUsage: 'off_session' | 'on_session' | null;
}

/** Whether the buyer is there to prove who they are. */
export type Presence = 'on_session' | 'off_session';

/** A payment intent that waits for a method. */
export function createIntent(account: Account, payment: PaymentToMake): PaymentIntent {
  const id = account.ids.next('pi');
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: payment.amount,
    amount_capturable: 0,
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic',
    client_secret: `${id}_secret_${account.ids.letters(25)}`,
    confirmation_method: 'automatic',
    created: account.now,
    currency: payment.currency,
    customer: payment.customer,
    customer_account: null,
    description: payment.description,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: payment.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ['card', 'us_bank_account'],
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: payment.setupFutureUsage,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
  };
  return account.add(account.paymentIntents, intent, 'payment_intent.created');
}

/**
 * Tries to pay by a method. A card is charged at once; a bank account is debited over days. The intent as it is then says how
 * it went: `succeeded`, `processing`, `requires_action`, or `requires_payment_method` with `last_payment_error`.
 */
export function confirmIntent(
  account: Account,
  intent: PaymentIntent,
  method: PaymentMethod,
  presence: Presence,
): PaymentIntent {
  const test = testMethodOf(account, method.id);
  const chosen = account.change(account.paymentIntents, intent.id, { payment_method: method.id });
  if (test.kind === 'us_bank_account') return debit(account, chosen, method, test.failure);
  const mustProve =
    test.authentication === 'always' ||
    (test.authentication === 'on_setup' && !account.authenticated.has(method.id));
  if (mustProve && presence === 'on_session') return askToProve(account, chosen);
  if (mustProve) return fail(account, chosen, method, 'authentication_required');
  return test.decline === null
    ? succeed(account, chosen, method)
    : fail(account, chosen, method, test.decline);
}

/** The buyer proves who they are, or does not; only of an intent that `requires_action`. */
export function finishAction(
  account: Account,
  intent: PaymentIntent,
  method: PaymentMethod,
  outcome: 'succeeded' | 'failed',
): PaymentIntent {
  if (outcome === 'failed') return fail(account, intent, method, 'authentication_required');
  account.authenticated.add(method.id);
  const test = testMethodOf(account, method.id);
  return test.kind === 'card' && test.decline !== null
    ? fail(account, intent, method, test.decline)
    : succeed(account, intent, method);
}

/** An intent that nobody will pay any more. */
export function cancelIntent(
  account: Account,
  intent: PaymentIntent,
  reason: 'abandoned' | 'requested_by_customer' | 'void_invoice' | null,
): PaymentIntent {
  return changeIntent(
    account,
    intent,
    { status: 'canceled', canceled_at: account.now, cancellation_reason: reason },
    'payment_intent.canceled',
  );
}

function askToProve(account: Account, intent: PaymentIntent): PaymentIntent {
  const next_action = { type: 'use_stripe_sdk', use_stripe_sdk: {} };
  const waiting = changeIntent(
    account,
    intent,
    { status: 'requires_action', next_action },
    'payment_intent.requires_action',
  );
  account.tell({ kind: 'intent_requires_action', intent: waiting });
  return waiting;
}

function succeed(account: Account, intent: PaymentIntent, method: PaymentMethod): PaymentIntent {
  const charge = createCharge(account, intent, method, { status: 'succeeded' });
  account.emit('charge.succeeded', charge);
  return settle(account, intent, charge);
}

function settle(account: Account, intent: PaymentIntent, charge: Charge): PaymentIntent {
  const changes = {
    status: 'succeeded' as const,
    amount_received: intent.amount,
    latest_charge: charge.id,
    last_payment_error: null,
    next_action: null,
    processing: null,
  };
  const paid = changeIntent(account, intent, changes, 'payment_intent.succeeded');
  account.tell({ kind: 'intent_succeeded', intent: paid });
  account.tell({ kind: 'charge_succeeded', charge });
  return paid;
}

function fail(
  account: Account,
  intent: PaymentIntent,
  method: PaymentMethod,
  decline: string,
): PaymentIntent {
  const charge = createCharge(account, intent, method, { status: 'failed', decline });
  account.emit('charge.failed', charge);
  return refuse(account, intent, method, charge, decline);
}

function refuse(
  account: Account,
  intent: PaymentIntent,
  method: PaymentMethod,
  charge: Charge,
  decline: string,
): PaymentIntent {
  const code = method.type === 'card' ? errorCodeOf(decline) : `payment_method_${decline}`;
  const changes = {
    status: 'requires_payment_method' as const,
    latest_charge: charge.id,
    next_action: null,
    processing: null,
    payment_method: null,
    last_payment_error: {
      charge: charge.id,
      code,
      decline_code: decline,
      message: declineMessage(decline),
      type: 'card_error' as const,
    } as PaymentIntent['last_payment_error'],
  };
  const failed = changeIntent(account, intent, changes, 'payment_intent.payment_failed');
  account.tell({ kind: 'intent_failed', intent: failed });
  return failed;
}

/** A bank debit: `processing` until it settles or is returned. */
function debit(
  account: Account,
  intent: PaymentIntent,
  method: PaymentMethod,
  failure: string | null,
): PaymentIntent {
  const charge = createCharge(account, intent, method, { status: 'pending' });
  account.emit('charge.pending', charge);
  const changes = { status: 'processing' as const, latest_charge: charge.id, last_payment_error: null };
  const underWay = changeIntent(account, intent, changes, 'payment_intent.processing');
  account.tell({ kind: 'intent_processing', intent: underWay });
  account.at(account.now + account.settings.bank_debit_days * DAY, () => {
    const due = account.paymentIntents.find(intent.id);
    if (due?.status !== 'processing') return;
    if (failure === null) {
      const paid = account.change(account.charges, charge.id, { status: 'succeeded', paid: true });
      account.emit('charge.succeeded', paid);
      settle(account, due, paid);
    } else {
      const changes = {
        status: 'failed' as const,
        paid: false,
        failure_code: failure,
        failure_message: declineMessage(failure),
      };
      const returned = account.change(account.charges, charge.id, changes);
      account.emit('charge.failed', returned);
      refuse(account, due, method, returned, failure);
    }
  });
  return underWay;
}

/** Changes an intent and tells the event that stands for the change; intents have no `updated` event. */
function changeIntent(
  account: Account,
  intent: PaymentIntent,
  changes: Partial<PaymentIntent>,
  type:
    | 'payment_intent.canceled'
    | 'payment_intent.payment_failed'
    | 'payment_intent.processing'
    | 'payment_intent.requires_action'
    | 'payment_intent.succeeded',
): PaymentIntent {
  const after = account.change(account.paymentIntents, intent.id, changes);
  account.emit(type, after);
  return after;
}
