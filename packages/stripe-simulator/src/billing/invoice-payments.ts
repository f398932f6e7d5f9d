import type { Account } from '../account.js';
import { resourceMissing } from '../api-error.js';
import { attachPaymentMethod } from '../resources/payment-methods.js';
import type { Invoice, InvoicePayment, PaymentIntent, PaymentMethod } from '../types.js';
import { confirmIntent, createIntent, type Presence } from './payments.js';

const DAY = 86_400;

/** The intent by which an open invoice is to be paid. */
export function openPayment(account: Account, invoice: Invoice): PaymentIntent {
  const intent = createIntent(account, {
    amount: invoice.amount_due,
    currency: invoice.currency,
    customer: invoice.customer,
    description: DESCRIPTIONS[invoice.billing_reason ?? ''] ?? 'Payment for Invoice',
    metadata: {},
    setupFutureUsage: invoice.parent === null ? null : 'off_session',
  });
  const payment: InvoicePayment = {
    id: account.ids.next('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: invoice.amount_due,
    created: account.now,
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  };
  account.invoicePayments.put(payment);
  return intent;
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  subscription_create: 'Subscription creation',
  subscription_cycle: 'Subscription update',
  subscription_update: 'Subscription update',
};

/** The intent of an invoice that still can be paid by it; `null` for one that asks for nothing. */
export function intentOfInvoice(account: Account, invoice: Invoice): PaymentIntent | null {
  for (const { payment, is_default } of account.invoicePayments.select({ by: ['invoice', invoice.id] })) {
    if (is_default) return account.paymentIntents.find(payment.payment_intent ?? '') ?? null;
  }
  return null;
}

/** The method that an invoice is paid by unless another is named: its own, its subscription's, its customer's. */
export function methodOfInvoice(account: Account, invoice: Invoice): string | null {
  const subscription = account.subscriptions.find(invoice.parent?.subscription_details?.subscription ?? '');
  const customer = account.customers.find(invoice.customer ?? '');
  return (
    invoice.default_payment_method ??
    subscription?.default_payment_method ??
    customer?.invoice_settings.default_payment_method ??
    null
  );
}

export interface Attempt {
  readonly presence: Presence;
  /** A method or a test token; `null`: the one that is set. */
  readonly method: string | null;
}

/** Tries to take the money of an open invoice; the intent as it is then, or `null` where no method is known. */
export function attemptPayment(account: Account, invoice: Invoice, attempt: Attempt): PaymentIntent | null {
  const intent = intentOfInvoice(account, invoice) ?? openPayment(account, invoice);
  const chosen = attempt.method ?? methodOfInvoice(account, invoice);
  const attempted = account.change(account.invoices, invoice.id, {
    attempted: true,
    attempt_count: invoice.attempt_count + 1,
  });
  if (chosen === null) {
    paymentFailed(account, attempted);
    return null;
  }
  const tried = confirmIntent(account, intent, methodFor(account, attempted, chosen), attempt.presence);
  if (tried.status === 'processing' || tried.status === 'requires_action') {
    const { attempted: was, attempt_count } = invoice;
    account.emit('invoice.updated', attempted, { attempt_count, ...(was ? {} : { attempted: was }) });
  }
  return tried;
}

function methodFor(account: Account, invoice: Invoice, idOrToken: string): PaymentMethod {
  const known = account.paymentMethods.find(idOrToken);
  if (known !== undefined) return known;
  const customer = account.customers.find(invoice.customer ?? '');
  if (customer === undefined) throw resourceMissing('customer', invoice.customer ?? '', 'customer');
  return attachPaymentMethod(account, idOrToken, customer);
}

/** An attempt has failed: the next one is set, or the invoice is given up (Stripe: "Automate payment retries"). */
export function paymentFailed(account: Account, invoice: Invoice): void {
  const next = nextAttempt(account, invoice);
  const failed = account.change(
    account.invoices,
    invoice.id,
    { next_payment_attempt: next, ...(next === null ? { auto_advance: false } : {}) },
    'invoice.updated',
  );
  account.emit('invoice.payment_failed', failed);
  account.tell({ kind: 'invoice_payment_failed', invoice: failed });
  if (next !== null) {
    account.at(next, () => retry(account, invoice.id, next));
  } else if (isDunned(invoice) && !account.heldUpdates.has(invoice.id)) {
    account.tell({ kind: 'invoice_given_up', invoice: failed });
  }
}

function retry(account: Account, id: string, second: number): void {
  const due = account.invoices.find(id);
  if (due?.status !== 'open' || due.next_payment_attempt !== second) return;
  attemptPayment(account, due, { presence: 'off_session', method: null });
}

/** First payments and updates that wait for theirs are not tried again by themselves. */
function isDunned(invoice: Invoice): boolean {
  return (
    invoice.collection_method === 'charge_automatically' &&
    invoice.billing_reason !== 'subscription_create' &&
    invoice.billing_reason !== 'manual'
  );
}

function nextAttempt(account: Account, invoice: Invoice): number | null {
  if (!isDunned(invoice) || account.heldUpdates.has(invoice.id)) return null;
  const days = account.settings.retry_after_days[invoice.attempt_count - 1];
  const first = invoice.status_transitions.finalized_at;
  return days === undefined || first === null ? null : Math.max(first + days * DAY, account.now + 1);
}
