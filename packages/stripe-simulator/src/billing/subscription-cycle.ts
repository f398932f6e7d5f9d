import type { Account } from '../account.js';
import type { Invoice, Subscription, SubscriptionItem } from '../types.js';
import { type DraftLine, fullAmount, recurringLine } from './invoice-lines.js';
import { createInvoice, finalizeInvoice, markUncollectible, pendingItems, voidInvoice } from './invoicing.js';
import { endOfPeriod } from './periods.js';
import { endSubscription } from './subscription-end.js';
import { changeSubscription, hasEnded, itemsOf, nextPeriodEnd, spanOf } from './subscription-object.js';

const DAY = 86_400;

/** Lets a subscription go on: into its next period when the current one ends, told of three days before a trial does. */
export function watchPeriod(account: Account, subscription: Subscription): void {
  if (hasEnded(subscription) || subscription.status === 'paused') return;
  const { id } = subscription;
  const end = nextPeriodEnd(itemsOf(account, subscription));
  account.at(end, () => periodEnded(account, id, end));
  const { upcoming_days } = account.settings;
  if (upcoming_days > 0 && end - upcoming_days * DAY > account.now) {
    account.at(end - upcoming_days * DAY, () => tellUpcoming(account, id, end));
  }
}

/** Tells of a trial's end three days before, at once where it is nearer. */
export function watchTrial(account: Account, { id, trial_end }: Subscription): void {
  if (trial_end === null) return;
  account.at(Math.max(account.now, trial_end - 3 * DAY), () => {
    const due = account.subscriptions.find(id);
    if (due?.status === 'trialing' && due.trial_end === trial_end) {
      account.emit('customer.subscription.trial_will_end', due);
    }
  });
}

function tellUpcoming(account: Account, id: string, end: number): void {
  const due = account.subscriptions.find(id);
  if (due === undefined || hasEnded(due) || due.cancel_at === end) return;
  if (nextPeriodEnd(itemsOf(account, due)) !== end) return;
  const latest = account.invoices.find(due.latest_invoice ?? '');
  if (latest === undefined) return;
  const { id: _, ...upcoming } = {
    ...latest,
    status: 'draft' as const,
    created: end,
    billing_reason: 'upcoming' as const,
  };
  account.emit('invoice.upcoming', upcoming);
}

function periodEnded(account: Account, id: string, end: number): void {
  const due = account.subscriptions.find(id);
  if (due === undefined || hasEnded(due) || due.status === 'paused' || due.status === 'incomplete') return;
  if (nextPeriodEnd(itemsOf(account, due)) !== end) return;
  if (due.cancel_at !== null && due.cancel_at <= end) {
    endSubscription(account, due, 'cancellation_requested');
    return;
  }
  if (due.status === 'trialing' && due.trial_end === end && endsWithoutMethod(account, due)) return;
  account.tell({ kind: 'period_ending', subscription: due });
  renew(account, account.subscriptions.find(id) ?? due, end);
}

/** A trial that ends with no way to pay does what `trial_settings` say; `create_invoice` goes on. */
function endsWithoutMethod(account: Account, subscription: Subscription): boolean {
  const behaviour = subscription.trial_settings?.end_behavior.missing_payment_method;
  if (behaviour === 'create_invoice') return false;
  const customer = account.customers.find(subscription.customer);
  const method =
    subscription.default_payment_method ?? customer?.invoice_settings.default_payment_method ?? null;
  if (method !== null) return false;
  if (behaviour === 'cancel') endSubscription(account, subscription, null);
  else pauseSubscription(account, subscription, 'trial_end_without_payment_method');
  return true;
}

type PauseReason = 'final_payment_failure' | 'pause_requested' | 'trial_end_without_payment_method';

/** Stops service and billing until it is resumed; `customer.subscription.paused`. */
export function pauseSubscription(
  account: Account,
  subscription: Subscription,
  reason: PauseReason,
): Subscription {
  const paused = changeSubscription(account, subscription.id, {
    status: 'paused',
    status_details: {
      paused: { subscription: { type: reason }, transitioned_at: account.now, type: 'subscription' },
    },
  });
  account.emit('customer.subscription.paused', paused);
  return paused;
}

/** The items whose period ends move on, and an invoice asks for the next one. */
function renew(account: Account, subscription: Subscription, end: number): void {
  const items = itemsOf(account, subscription);
  const trialEnds = subscription.status === 'trialing';
  const anchor = trialEnds ? end : subscription.billing_cycle_anchor;
  const moved = items.map((item) =>
    item.current_period_end <= end ? nextPeriodOf(item, anchor, end) : item,
  );
  const due = moved.filter((item, index) => item !== items[index]);
  const lines = due.map((item) => cycleLine(account, subscription, item, items));
  const invoice = draftOfCycle(account, subscription, lines, items);
  const changed = changeSubscription(account, subscription.id, {
    items: moved,
    billing_cycle_anchor: anchor,
    latest_invoice: invoice.id,
    ...(trialEnds ? { status: 'active' as const } : {}),
  });
  watchPeriod(account, changed);
  const paused = changed.pause_collection;
  if (paused === null || paused.behavior === 'keep_as_draft') return;
  const open = finalizeInvoice(account, invoice);
  if (open.status !== 'open') return;
  if (paused.behavior === 'void') voidInvoice(account, open);
  else markUncollectible(account, open, 'dunning');
}

function nextPeriodOf(item: SubscriptionItem, anchor: number, start: number): SubscriptionItem {
  const { recurring } = item.price;
  if (recurring === null) throw new Error(`${item.id} is of a price that is not recurring`);
  return { ...item, current_period_start: start, current_period_end: endOfPeriod(recurring, anchor, start) };
}

/** Licensed items pay for the period that begins, metered ones for what was used in the one that ends. */
function cycleLine(
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  before: readonly SubscriptionItem[],
): DraftLine {
  const isMetered = item.price.recurring?.usage_type === 'metered';
  const of = isMetered ? (before.find(({ id }) => id === item.id) ?? item) : item;
  const period = { start: of.current_period_start, end: of.current_period_end };
  return recurringLine(account, subscription, item, period, fullAmount(account, item, period));
}

function draftOfCycle(
  account: Account,
  subscription: Subscription,
  lines: readonly DraftLine[],
  items: readonly SubscriptionItem[],
): Invoice {
  const customer = account.customers.find(subscription.customer);
  if (customer === undefined) throw new Error(`${subscription.id} is of nobody`);
  return createInvoice(account, {
    customer,
    subscription,
    reason: 'subscription_cycle',
    currency: subscription.currency,
    period: spanOf(items),
    lines,
    autoAdvance: subscription.pause_collection === null && subscription.status !== 'unpaid',
    finalizes: 'later',
    pending: pendingItems(account, customer.id, subscription.id),
  });
}
