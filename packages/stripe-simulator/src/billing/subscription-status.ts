import type { Account } from '../account.js';
import type { Invoice, Subscription } from '../types.js';
import { markUncollectible } from './invoicing.js';
import { watchPeriod } from './subscription-cycle.js';
import { endSubscription } from './subscription-end.js';
import { changeSubscription, hasEnded } from './subscription-object.js';

/** Lets subscriptions follow what becomes of their invoices (Stripe: "Subscription statuses") and of their customers. */
export function followInvoices(account: Account): void {
  account.react((happening) => {
    switch (happening.kind) {
      case 'invoice_paid':
      case 'invoice_processing':
        return paid(account, happening.invoice);
      case 'invoice_payment_failed':
        return failed(account, happening.invoice);
      case 'invoice_given_up':
        return givenUp(account, happening.invoice);
      case 'invoice_voided':
      case 'invoice_uncollectible':
        return writtenOff(account, happening.invoice, happening.kind);
      case 'customer_deleted': {
        const { id } = happening.customer;
        for (const subscription of account.subscriptions.select({ by: ['customer', id] })) {
          if (!hasEnded(subscription)) endSubscription(account, subscription, 'cancellation_requested');
        }
      }
    }
  });
}

/** The subscription whose standing an invoice decides: the one that it is the newest of. */
function decidedBy(account: Account, invoice: Invoice): Subscription | null {
  const subscription = account.subscriptions.find(invoice.parent?.subscription_details?.subscription ?? '');
  if (subscription === undefined || hasEnded(subscription)) return null;
  const isNewest = subscription.latest_invoice === invoice.id || subscription.latest_invoice === null;
  return isNewest ? subscription : null;
}

function paid(account: Account, invoice: Invoice): void {
  const subscription = decidedBy(account, invoice);
  if (subscription === null) return;
  const method = savedMethod(account, subscription, invoice);
  switch (subscription.status) {
    case 'incomplete':
    case 'past_due':
    case 'unpaid':
      changeSubscription(account, subscription.id, { status: 'active', ...method });
      return;
    case 'paused':
      if (account.resumptions.delete(invoice.id)) resumed(account, subscription);
      return;
    default:
      changeSubscription(account, subscription.id, method);
  }
}

/** `save_default_payment_method: on_subscription` keeps the method of the first payment that succeeds. */
function savedMethod(
  account: Account,
  { default_payment_method, payment_settings }: Subscription,
  invoice: Invoice,
): Partial<Pick<Subscription, 'default_payment_method'>> {
  if (default_payment_method !== null || payment_settings?.save_default_payment_method !== 'on_subscription')
    return {};
  for (const { payment } of account.invoicePayments.select({ by: ['invoice', invoice.id] })) {
    const method = account.paymentIntents.find(payment.payment_intent ?? '')?.payment_method;
    if (method != null) return { default_payment_method: method };
  }
  return {};
}

/** Service goes on after a pause; `customer.subscription.resumed`. */
export function resumed(account: Account, { id }: Subscription): Subscription {
  const active = changeSubscription(account, id, { status: 'active', status_details: undefined });
  account.emit('customer.subscription.resumed', active);
  watchPeriod(account, active);
  return active;
}

function failed(account: Account, invoice: Invoice): void {
  const subscription = decidedBy(account, invoice);
  if (subscription?.status !== 'active' || account.heldUpdates.has(invoice.id)) return;
  if (invoice.collection_method === 'send_invoice') return;
  changeSubscription(account, subscription.id, { status: 'past_due' });
}

/** The last attempt has failed: what the account's settings say. */
function givenUp(account: Account, invoice: Invoice): void {
  const subscription = decidedBy(account, invoice);
  const { after_dunning, invoice_after_dunning } = account.settings;
  if (subscription !== null && subscription.status === 'past_due') {
    if (after_dunning === 'cancel') endSubscription(account, subscription, 'payment_failed');
    if (after_dunning === 'mark_unpaid') changeSubscription(account, subscription.id, { status: 'unpaid' });
  }
  const still = account.invoices.find(invoice.id);
  if (invoice_after_dunning === 'mark_uncollectible' && still?.status === 'open')
    markUncollectible(account, still, 'dunning');
}

/** Nothing is asked for any more: one that is past due is active again, an incomplete one waits for its end. */
function writtenOff(
  account: Account,
  invoice: Invoice,
  happening: 'invoice_uncollectible' | 'invoice_voided',
): void {
  const subscription = decidedBy(account, invoice);
  if (subscription?.status === 'paused' && happening === 'invoice_uncollectible') {
    if (account.resumptions.delete(invoice.id)) resumed(account, subscription);
  }
  if (subscription?.status === 'past_due' || subscription?.status === 'unpaid') {
    changeSubscription(account, subscription.id, { status: 'active' });
  }
}
