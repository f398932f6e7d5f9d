import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest } from '../api-error.js';
import { fullAmount, recurringLine } from '../billing/invoice-lines.js';
import { attemptPayment } from '../billing/invoice-payments.js';
import { createInvoice, finalizeInvoice, pendingItems, voidInvoice } from '../billing/invoicing.js';
import { endOfPeriod } from '../billing/periods.js';
import { INCOMPLETE_HOURS } from '../billing/subscription-create.js';
import { pauseSubscription } from '../billing/subscription-cycle.js';
import { changeSubscription, hasEnded, itemsOf } from '../billing/subscription-object.js';
import { resumed } from '../billing/subscription-status.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { Subscription } from '../types.js';
import { customerOf } from './customers.js';
import { subscriptionOf } from './subscriptions.js';

/** `/v1/subscriptions/:id/pause` and `/resume` (Stripe: "Pause subscriptions"). */
export function subscriptionPauseRoutes(router: Router, account: Account): void {
  const pause = z.strictObject({
    type: z.enum(['subscription']).optional(),
    bill_for: p.ignored,
    invoicing_behavior: p.ignored,
    expand: p.expand,
  });
  router.on('POST', '/v1/subscriptions/:id/pause', pause, (_, { id }) => {
    const subscription = subscriptionOf(account, id);
    if (hasEnded(subscription) || subscription.status === 'paused' || subscription.status === 'incomplete') {
      throw invalidRequest(`A subscription that is ${subscription.status} cannot be paused.`);
    }
    return pauseSubscription(account, subscription, 'pause_requested');
  });
  const resume = z.strictObject({
    billing_cycle_anchor: z.enum(['now', 'unchanged']).optional(),
    payment_behavior: p.ignored,
    proration_behavior: p.ignored,
    proration_date: p.ignored,
    expand: p.expand,
  });
  router.on('POST', '/v1/subscriptions/:id/resume', resume, (params, { id }) => {
    const subscription = subscriptionOf(account, id);
    if (subscription.status !== 'paused') {
      throw invalidRequest(`Only paused subscriptions can be resumed; this one is ${subscription.status}.`);
    }
    const isRunning = itemsOf(account, subscription).every((item) => item.current_period_end > account.now);
    return params.billing_cycle_anchor === 'unchanged' && isRunning
      ? resumed(account, subscription)
      : resumedAnew(account, subscription);
  });
}

/** A new period begins now; the subscription goes on when its invoice is paid or written off. Unpaid it is void after 23 hours. */
function resumedAnew(account: Account, subscription: Subscription): Subscription {
  const customer = customerOf(account, subscription.customer);
  const items = itemsOf(account, subscription).map((item) => ({
    ...item,
    current_period_start: account.now,
    current_period_end: endOfPeriod(item.price.recurring ?? MONTHLY, account.now, account.now),
  }));
  const lines = items.map((item) => {
    const period = { start: item.current_period_start, end: item.current_period_end };
    const isMetered = item.price.recurring?.usage_type === 'metered';
    return recurringLine(
      account,
      subscription,
      item,
      period,
      isMetered ? 0 : fullAmount(account, item, period),
    );
  });
  const invoice = createInvoice(account, {
    customer,
    subscription,
    reason: 'subscription_update',
    currency: subscription.currency,
    period: { start: account.now, end: account.now },
    lines,
    autoAdvance: true,
    finalizes: 'when_told',
    pending: pendingItems(account, customer.id, subscription.id),
  });
  account.resumptions.add(invoice.id);
  account.at(account.now + INCOMPLETE_HOURS * 3_600, () => {
    const unpaid = account.invoices.find(invoice.id);
    if (account.resumptions.delete(invoice.id) && unpaid?.status === 'open') voidInvoice(account, unpaid);
  });
  changeSubscription(account, subscription.id, {
    items,
    billing_cycle_anchor: account.now,
    latest_invoice: invoice.id,
  });
  const open = finalizeInvoice(account, invoice);
  if (open.status === 'open') attemptPayment(account, open, { presence: 'off_session', method: null });
  return subscriptionOf(account, subscription.id);
}

const MONTHLY = {
  interval: 'month',
  interval_count: 1,
  meter: null,
  trial_period_days: null,
  usage_type: 'licensed',
} as const;
