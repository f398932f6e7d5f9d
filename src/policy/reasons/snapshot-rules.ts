import type { CombinationRule } from './combination-rules.js';
import type { PolicyRule } from './policy-rule.js';
import { TIME_RULES } from './time-rules.js';

/** The rules that decide a part of the snapshot from what all subscriptions give, by code. */
export const SNAPSHOT_RULES = {
  only_plan: {
    title: 'One subscription, purchase or grant gives a plan',
    words: 'The plan is {plan}, of the {sourceType} {source}, which alone gives one.',
    given: 'plus is bought on 1 November and paid.',
    example: 'The plan is plus, of the subscription sub_1, which alone gives one.',
  },
  highest_rank: {
    title: 'The highest rank gives the plan',
    words:
      'The plan is {plan}, of the {sourceType} {source}: it ranks above {next.plan} of the {next.sourceType} {next.source}.',
    given: 'plus and pro are bought, each by a subscription of its own.',
    example: 'The plan is pro, of the subscription sub_2: it ranks above plus of the subscription sub_1.',
  },
  better_status: {
    title: 'Of equal ranks active comes before trialing, then granted, then past due',
    words:
      'The plan is {plan}, of the {sourceType} {source}: it is {status}, which comes before {next.status} of the {next.sourceType} {next.source}.',
    given: 'plus is bought twice, and one of the two is past due.',
    example:
      'The plan is plus, of the subscription sub_2: it is active, which comes before past_due of the subscription sub_1.',
  },
  later_end: {
    title: 'Of equal ranks and statuses the later end counts, no end of a purchase or grant as the latest',
    words:
      'The plan is {plan}, of the {sourceType} {source}, which lasts longer than the {next.sourceType} {next.source}[, until {periodEnd}].',
    given: 'plus is bought twice, once for a year.',
    example:
      'The plan is plus, of the subscription sub_2, which lasts longer than the subscription sub_1, until 1 November 2027, 09:40 UTC.',
  },
  smaller_id: {
    title: 'Of what is equal the smallest id counts',
    words:
      'The plan is {plan}, of the {sourceType} {source}: the {next.sourceType} {next.source} gives the same, and its id is greater.',
    given: 'plus is bought twice on the same day.',
    example:
      'The plan is plus, of the subscription sub_1: the subscription sub_2 gives the same, and its id is greater.',
  },
  default_plan: {
    title: 'The default plan is for everyone',
    words: 'The plan is {plan}, the default: nothing else gives one.',
    given: 'nothing was bought.',
    example: 'The plan is free, the default: nothing else gives one.',
  },
  default_plan_ranks_higher: {
    title: 'What ranks below the default plan gives way to it',
    words:
      'The plan is {plan}, the default: it ranks above {next.plan} of the {next.sourceType} {next.source}.',
    given: 'the plan basic, which ranks below the default, is bought.',
    example: 'The plan is free, the default: it ranks above basic of the subscription sub_1.',
  },
  grace_paid_before: {
    title: 'Grace of who paid before',
    words:
      '{subscription} is past due since {grace.since:day}. It was paid before, so it has {grace.days} days of grace, until {grace.until}.',
    given: 'the second month of plus is past due.',
    example:
      'sub_1 is past due since 1 December 2026. It was paid before, so it has 7 days of grace, until 8 December 2026, 09:40 UTC.',
  },
  grace_after_trial: {
    title: 'Grace after a trial',
    words:
      '{subscription} is past due since {grace.since:day}. It was in a trial and never paid, so it has {grace.days} days of grace, until {grace.until}.',
    given: 'the first payment after a trial of plus fails, under `trialGraceDays: 3`.',
    example:
      'sub_1 is past due since 15 November 2026. It was in a trial and never paid, so it has 3 days of grace, until 18 November 2026, 09:40 UTC.',
  },
  grace_never_paid: {
    title: 'Grace of who never paid',
    words:
      '{subscription} is past due since {grace.since:day}. It was never paid, so it has {grace.days} days of grace, until {grace.until}.',
    given: 'the very first payment of plus fails, under `neverPaidGraceDays: 2`.',
    example:
      'sub_1 is past due since 1 November 2026. It was never paid, so it has 2 days of grace, until 3 November 2026, 09:40 UTC.',
  },
  grace_unknown_past: {
    title: 'Grace of whose beginning was not seen',
    words:
      '{subscription} is past due since {grace.since:day}. How it began was not seen, so it has {grace.days} days of grace, until {grace.until}.',
    given: 'a subscription to plus is seen for the first time when it is past due.',
    example:
      'sub_1 is past due since 1 December 2026. How it began was not seen, so it has 7 days of grace, until 8 December 2026, 09:40 UTC.',
  },
  past_due_while_paid: {
    title: 'Who still has what was paid for counts as past due',
    words: '{subscription} counts as past due while what was paid for covers: until {paid.until}.',
    given: 'a year of plus is paid, and a month later what came on top is unpaid.',
    example: 'sub_1 counts as past due while what was paid for covers: until 1 November 2027, 09:40 UTC.',
  },
  nothing_to_say: {
    title: 'Nothing that was bought gives a plan, and none says why',
    words: 'The status is none: nothing that was bought gives a plan or says what became of it.',
    given: 'nothing was bought.',
    example: 'The status is none: nothing that was bought gives a plan or says what became of it.',
  },
  feature_of_plan: {
    title: 'A feature of a plan',
    words: '{key} comes with {plan} of the {sourceType} {source}.',
    given: 'plus, which has export, is bought.',
    example: 'export comes with plus of the subscription sub_1.',
  },
  feature_of_default_plan: {
    title: 'A feature of the default plan',
    words: '{key} comes with the default plan {plan}.',
    given: 'nothing was bought, and the default plan has reports.',
    example: 'reports comes with the default plan free.',
  },
  feature_of_grant: {
    title: 'A feature of a grant',
    words: '{key} comes with the grant {source}.',
    given: 'nothing was bought, and export is granted.',
    example: 'export comes with the grant gr_1.',
  },
  feature_of_addon: {
    title: 'A feature of an add-on',
    words: '{key} comes with the add-on {addon} of the {sourceType} {source}.',
    given: 'plus is bought with the add-on audit.',
    example: 'audit comes with the add-on audit of the subscription sub_1.',
  },
  feature_not_held: {
    title: 'A feature that nothing gives',
    words: '{key} comes with neither {plan} nor an add-on that is held[; it comes with {comesWith}].',
    given: 'plus is bought, and export is asked for, which comes with pro.',
    example: 'api comes with neither plus nor an add-on that is held; it comes with pro.',
  },
  limit_of_plan: {
    title: 'The greatest limit of the plans',
    words: '{key} is {limit} by {plan} of the {sourceType} {source}.',
    given: 'plus is bought, which allows 500 members.',
    example: 'members is 500 by plus of the subscription sub_1.',
  },
  limit_of_default_plan: {
    title: 'The limit of the default plan',
    words: '{key} is {limit} by the default plan {plan}.',
    given: 'nothing was bought, and the default plan allows 50 members.',
    example: 'members is 50 by the default plan free.',
  },
  limit_per_unit: {
    title: 'A limit by the unit',
    words:
      '{key} is {limit} by {plan} of the {sourceType} {source}, which gives of it for each of {units} units.',
    given: 'three units of team are bought, each for 100 members.',
    example: 'members is 300 by team of the subscription sub_1, which gives of it for each of 3 units.',
  },
  limit_of_grant: {
    title: 'The limit of a grant, where it is the greatest',
    words: '{key} is {limit} by the grant {source}.',
    given: 'nothing was bought, and 60 members are granted.',
    example: 'members is 60 by the grant gr_1.',
  },
  limit_with_addons: {
    title: 'Add-ons come on top of the greatest limit',
    words: '{key} is {limit}: {greatest}[ by {plan}], and on top {addons}.',
    given: 'plus is bought with two units of seats, each for 10 members.',
    example: 'members is 520: 500 by plus, and on top 2 × seats.',
  },
  limit_not_held: {
    title: 'A limit that nothing gives',
    words: 'Neither {plan} nor an add-on that is held gives of {key}[; it comes with {comesWith}].',
    given: 'nothing was bought, and projects are asked for, which pro alone has.',
    example: 'Neither free nor an add-on that is held gives of projects; it comes with pro.',
  },
  key_unknown: {
    title: 'A key that the catalogue does not have',
    words: 'The plan catalogue has no feature and no limit of the name {key}.',
    given: 'teleport is asked for.',
    example: 'The plan catalogue has no feature and no limit of the name teleport.',
  },
  pending_taken_back: {
    title: 'What was paid for an upgrade was taken back',
    words:
      'The invoice {takenBack.invoice} of {takenBack.on:day} was taken back[ by the dispute {takenBack.dispute}]; {plan} waits until it is paid again.',
    given: 'plus moves to pro on 4 November, that is paid, and the payment is disputed on 6 November.',
    example:
      'The invoice in_2 of 4 November 2026 was taken back by the dispute du_1; pro waits until it is paid again.',
  },
  pending_bank_debit: {
    title: 'A bank debit has not arrived',
    words: 'The money for {plan} of {subscription} has not arrived; the plan waits for it.',
    given: 'plus is bought by a bank debit, under `delayedPayment: onPaid`.',
    example: 'The money for plus of sub_1 has not arrived; the plan waits for it.',
  },
  pending_sent_invoice: {
    title: 'An invoice that was sent is not paid',
    words:
      '{subscription} is paid by invoices that are sent[, and {invoice} of {invoicedOn:day} was not paid]; {plan} waits for that.',
    given: 'plus is bought by an invoice that is sent, under `sendInvoice: onPaid`.',
    example:
      'sub_1 is paid by invoices that are sent, and in_1 of 1 November 2026 was not paid; plus waits for that.',
  },
  pending_no_invoice: {
    title: 'No invoice asks for an upgrade yet',
    words:
      '{subscription} asked for {plan} on {since:day}, and no open invoice asks for its price; {plan} waits until it is paid.',
    given: 'plus moves to pro on 4 November with prorations, which no invoice bills yet.',
    example:
      'sub_1 asked for pro on 4 November 2026, and no open invoice asks for its price; pro waits until it is paid.',
  },
  pending_invoice_failed: {
    title: 'The payment of an upgrade failed',
    words: 'A payment of the invoice {invoice} of {invoicedOn:day} failed; {plan} waits for it.',
    given: 'plus moves to pro on 4 November, and the payment for that fails.',
    example: 'A payment of the invoice in_2 of 4 November 2026 failed; pro waits for it.',
  },
  pending_invoice_open: {
    title: 'The invoice of an upgrade is not paid',
    words: 'The invoice {invoice} of {invoicedOn:day} was not paid; {plan} waits for it.',
    given: 'plus moves to pro on 4 November, and the invoice for that is open.',
    example: 'The invoice in_2 of 4 November 2026 was not paid; pro waits for it.',
  },
  ...TIME_RULES,
} as const satisfies Readonly<Record<CombinationRule, PolicyRule>>;
