import type { Account } from '../account.js';
import type { Subscription } from '../types.js';
import { voidInvoice } from './invoicing.js';
import { changeSubscription, hasEnded, NOT_CANCELED } from './subscription-object.js';

type Details = NonNullable<Subscription['cancellation_details']>;

/** Ends a subscription now; `customer.subscription.deleted`. What is open stays open and is no longer asked for by itself. */
export function endSubscription(
  account: Account,
  subscription: Subscription,
  reason: Details['reason'],
  details: {
    readonly comment?: string | undefined;
    readonly feedback?: Details['feedback'] | undefined;
  } = {},
): Subscription {
  const before = subscription.cancellation_details ?? NOT_CANCELED;
  const ended = account.change(account.subscriptions, subscription.id, {
    status: 'canceled',
    canceled_at: subscription.canceled_at ?? account.now,
    cancel_at_period_end: false,
    ended_at: account.now,
    pending_update: null,
    schedule: null,
    cancellation_details: {
      ...before,
      comment: details.comment ?? before.comment,
      feedback: details.feedback ?? before.feedback,
      reason: before.reason ?? reason,
    },
  });
  account.emit('customer.subscription.deleted', ended);
  for (const invoice of account.invoices.select({ by: ['subscription', ended.id] })) {
    if (invoice.status !== 'open' && invoice.status !== 'draft') continue;
    account.change(
      account.invoices,
      invoice.id,
      { auto_advance: false, next_payment_attempt: null },
      'invoice.updated',
    );
  }
  account.tell({ kind: 'subscription_ended', subscription: ended });
  return ended;
}

/** Ends one whose first invoice was not paid within 23 hours. */
export function expireIncomplete(account: Account, id: string): void {
  const subscription = account.subscriptions.find(id);
  if (subscription?.status !== 'incomplete') return;
  const ended = changeSubscription(account, id, { status: 'incomplete_expired', ended_at: account.now });
  const invoice = account.invoices.find(ended.latest_invoice ?? '');
  if (invoice?.status === 'open') voidInvoice(account, invoice);
  account.tell({ kind: 'subscription_ended', subscription: ended });
}

/** Sets when it will end: the second (Unix), or `null` for never. The event is the caller's. */
export function cancellationChanges(
  account: Account,
  subscription: Subscription,
  { cancelAt, atPeriodEnd }: { readonly cancelAt: number | null; readonly atPeriodEnd: boolean },
): Pick<Subscription, 'cancel_at' | 'cancel_at_period_end' | 'canceled_at' | 'cancellation_details'> {
  const details = subscription.cancellation_details ?? NOT_CANCELED;
  return {
    cancel_at: cancelAt,
    cancel_at_period_end: atPeriodEnd,
    canceled_at: cancelAt === null ? null : (subscription.canceled_at ?? account.now),
    cancellation_details: { ...details, reason: cancelAt === null ? null : 'cancellation_requested' },
  };
}

/** Ends it when the second comes for which it is set. */
export function watchCancellation(account: Account, subscription: Subscription): void {
  const { id, cancel_at: second } = subscription;
  if (second === null) return;
  account.at(second, () => {
    const due = account.subscriptions.find(id);
    if (due === undefined || hasEnded(due) || due.cancel_at !== second) return;
    endSubscription(account, due, 'cancellation_requested');
  });
}
