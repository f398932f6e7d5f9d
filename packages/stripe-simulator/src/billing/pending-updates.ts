import type { Account } from '../account.js';
import type { PendingUpdate } from '../account-tables.js';
import { invalidRequest } from '../api-error.js';
import { declined } from '../declined.js';
import type { Invoice, Subscription } from '../types.js';
import { attemptPayment, intentOfInvoice } from './invoice-payments.js';
import { finalizeInvoice, voidInvoice } from './invoicing.js';
import { INCOMPLETE_HOURS } from './subscription-create.js';
import { changeSubscription, hasEnded } from './subscription-object.js';
import type { SubscriptionUpdate } from './subscription-update.types.js';
import { watched } from './subscription-watch.js';

/** `pending_if_incomplete`: unpaid, the items stay as they were and the update waits (Stripe: "Pending updates"). */
export function heldUntilPaid(
  account: Account,
  subscription: Subscription,
  draft: Invoice,
  update: Pick<SubscriptionUpdate, 'behaviour' | 'presence' | 'resetsCycle'>,
  changes: PendingUpdate,
): Subscription {
  account.heldUpdates.add(draft.id);
  const open = finalizeInvoice(account, draft);
  if (open.status === 'open') attemptPayment(account, open, { presence: update.presence, method: null });
  const invoice = account.invoices.find(draft.id) ?? open;
  const isPaid = invoice.status === 'paid' || intentOfInvoice(account, invoice)?.status === 'processing';
  if (isPaid) {
    account.heldUpdates.delete(draft.id);
    const changed = changeSubscription(account, subscription.id, { ...changes, latest_invoice: draft.id });
    return watched(account, subscription, changed);
  }
  if (update.behaviour === 'error_if_incomplete') {
    const intent = intentOfInvoice(account, invoice);
    voidInvoice(account, invoice);
    account.heldUpdates.delete(invoice.id);
    throw intent === null
      ? invalidRequest('This customer has no attached payment source or default payment method.')
      : declined(intent);
  }
  const expires_at = account.now + INCOMPLETE_HOURS * 3_600;
  account.pendingUpdates.set(draft.id, changes);
  account.at(expires_at, () => expirePending(account, subscription.id, draft.id));
  return changeSubscription(account, subscription.id, {
    latest_invoice: draft.id,
    pending_update: {
      billing_cycle_anchor: update.resetsCycle === 'yes' ? account.now : null,
      cancel_at_period_end: null,
      discount: null,
      discounts: [],
      expires_at,
      metadata: null,
      subscription_items: changes.items ?? null,
      trial_end: null,
      trial_from_plan: null,
    },
  });
}

function expirePending(account: Account, id: string, invoice: string): void {
  const subscription = account.subscriptions.find(id);
  if (subscription?.pending_update == null || !account.pendingUpdates.delete(invoice)) return;
  account.heldUpdates.delete(invoice);
  const open = account.invoices.find(invoice);
  if (open?.status === 'open') voidInvoice(account, open);
  const without = account.change(account.subscriptions, id, { pending_update: null });
  account.emit('customer.subscription.pending_update_expired', without);
}

/** Lets a pending update take effect when its invoice is paid. */
export function followPendingUpdates(account: Account): void {
  account.react((happening) => {
    if (happening.kind !== 'invoice_paid') return;
    const { id } = happening.invoice;
    const changes = account.pendingUpdates.get(id);
    const subscription = account.subscriptions.find(
      happening.invoice.parent?.subscription_details?.subscription ?? '',
    );
    if (changes === undefined || subscription === undefined || hasEnded(subscription)) return;
    account.pendingUpdates.delete(id);
    account.heldUpdates.delete(id);
    const applied = changeSubscription(account, subscription.id, { ...changes, pending_update: null });
    account.emit('customer.subscription.pending_update_applied', applied);
    watched(account, subscription, applied);
  });
}
