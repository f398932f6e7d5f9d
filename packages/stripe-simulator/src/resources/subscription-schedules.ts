import { z } from 'zod';
import type { Account } from '../account.js';
import { invalidRequest, resourceMissing } from '../api-error.js';
import { endOfPeriod } from '../billing/periods.js';
import { attachSchedule, releaseSchedule, watchSchedule } from '../billing/schedules.js';
import { createSubscription } from '../billing/subscription-create.js';
import { endSubscription } from '../billing/subscription-end.js';
import { itemsOf, spanOf } from '../billing/subscription-object.js';
import { listOf } from '../http/lists.js';
import type { Router } from '../http/router.js';
import * as p from '../params.js';
import type { SubscriptionSchedule } from '../types.js';
import { customerOf } from './customers.js';
import { priceOf } from './prices.js';
import { type Phase, phaseObject, scheduleObject } from './subscription-schedule-object.js';
import { subscriptionOf } from './subscriptions.js';

const phase = z.strictObject({
  items: z
    .array(
      z.strictObject({
        price: p.text,
        quantity: p.integer.optional(),
        metadata: p.ignored,
        discounts: p.ignored,
        tax_rates: p.ignored,
      }),
    )
    .min(1),
  start_date: z.union([z.literal('now'), p.timestamp]).optional(),
  end_date: z.union([z.literal('now'), p.timestamp]).optional(),
  duration: z
    .strictObject({
      interval: z.enum(['day', 'week', 'month', 'year']),
      interval_count: p.integer.optional(),
    })
    .optional(),
  proration_behavior: z.enum(['always_invoice', 'create_prorations', 'none']).optional(),
  metadata: p.ignored,
  default_tax_rates: p.ignored,
  discounts: p.ignored,
  trial_end: p.ignored,
});
type PhaseParams = z.output<typeof phase>;
const end_behavior = z.enum(['cancel', 'release']).optional();

/** `/v1/subscription_schedules`: what a subscription is to become, phase by phase. */
export function subscriptionScheduleRoutes(router: Router, account: Account): void {
  const { subscriptionSchedules } = account;
  const path = '/v1/subscription_schedules';
  const create = z.strictObject({
    customer: p.text.optional(),
    default_settings: p.ignored,
    end_behavior,
    from_subscription: p.text.optional(),
    metadata: p.metadata.optional(),
    phases: z.array(phase).optional(),
    start_date: z.union([z.literal('now'), p.timestamp]).optional(),
    billing_mode: p.ignored,
    expand: p.expand,
  });
  router.on('POST', path, create, (params) => {
    if (params.from_subscription !== undefined) return fromSubscription(account, params.from_subscription);
    if (params.customer === undefined || params.phases === undefined) {
      throw invalidRequest('Missing required param: customer.', {
        code: 'parameter_missing',
        param: 'customer',
      });
    }
    if (typeof params.start_date === 'number' && params.start_date > account.now) {
      throw invalidRequest('The simulator starts schedules now only.', { param: 'start_date' });
    }
    return fromPhases(
      account,
      params.customer,
      params.phases,
      params.end_behavior ?? 'release',
      params.metadata ?? {},
    );
  });
  const list = z.strictObject({ ...p.cursor, customer: p.text.optional(), created: p.range });
  router.on('GET', path, list, (params) =>
    listOf(path, subscriptionSchedules, params, {
      by: params.customer === undefined ? undefined : ['customer', params.customer],
      where: (row) => p.isWithin(params.created, row.created),
    }),
  );
  router.on('GET', `${path}/:id`, z.strictObject({ expand: p.expand }), (_, { id }) =>
    scheduleOf(account, id),
  );
  const update = z.strictObject({
    default_settings: p.ignored,
    end_behavior,
    metadata: p.emptyable(p.metadata).optional(),
    phases: z.array(phase).min(1).optional(),
    proration_behavior: p.ignored,
    expand: p.expand,
  });
  router.on('POST', `${path}/:id`, update, (params, { id }) => {
    const before = scheduleOf(account, id);
    refuseEnded(before);
    const start = before.phases[0]?.start_date ?? account.now;
    const phases = params.phases === undefined ? before.phases : phasesOf(account, params.phases, start);
    const current = phases.find((one) => one.start_date <= account.now && account.now < one.end_date);
    const after = account.change(
      subscriptionSchedules,
      id,
      {
        phases,
        end_behavior: params.end_behavior ?? before.end_behavior,
        metadata: p.mergeMetadata(before.metadata ?? {}, params.metadata),
        current_phase:
          current === undefined ? null : { start_date: current.start_date, end_date: current.end_date },
      },
      'subscription_schedule.updated',
    );
    watchSchedule(account, after);
    return after;
  });
  router.on(
    'POST',
    `${path}/:id/release`,
    z.strictObject({ preserve_cancel_date: p.ignored, expand: p.expand }),
    (_, { id }) => {
      const schedule = scheduleOf(account, id);
      refuseEnded(schedule);
      return releaseSchedule(account, schedule);
    },
  );
  const cancel = z.strictObject({ invoice_now: p.ignored, prorate: p.ignored, expand: p.expand });
  router.on('POST', `${path}/:id/cancel`, cancel, (_, { id }) => {
    const schedule = scheduleOf(account, id);
    refuseEnded(schedule);
    const changes = { status: 'canceled' as const, canceled_at: account.now, current_phase: null };
    const canceled = account.change(subscriptionSchedules, id, changes);
    account.emit('subscription_schedule.canceled', canceled);
    const subscription = account.subscriptions.find(schedule.subscription ?? '');
    if (subscription !== undefined) endSubscription(account, subscription, 'cancellation_requested');
    return canceled;
  });
}

/** @throws ApiError 404 */
function scheduleOf(account: Account, id: string): SubscriptionSchedule {
  const schedule = account.subscriptionSchedules.find(id);
  if (schedule === undefined) throw resourceMissing('subscription_schedule', id);
  return schedule;
}

function refuseEnded({ status }: SubscriptionSchedule): void {
  if (status === 'active' || status === 'not_started') return;
  throw invalidRequest(
    `You cannot change a subscription schedule that is currently in the \`${status}\` status.`,
  );
}

/** A schedule of one phase that is what the subscription is now, until its period ends. */
function fromSubscription(account: Account, id: string): SubscriptionSchedule {
  const subscription = subscriptionOf(account, id, 'from_subscription');
  if (subscription.schedule !== null) {
    throw invalidRequest('You cannot migrate a subscription that is already attached to a schedule.');
  }
  const items = itemsOf(account, subscription);
  const { start, end } = spanOf(items);
  const prices = items.map((item) => ({ price: item.price.id, quantity: item.quantity }));
  const only = phaseObject(subscription.currency, prices, { start, end }, 'create_prorations');
  return attachSchedule(
    account,
    scheduleObject(account, { subscription, phases: [only], endBehavior: 'release', metadata: {} }),
  );
}

function fromPhases(
  account: Account,
  customerId: string,
  params: readonly PhaseParams[],
  endBehavior: 'cancel' | 'release',
  metadata: Readonly<Record<string, string>>,
): SubscriptionSchedule {
  const customer = customerOf(account, customerId, 'customer');
  const phases = phasesOf(account, params, account.now);
  const items = (params[0]?.items ?? []).map(({ price, quantity }) => ({
    price: priceOf(account, price, 'phases[0][items]'),
    quantity,
    metadata: {},
    discounts: [],
  }));
  const subscription = createSubscription(account, {
    customer,
    items,
    once: [],
    anchor: null,
    backdatedTo: null,
    billingMode: 'flexible',
    cancelAt: null,
    cancelAtPeriodEnd: 'no',
    collection: 'charge_automatically',
    daysUntilDue: null,
    description: null,
    discounts: [],
    metadata: {},
    method: null,
    missingMethod: 'create_invoice',
    behaviour: 'allow_incomplete',
    presence: 'off_session',
    saveMethod: 'off',
    trialEnd: null,
    told: 'after_payment',
  });
  return attachSchedule(account, scheduleObject(account, { subscription, phases, endBehavior, metadata }));
}

/** Phases one after the other, each as long as it says: until a date, for a duration, else for one interval of its price. */
function phasesOf(account: Account, params: readonly PhaseParams[], start: number): readonly Phase[] {
  let from = start;
  return params.map(({ items, start_date, end_date, duration, proration_behavior }, index) => {
    if (typeof start_date === 'number') from = start_date;
    const first = priceOf(account, items[0]?.price ?? '', `phases[${index}][items][0][price]`);
    for (const { price } of items) priceOf(account, price, `phases[${index}][items]`);
    const length =
      duration === undefined
        ? first.recurring
        : { ...MONTHLY, interval: duration.interval, interval_count: duration.interval_count ?? 1 };
    const end = typeof end_date === 'number' ? end_date : endOfPeriod(length ?? MONTHLY, from, from);
    if (end <= from)
      throw invalidRequest('A phase must end after it starts.', { param: `phases[${index}][end_date]` });
    const made = phaseObject(
      first.currency,
      items,
      { start: from, end },
      proration_behavior ?? 'create_prorations',
    );
    from = end;
    return made;
  });
}

const MONTHLY = {
  interval: 'month',
  interval_count: 1,
  meter: null,
  trial_period_days: null,
  usage_type: 'licensed',
} as const;
