import type { Account } from '../account.js';
import { planOf } from '../resources/prices.js';
import { type Phase, phaseObject, scheduleObject } from '../resources/subscription-schedule-object.js';
import type { Subscription, SubscriptionItem, SubscriptionSchedule } from '../types.js';
import { endOfPeriod } from './periods.js';
import { endSubscription } from './subscription-end.js';
import { changeSubscription, hasEnded, itemObject, itemsOf, spanOf } from './subscription-object.js';
import { updateSubscription } from './subscription-update.js';

const DAY = 86_400;

/** Watches the phases of a schedule as they are now; those of an earlier version of it are passed over when they come. */
export function watchSchedule(account: Account, { id, phases }: SubscriptionSchedule): void {
  for (const phase of phases) {
    if (phase.start_date > account.now) account.at(phase.start_date, () => catchUp(account, id));
  }
  const end = phases.at(-1)?.end_date;
  if (end === undefined) return;
  account.at(end, () => catchUp(account, id));
  account.at(Math.max(account.now, end - 7 * DAY), () => {
    const due = account.subscriptionSchedules.find(id);
    if (due?.status === 'active' && due.phases.at(-1)?.end_date === end) {
      account.emit('subscription_schedule.expiring', due);
    }
  });
}

/** Brings a schedule to the phase of this second, or to its end. */
function catchUp(account: Account, id: string): void {
  const schedule = account.subscriptionSchedules.find(id);
  if (schedule === undefined || (schedule.status !== 'active' && schedule.status !== 'not_started')) return;
  const subscription = account.subscriptions.find(schedule.subscription ?? '');
  if (subscription === undefined || hasEnded(subscription)) return;
  const phase = schedule.phases.find((one) => one.start_date <= account.now && account.now < one.end_date);
  if (phase === undefined) {
    if ((schedule.phases.at(-1)?.end_date ?? 0) <= account.now) finish(account, schedule, subscription);
    return;
  }
  if (schedule.current_phase?.start_date === phase.start_date) return;
  const current_phase = { start_date: phase.start_date, end_date: phase.end_date };
  account.change(
    account.subscriptionSchedules,
    id,
    { current_phase, status: 'active' },
    'subscription_schedule.updated',
  );
  enter(account, subscription, phase);
}

function finish(account: Account, schedule: SubscriptionSchedule, subscription: Subscription): void {
  if (schedule.end_behavior === 'cancel') {
    const completed = account.change(account.subscriptionSchedules, schedule.id, {
      status: 'completed',
      completed_at: account.now,
      current_phase: null,
    });
    account.emit('subscription_schedule.completed', completed);
    endSubscription(account, subscription, 'cancellation_requested');
    return;
  }
  releaseSchedule(account, schedule);
}

/** Leaves the subscription as it is; `subscription_schedule.released`. */
export function releaseSchedule(account: Account, schedule: SubscriptionSchedule): SubscriptionSchedule {
  const released = account.change(account.subscriptionSchedules, schedule.id, {
    status: 'released',
    released_at: account.now,
    released_subscription: schedule.subscription,
    subscription: null,
    current_phase: null,
  });
  account.emit('subscription_schedule.released', released);
  if (schedule.subscription !== null) changeSubscription(account, schedule.subscription, { schedule: null });
  return released;
}

/** The subscription has what a phase says from now on; at the end of a period nothing is prorated, for nothing is left of it. */
function enter(account: Account, subscription: Subscription, phase: Phase): void {
  const before = itemsOf(account, subscription);
  const items = itemsOfPhase(account, subscription, before, phase);
  const isAtPeriodEnd = spanOf(before).end <= account.now;
  if (isAtPeriodEnd) {
    changeSubscription(account, subscription.id, { items });
    return;
  }
  updateSubscription(account, subscription, {
    items,
    fields: {},
    proration: phase.proration_behavior,
    prorationDate: null,
    behaviour: 'allow_incomplete',
    presence: 'off_session',
    resetsCycle: 'no',
    trialEnd: undefined,
  });
}

/** An item keeps its id while its price stays, or when it is the only one before and after. */
function itemsOfPhase(
  account: Account,
  subscription: Subscription,
  before: readonly SubscriptionItem[],
  phase: Phase,
): readonly SubscriptionItem[] {
  const [only] = before;
  const isSingle = before.length === 1 && phase.items.length === 1;
  return phase.items.flatMap(({ price: id, quantity }): SubscriptionItem[] => {
    const price = account.prices.find(id);
    if (price === undefined) return [];
    const kept = before.find((item) => item.price.id === id) ?? (isSingle ? only : undefined);
    if (kept === undefined) {
      return [
        itemObject(
          account,
          subscription.id,
          { price, quantity, metadata: {}, discounts: [] },
          spanOf(before),
        ),
      ];
    }
    const amount = price.recurring?.usage_type === 'metered' ? {} : { quantity: quantity ?? 1 };
    return [{ ...kept, price, plan: planOf(price), ...amount }];
  });
}

/** Attaches a schedule to its subscription. */
export function attachSchedule(account: Account, schedule: SubscriptionSchedule): SubscriptionSchedule {
  account.add(account.subscriptionSchedules, schedule, 'subscription_schedule.created');
  changeSubscription(account, schedule.subscription ?? '', { schedule: schedule.id });
  watchSchedule(account, schedule);
  return schedule;
}

/** A schedule by which other items hold from the end of the period on. */
function changeAtPeriodEnd(
  account: Account,
  subscription: Subscription,
  items: readonly SubscriptionItem[],
): void {
  const before = itemsOf(account, subscription);
  const { start, end } = spanOf(before);
  const recurring = items[0]?.price.recurring ?? null;
  if (recurring === null) throw new Error('a subscription has recurring prices');
  const pricesOf = (of: readonly SubscriptionItem[]): Parameters<typeof phaseObject>[1] =>
    of.map(({ price, quantity }) => ({ price: price.id, quantity }));
  const next = { start: end, end: endOfPeriod(recurring, end, end) };
  const phases = [
    phaseObject(subscription.currency, pricesOf(before), { start, end }, 'none'),
    phaseObject(subscription.currency, pricesOf(items), next, 'none'),
  ];
  attachSchedule(
    account,
    scheduleObject(account, { subscription, phases, endBehavior: 'release', metadata: {} }),
  );
}

/** Lets schedules set what a new period begins with, and end with their subscription. */
export function followSchedules(account: Account): void {
  account.react((happening) => {
    if (happening.kind === 'change_at_period_end') {
      changeAtPeriodEnd(account, happening.subscription, happening.items);
    }
    if (happening.kind === 'period_ending') {
      const { schedule } = happening.subscription;
      if (schedule !== null) catchUp(account, schedule);
    }
    if (happening.kind === 'subscription_ended') {
      for (const schedule of account.subscriptionSchedules.select({
        by: ['customer', happening.subscription.customer],
      })) {
        if (schedule.subscription !== happening.subscription.id || schedule.status !== 'active') continue;
        const changes = { status: 'canceled' as const, canceled_at: account.now, current_phase: null };
        const aborted = account.change(account.subscriptionSchedules, schedule.id, changes);
        account.emit('subscription_schedule.aborted', aborted);
      }
    }
  });
}
