import type { AccessRule } from '../subscription-access.js';
import type { PolicyRule } from './policy-rule.js';

/** The rules that decide what one subscription gives, by code. */
export const SUBSCRIPTION_RULES = {
  first_period: {
    title: 'The first plan of a subscription counts at once',
    words: '{subscription} gives {plan}, which it was first seen with on {period.since:day}.',
    given: 'plus is bought on 1 November and paid.',
    example: 'sub_1 gives plus, which it was first seen with on 1 November 2026.',
  },
  first_asks_nothing: {
    title: 'A first plan that asks for nothing in advance waits for no money',
    words:
      '{subscription} gives {plan}, which it was first seen with on {period.since:day}: the price {period.price} asks for nothing in advance.',
    given: 'pro by usage is bought by an invoice that is sent, under `sendInvoice: onPaid`.',
    example:
      'sub_1 gives pro, which it was first seen with on 1 November 2026: the price pro_usage asks for nothing in advance.',
  },
  first_delayed_payment_came: {
    title: 'The money of a delayed payment arrived',
    words:
      '{subscription} gives {plan}: the money of the session {period.session} arrived on {period.sessionAt:day}.',
    given: 'plus is bought by a bank debit, under `delayedPayment: onPaid`, and the money arrives.',
    example: 'sub_1 gives plus: the money of the session cs_1 arrived on 4 November 2026.',
  },
  first_paid_for: {
    title: 'The first plan was paid for',
    words: '{subscription} gives {plan}: the invoice {paid.invoice} of {paid.on:day} was paid.',
    given: 'plus is bought by an invoice that is sent, under `sendInvoice: onPaid`, and that is paid.',
    example: 'sub_1 gives plus: the invoice in_1 of 1 November 2026 was paid.',
  },
  first_period_in_trial: {
    title: 'In a trial the first plan counts while its payment is awaited',
    words: '{subscription} gives {plan} in its trial, while its first payment is awaited.',
    given: 'a trial of plus begins by an invoice that is sent, under `sendInvoice: onPaid`.',
    example:
      'sub_1 gives plus in its trial, while its first payment is awaited. sub_1 is paid by invoices that are sent; plus waits for that.',
  },
  first_payment_awaited: {
    title: 'The first payment is awaited',
    words: '{subscription} gives nothing until its first payment arrives.',
    given: 'plus is bought by a bank debit, under `delayedPayment: onPaid`.',
    example:
      'sub_1 gives nothing until its first payment arrives. The money for plus of sub_1 has not arrived; the plan waits for it.',
  },
  paid_for: {
    title: 'A move to a plan that was paid for',
    words:
      '{subscription} gives {plan}: it moved to it on {period.since:day}, and the invoice {paid.invoice} of {paid.on:day} was paid for it.',
    given: 'plus moves to pro on 4 November, and the invoice for that is paid.',
    example:
      'sub_1 gives pro: it moved to it on 4 November 2026, and the invoice in_2 of 4 November 2026 was paid for it.',
  },
  still_paid_for: {
    title: 'A move back to a plan that is still paid for',
    words:
      '{subscription} gives {plan}: it moved to it on {period.since:day}, and the invoice {paid.invoice} of {paid.on:day} had paid for it until {paid.until:day}.',
    given: 'pro moves to plus on 4 November and back on the day after, before any invoice credits pro.',
    example:
      'sub_1 gives pro: it moved to it on 5 November 2026, and the invoice in_1 of 1 November 2026 had paid for it until 1 December 2026.',
  },
  payment_not_required: {
    title: 'The policy asks for no payment before an upgrade',
    words:
      '{subscription} gives {plan}, which it moved to on {period.since:day}: no payment is required before an upgrade.',
    given: 'plus moves to pro on 4 November, under `requirePaymentForUpgrade: false`.',
    example:
      'sub_1 gives pro, which it moved to on 4 November 2026: no payment is required before an upgrade.',
  },
  in_trial: {
    title: 'A plan that was there in a trial needs no payment',
    words:
      '{subscription} gives {plan}, which it moved to on {period.since:day}: it was in its trial on {period.trialed:day}.',
    given: 'a trial of plus moves to pro on 4 November.',
    example: 'sub_1 gives pro, which it moved to on 4 November 2026: it was in its trial on 4 November 2026.',
  },
  asks_nothing_in_advance: {
    title: 'A move to a price that asks for nothing in advance',
    words:
      '{subscription} gives {plan}, which it moved to on {period.since:day}: the price {period.price} asks for nothing in advance.',
    given: 'plus moves to pro by usage on 4 November.',
    example:
      'sub_1 gives pro, which it moved to on 4 November 2026: the price pro_usage asks for nothing in advance.',
  },
  ranks_no_higher: {
    title: 'A move to a plan that ranks no higher',
    words:
      '{subscription} gives {plan}, which it moved to on {period.since:day} from {period.after.plan}: that ranks no lower, so nothing has to be paid first.',
    given: 'pro moves to plus on 4 November.',
    example:
      'sub_1 gives plus, which it moved to on 4 November 2026 from pro: that ranks no lower, so nothing has to be paid first.',
  },
  not_invoiced: {
    title: 'An upgrade that no invoice asked money for',
    words:
      '{subscription} gives {plan}, which it moved to on {period.since:day}: no invoice asked for money since, and the policy allows an upgrade without one.',
    given: 'plus moves to pro on 4 November without an invoice, under `upgradeWithoutInvoice: allow`.',
    example:
      'sub_1 gives pro, which it moved to on 4 November 2026: no invoice asked for money since, and the policy allows an upgrade without one.',
  },
  no_plan_item: {
    title: 'No price of a plan is held',
    words:
      '{subscription} gives no plan: none of its prices is of a plan[; of no plan and no add-on are {unmapped}].',
    given: 'a subscription holds seats and a price that the plan file does not know.',
    example: 'sub_1 gives no plan: none of its prices is of a plan; of no plan and no add-on are other_m.',
  },
  paid_time_left: {
    title: 'What was paid for stays',
    words:
      '{subscription} is {status}, and gives {plan} still: the invoice {paid.invoice} of {paid.on:day} paid for it until {paid.until}.',
    given: 'a year of plus is paid, and a month later what came on top is unpaid.',
    example:
      'sub_1 is unpaid, and gives plus still: the invoice in_1 of 1 November 2026 paid for it until 1 November 2027, 09:40 UTC.',
  },
  paid_time_left_of_other_plan: {
    title: 'Of several plans the highest that is paid for stays',
    words:
      '{subscription} is {status}, and gives {plan} still[, not {period.plan}]: the invoice {paid.invoice} of {paid.on:day} paid for it until {paid.until}.',
    given: 'a year of plus moves to pro under `requirePaymentForUpgrade: false`, and is unpaid.',
    example:
      'sub_1 is unpaid, and gives plus still, not pro: the invoice in_1 of 1 November 2026 paid for it until 1 November 2027, 09:40 UTC.',
  },
  written_off: {
    title: 'An invoice was given up unpaid',
    words:
      '{subscription} gives nothing: the invoice {writtenOff.invoice} of {writtenOff.on:day} was given up unpaid, and none was paid since.',
    given: 'the second month of plus is marked uncollectible after four attempts.',
    example:
      'sub_1 gives nothing: the invoice in_2 of 1 December 2026 was given up unpaid, and none was paid since.',
  },
  disputed: {
    title: 'A payment is disputed, or the dispute was lost',
    words:
      '{subscription} gives nothing: the invoice {takenBack.invoice} of {takenBack.on:day} was taken back by the dispute {takenBack.dispute} ({takenBack.status}), and none was paid since.',
    given: 'the payment of plus is disputed.',
    example:
      'sub_1 gives nothing: the invoice in_1 of 1 November 2026 was taken back by the dispute du_1 (needs_response), and none was paid since.',
  },
  refunded_in_full: {
    title: 'A payment was refunded in full, and the policy suspends',
    words:
      '{subscription} gives nothing: the invoice {takenBack.invoice} of {takenBack.on:day} was refunded in full, and none was paid since.',
    given: 'the payment of plus is refunded in full, under `fullRefund: suspend`.',
    example:
      'sub_1 gives nothing: the invoice in_1 of 1 November 2026 was refunded in full, and none was paid since.',
  },
  grace_over: {
    title: 'Grace is over',
    words: '{subscription} gives nothing: it is past due, and its grace ended on {grace.until}.',
    given: 'the second month of plus is past due for more than seven days.',
    example: 'sub_1 gives nothing: it is past due, and its grace ended on 8 December 2026, 09:40 UTC.',
  },
  status_unpaid: {
    title: 'Stripe says unpaid',
    words: '{subscription} gives nothing: it is unpaid, and nothing that was paid covers today.',
    given: 'the second month of plus is unpaid.',
    example: 'sub_1 gives nothing: it is unpaid, and nothing that was paid covers today.',
  },
  trial_over: {
    title: 'The trial is over',
    words:
      '{subscription} gives nothing: its trial ended on {trial.end}, and Stripe has said nothing of it by {trial.until}.',
    given: 'a trial of plus ends on 15 November, and no event tells how it went on.',
    example:
      'sub_1 gives nothing: its trial ended on 15 November 2026, 09:40 UTC, and Stripe has said nothing of it by 16 November 2026, 09:40 UTC.',
  },
  cancellation_reached: {
    title: 'The time of a cancellation is reached',
    words: '{subscription} gives nothing: it was to end on {cancel.at}.',
    given: 'plus is to be cancelled on 11 November, and no event tells that it was.',
    example: 'sub_1 gives nothing: it was to end on 11 November 2026, 09:40 UTC.',
  },
  collection_paused: {
    title: 'Collection is paused, and the policy suspends',
    words: '{subscription} gives nothing while the collection of its payments is paused.',
    given: 'the collection of plus is paused, under `pauseCollection: suspend`.',
    example: 'sub_1 gives nothing while the collection of its payments is paused.',
  },
  status_paused: {
    title: 'Stripe says paused',
    words: '{subscription} gives nothing: it is paused since {seenAt:day} or before.',
    given: 'a trial of plus ends without a card, and Stripe pauses it.',
    example: 'sub_1 gives nothing: it is paused since 15 November 2026 or before.',
  },
  status_incomplete: {
    title: 'The first payment was never made',
    words: '{subscription} gives nothing: its first payment was not made, Stripe says {status}.',
    given: 'plus is bought, and the first payment fails.',
    example: 'sub_1 gives nothing: its first payment was not made, Stripe says incomplete.',
  },
  status_canceled: {
    title: 'The subscription was cancelled',
    words: '{subscription} gives nothing: it was cancelled, as Stripe said on {statusSeenAt:day}.',
    given: 'plus is cancelled on 4 November.',
    example: 'sub_1 gives nothing: it was cancelled, as Stripe said on 4 November 2026.',
  },
  customer_deleted: {
    title: 'The customer was deleted',
    words: '{subscription} gives nothing: its customer[ {customer}] was deleted at Stripe, which ends it.',
    given: 'the customer of a subscription to plus is deleted.',
    example: 'sub_1 gives nothing: its customer cus_1 was deleted at Stripe, which ends it.',
  },
  status_unknown: {
    title: 'A status that Tenure does not know',
    words: '{subscription} gives nothing: Stripe says {status}, a status that Tenure does not know.',
    given: 'Stripe says `frozen` of a subscription to plus.',
    example: 'sub_1 gives nothing: Stripe says frozen, a status that Tenure does not know.',
  },
  status_active: {
    title: 'Stripe says active',
    words: '{subscription} is active, as Stripe said on {seenAt:day}.',
    given: 'plus is bought on 1 November and paid.',
    example: 'sub_1 is active, as Stripe said on 1 November 2026.',
  },
  status_trialing: {
    title: 'Stripe says trialing',
    words: '{subscription} is in its trial[, which ends on {trial.end}].',
    given: 'a trial of plus begins on 1 November.',
    example: 'sub_1 is in its trial, which ends on 15 November 2026, 09:40 UTC.',
  },
  status_past_due: {
    title: 'Past due, and no clock of ours counts',
    words: '{subscription} is past due; it has a test clock at Stripe, so its grace does not end by itself.',
    given: 'plus with a test clock is past due.',
    example: 'sub_1 is past due; it has a test clock at Stripe, so its grace does not end by itself.',
  },
  never_seen: {
    title: 'A subscription that was never seen itself',
    words: '{subscription} gives nothing: only invoices or sessions that name it were seen yet.',
    given: 'of a subscription nothing but a paid invoice was seen.',
    example: 'sub_1 gives nothing: only invoices or sessions that name it were seen yet.',
  },
} as const satisfies Readonly<Record<AccessRule | 'never_seen', PolicyRule>>;
