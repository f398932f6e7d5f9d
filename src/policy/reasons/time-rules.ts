import type { PolicyRule } from './policy-rule.js';

/** The rules that decide when a snapshot ends or changes by time alone, by code. */
export const TIME_RULES = {
  period_end_of_item: {
    title: 'A plan is paid or due again at the end of its period',
    words: 'The period of {price} of {subscription} ends on {at}.',
    given: 'plus is bought on 1 November and paid.',
    example: 'The period of plus_m of sub_1 ends on 1 December 2026, 09:40 UTC.',
  },
  end_of_paid_line: {
    title: 'What was paid for ends with its line',
    words: 'The invoice {invoice} of {invoicedOn:day} paid for {plan} until {at}.',
    given: 'a year of plus is paid, and a month later what came on top is unpaid.',
    example: 'The invoice in_1 of 1 November 2026 paid for plus until 1 November 2027, 09:40 UTC.',
  },
  cancel_at: {
    title: 'A cancellation at a time',
    words: '{subscription} is to be cancelled on {at}.',
    given: 'plus is to be cancelled on 11 November.',
    example: 'sub_1 is to be cancelled on 11 November 2026, 09:40 UTC.',
  },
  cancel_at_period_end: {
    title: 'A cancellation at the end of the period',
    words: '{subscription} is to be cancelled at the end of its period, on {at}.',
    given: 'plus is cancelled to the end of its period.',
    example: 'sub_1 is to be cancelled at the end of its period, on 1 December 2026, 09:40 UTC.',
  },
  trial_ends: {
    title: 'Access ends with the trial',
    words: 'The trial of {subscription} gives access until {at}, unless Stripe says more.',
    given: 'a trial of plus begins on 1 November.',
    example: 'The trial of sub_1 gives access until 16 November 2026, 09:40 UTC, unless Stripe says more.',
  },
  grace_ends: {
    title: 'Access ends with grace',
    words: 'The grace of {subscription} ends on {at}, unless it is paid.',
    given: 'the second month of plus is past due.',
    example: 'The grace of sub_1 ends on 8 December 2026, 09:40 UTC, unless it is paid.',
  },
  cancellation_comes: {
    title: 'Access ends with a cancellation',
    words: '{subscription} ends on {at}.',
    given: 'plus is cancelled to the end of its period.',
    example: 'sub_1 ends on 1 December 2026, 09:40 UTC.',
  },
  paid_time_ends: {
    title: 'Access changes with what was paid for',
    words: 'What was paid for of {subscription} changes on {at}.',
    given: 'a year of plus is paid, and a month later what came on top is unpaid.',
    example: 'What was paid for of sub_1 changes on 1 November 2027, 09:40 UTC.',
  },
  end_of_grant: {
    title: 'A plan that was granted ends with its grant',
    words: 'The grant {grant} gives {plan} until {at}.',
    given: 'pro is granted until 11 November.',
    example: 'The grant gr_1 gives pro until 11 November 2026, 09:40 UTC.',
  },
  grant_ends: {
    title: 'Access changes with the end of a grant',
    words: 'The grant {grant} ends on {at}.',
    given: 'pro is granted until 11 November.',
    example: 'The grant gr_1 ends on 11 November 2026, 09:40 UTC.',
  },
  grant_starts: {
    title: 'Access changes with the start of a grant',
    words: 'The grant {grant} begins on {at}.',
    given: 'pro is granted from 6 November on.',
    example: 'The grant gr_1 begins on 6 November 2026, 09:40 UTC.',
  },
  override_ends: {
    title: 'Access changes with the end of an override',
    words: 'What was set of {key} by hand ends on {at}.',
    given: 'members is set to 70 until 11 November.',
    example: 'What was set of members by hand ends on 11 November 2026, 09:40 UTC.',
  },
  test_clock: {
    title: 'With a test clock time alone takes nothing',
    words: '{subscription} has a test clock at Stripe, so nothing of it ends by itself.',
    given: 'plus with a test clock is past due.',
    example: 'sub_1 has a test clock at Stripe, so nothing of it ends by itself.',
  },
} as const satisfies Readonly<Record<string, PolicyRule>>;
