import type { Account } from '../account.js';
import { invalidRequest } from '../api-error.js';
import { customerOf } from '../resources/customers.js';
import { attachPaymentMethod } from '../resources/payment-methods.js';
import { configurationOf } from '../resources/portal-configurations.js';
import { planOf, priceOf } from '../resources/prices.js';
import { subscriptionOf } from '../resources/subscriptions.js';
import type { PortalSession, Subscription, SubscriptionItem } from '../types.js';
import { fullAmount } from './invoice-lines.js';
import { cancellationChanges, endSubscription, watchCancellation } from './subscription-end.js';
import { changeSubscription, itemsOf, spanOf } from './subscription-object.js';
import { updateSubscription } from './subscription-update.js';

/** Changes the subscription as the flow says, under the configuration's rules; unpaid it stays as it was. @throws ApiError 400, 402 */
export function confirmUpdate(account: Account, session: PortalSession): Subscription {
  const confirm = session.flow?.subscription_update_confirm;
  if (confirm == null) throw invalidRequest('This session confirms nothing.');
  const subscription = subscriptionOf(account, confirm.subscription);
  const [wanted] = confirm.items;
  return changeItem(account, session, subscription, wanted?.price ?? null, wanted?.quantity);
}

/** Changes the one item of a subscription to another price or quantity. @throws ApiError 400, 402 */
export function changeItem(
  account: Account,
  session: PortalSession,
  subscription: Subscription,
  priceId: string | null,
  quantity: number | undefined,
): Subscription {
  const { subscription_update: rules } = configurationOf(account, session.configuration).features;
  const [item] = itemsOf(account, subscription);
  if (item === undefined) throw invalidRequest('This subscription has no items.');
  const price = priceId === null ? item.price : priceOf(account, priceId);
  const isMetered = price.recurring?.usage_type === 'metered';
  const { quantity: before, ...rest } = item;
  const after: SubscriptionItem = {
    ...rest,
    price,
    plan: planOf(price),
    ...(isMetered ? {} : { quantity: quantity ?? before ?? 1 }),
  };
  const isLess = fullAmount(account, after, periodOf(after)) < fullAmount(account, item, periodOf(item));
  const waits =
    isLess && rules.schedule_at_period_end.conditions.some(({ type }) => type === 'decreasing_item_amount');
  if (waits) {
    account.tell({ kind: 'change_at_period_end', subscription, items: [after] });
    return subscriptionOf(account, subscription.id);
  }
  return updateSubscription(account, subscription, {
    items: [after],
    fields: {},
    proration: rules.proration_behavior,
    prorationDate: null,
    behaviour: 'error_if_incomplete',
    presence: 'on_session',
    resetsCycle: rules.billing_cycle_anchor === 'now' ? 'yes' : 'no',
    trialEnd:
      subscription.status === 'trialing' && rules.trial_update_behavior === 'end_trial' ? null : undefined,
  });
}

function periodOf(item: SubscriptionItem): { readonly start: number; readonly end: number } {
  return { start: item.current_period_start, end: item.current_period_end };
}

/** Cancels as the configuration says: now, or at the end of the period (flexible billing: `cancel_at` alone). */
export function cancelInPortal(
  account: Account,
  session: PortalSession,
  subscription: Subscription,
): Subscription {
  const { subscription_cancel: rules } = configurationOf(account, session.configuration).features;
  if (!rules.enabled) throw invalidRequest('Cancellations are disabled.');
  if (rules.mode === 'immediately') return endSubscription(account, subscription, 'cancellation_requested');
  const { end } = spanOf(itemsOf(account, subscription));
  const atPeriodEnd = subscription.billing_mode.type === 'classic';
  const changes = cancellationChanges(account, subscription, { cancelAt: end, atPeriodEnd });
  const changed = changeSubscription(account, subscription.id, changes);
  watchCancellation(account, changed);
  return changed;
}

/** Takes a planned cancellation back. */
export function renewInPortal(account: Account, subscription: Subscription): Subscription {
  const changes = cancellationChanges(account, subscription, { cancelAt: null, atPeriodEnd: false });
  return changeSubscription(account, subscription.id, changes);
}

/** A new way to pay, for the customer and their subscriptions. @throws ApiError 402 */
export function changeMethod(account: Account, session: PortalSession, token: string): void {
  const customer = customerOf(account, session.customer);
  const method = attachPaymentMethod(account, token, customer);
  const invoice_settings = { ...customer.invoice_settings, default_payment_method: method.id };
  account.change(account.customers, customer.id, { invoice_settings }, 'customer.updated');
  for (const { id, default_payment_method, status } of account.subscriptions.select({
    by: ['customer', customer.id],
  })) {
    if (default_payment_method === null || status === 'canceled') continue;
    changeSubscription(account, id, { default_payment_method: method.id });
  }
}
