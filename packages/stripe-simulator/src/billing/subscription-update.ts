import type { Account } from '../account.js';
import type { PendingUpdate } from '../account-tables.js';
import { invalidRequest } from '../api-error.js';
import type { Changes, Invoice, Subscription, SubscriptionItem } from '../types.js';
import { fullAmount, recurringLine } from './invoice-lines.js';
import { attemptPayment } from './invoice-payments.js';
import { createInvoice, finalizeInvoice, pendingItems } from './invoicing.js';
import { heldUntilPaid } from './pending-updates.js';
import { endOfPeriod } from './periods.js';
import { keepProration, prorationsOf } from './proration.js';
import { changeSubscription, hasEnded, itemsOf } from './subscription-object.js';
import type { SubscriptionUpdate } from './subscription-update.types.js';
import { currentSubscription, watched } from './subscription-watch.js';

/** Changes a subscription and asks for what that costs. @throws ApiError 400, or 402 under `error_if_incomplete` */
export function updateSubscription(
  account: Account,
  subscription: Subscription,
  update: SubscriptionUpdate,
): Subscription {
  if (hasEnded(subscription)) {
    const message = 'A canceled subscription can only update its cancellation_details and metadata.';
    throw invalidRequest(message, { code: 'invalid_canceled_subscription_fields' });
  }
  const before = itemsOf(account, subscription);
  const trial = trialOf(account, subscription, update);
  const resets = update.resetsCycle === 'yes' || trial.ends || intervalsDiffer(before, update.items);
  const items = update.items.map((item) => withPeriod(account, item, subscription, resets, trial.end));
  const fresh = new Set(resets || trial.end !== null ? items.map(({ id }) => id) : []);
  const isFree = subscription.status === 'trialing' || update.proration === 'none';
  const prorations = isFree
    ? []
    : prorationsOf(account, before, items, fresh, update.prorationDate ?? account.now);
  const asks = resets || (update.proration === 'always_invoice' && prorations.length > 0);
  const changes = {
    ...update.fields,
    items,
    ...(resets ? { billing_cycle_anchor: account.now } : {}),
    ...trial.fields,
  };
  if (!asks || trial.end !== null) {
    for (const proration of prorations) keepProration(account, subscription, proration);
    return watched(account, subscription, changeSubscription(account, subscription.id, changes));
  }
  for (const proration of prorations) keepProration(account, subscription, proration);
  const lines = resets
    ? items.map((item) => {
        const period = { start: item.current_period_start, end: item.current_period_end };
        const isMetered = item.price.recurring?.usage_type === 'metered';
        return recurringLine(
          account,
          subscription,
          item,
          period,
          isMetered ? 0 : fullAmount(account, item, period),
        );
      })
    : [];
  const draft = invoiceOfUpdate(account, subscription, lines);
  return update.behaviour === 'pending_if_incomplete' || update.behaviour === 'error_if_incomplete'
    ? heldUntilPaid(account, subscription, draft, update, changes)
    : appliedAtOnce(account, subscription, draft, update, changes);
}

function invoiceOfUpdate(
  account: Account,
  subscription: Subscription,
  lines: Parameters<typeof createInvoice>[1]['lines'],
): Invoice {
  const customer = account.customers.find(subscription.customer);
  if (customer === undefined) throw new Error(`${subscription.id} is of nobody`);
  return createInvoice(account, {
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
}

/** `allow_incomplete` and `default_incomplete`: the new items hold at once, whether they are paid or not. */
function appliedAtOnce(
  account: Account,
  subscription: Subscription,
  draft: Invoice,
  update: SubscriptionUpdate,
  changes: PendingUpdate,
): Subscription {
  const changed = changeSubscription(account, subscription.id, { ...changes, latest_invoice: draft.id });
  const open = finalizeInvoice(account, draft);
  if (open.status === 'open' && update.behaviour === 'allow_incomplete') {
    attemptPayment(account, open, { presence: update.presence, method: null });
  }
  if (open.status === 'open' && update.behaviour === 'default_incomplete' && changed.status === 'active') {
    changeSubscription(account, subscription.id, { status: 'past_due' });
  }
  return watched(account, subscription, currentSubscription(account, subscription.id));
}

interface TrialChange {
  /** The second (Unix) at which the trial ends that there is after the update, `null` for none. */
  readonly end: number | null;
  readonly ends: boolean;
  readonly fields: Omit<Changes<Subscription>, 'items'>;
}

function trialOf(
  account: Account,
  subscription: Subscription,
  { trialEnd }: SubscriptionUpdate,
): TrialChange {
  const isTrialing = subscription.status === 'trialing';
  if (trialEnd === undefined)
    return { end: isTrialing ? subscription.trial_end : null, ends: false, fields: {} };
  if (trialEnd === null) {
    if (!isTrialing) return { end: null, ends: false, fields: {} };
    return { end: null, ends: true, fields: { trial_end: account.now, status: 'active' } };
  }
  const trial_start = isTrialing ? subscription.trial_start : account.now;
  const fields = {
    trial_end: trialEnd,
    trial_start,
    status: 'trialing' as const,
    billing_cycle_anchor: trialEnd,
  };
  return { end: trialEnd, ends: false, fields };
}

function intervalsDiffer(before: readonly SubscriptionItem[], after: readonly SubscriptionItem[]): boolean {
  return after.some((item) => {
    const was = before.find(({ id }) => id === item.id);
    if (was === undefined) return false;
    const [one, other] = [was.price.recurring, item.price.recurring];
    return one?.interval !== other?.interval || one?.interval_count !== other?.interval_count;
  });
}

function withPeriod(
  account: Account,
  item: SubscriptionItem,
  subscription: Subscription,
  resets: boolean,
  trialEnd: number | null,
): SubscriptionItem {
  const { recurring } = item.price;
  if (recurring === null)
    throw invalidRequest('The price specified is not recurring.', { param: 'items[0][price]' });
  if (trialEnd !== null) {
    return subscription.trial_end === trialEnd && subscription.status === 'trialing'
      ? { ...item, current_period_end: trialEnd }
      : { ...item, current_period_start: account.now, current_period_end: trialEnd };
  }
  if (!resets) return item;
  const end = endOfPeriod(recurring, account.now, account.now);
  return { ...item, current_period_start: account.now, current_period_end: end };
}
