import type Stripe from 'stripe';
import type { Shop } from '../shop.js';
import {
  BROKE,
  type BypassAttempt,
  DAY,
  FOR_GOOD,
  PLUS,
  PRO,
  PRO_BY_PATCH,
  TEAM,
  TRIAL,
} from './bypass-attempt.js';
import { type BypassingUser } from './bypassing-user.js';

/** What is done a month before, so that a renewal lies in between. */
export const A_MONTH_AGO: Readonly<Record<string, (user: BypassingUser, shop: Shop) => Promise<void>>> = {
  'What is past due is paid before anything else is bought': async ({ id }, shop) => {
    await shop.buy(id, PLUS);
    await shop.cardBecomes(id, BROKE);
  },
  'More units and add-ons that come with a lower plan are not had before they are paid': async (
    user,
    shop,
  ) => {
    await shop.buy(user.id, PRO);
    await user.change({ plan: 'plus', quantity: 1_000, addons: { seats: 1_000 } });
    await shop.cardBecomes(user.id, BROKE);
  },
  'What was never paid gives no credit, and credit no plan': async ({ id }, shop) => {
    await shop.buy(id, PRO);
    await shop.cardBecomes(id, BROKE);
  },
  'A trial that nobody paid for gives nothing once it is over, and no second one': async ({ id }, shop) => {
    // Over by the service's clock: to wait until it is in force would be for nothing.
    const { body } = await shop.begin(id, TRIAL);
    await shop.pay(body.sessionId);
    await shop.cardBecomes(id, BROKE);
  },
};

/** Trials, renewals and first payments that never come. */
export const UNPAID_PURCHASES: readonly BypassAttempt[] = [
  [
    'More units and add-ons that come with a lower plan are not had before they are paid',
    async (user) => [await user.has(), await user.limit('projects'), await user.limit('members')],
    ['pro past_due', 10, 5],
  ],
  [
    'What was never paid gives no credit, and credit no plan',
    async (user) => {
      const answers = [await user.has(), await user.change({ plan: 'plus', when: 'now' }), await user.has()];
      const [customer = ''] = await user.shop.customersOf(user.id);
      const { balance } = (await user.shop.stripe.customers.retrieve(customer)) as Stripe.Customer;
      return [...answers, balance, await user.begin(PRO)];
    },
    ['pro past_due', '200 changed', 'plus past_due', 0, '409 payment_due'],
  ],
  [
    'What is past due is paid before anything else is bought',
    async (user) => [
      await user.has(),
      await user.begin(PRO),
      await user.begin(FOR_GOOD),
      await user.change({ plan: 'pro' }),
    ],
    ['plus past_due', '409 payment_due', '409 payment_due', '403 PAID_UPGRADE_REQUIRED'],
  ],
  [
    'A trial that nobody paid for gives nothing once it is over, and no second one',
    async (user) => [await user.has(), await user.begin(TRIAL), await user.begin(PLUS)],
    ['free canceled', '409 trial_used', '200 checkout'],
  ],
  [
    'A trial is used though its customer is deleted',
    async (user, shop) => {
      await shop.buy(user.id, TRIAL);
      const [customer = ''] = await shop.customersOf(user.id);
      await shop.later();
      await shop.stripe.customers.del(customer);
      const answers = [await user.has(), await user.begin(TRIAL)];
      await shop.buy(user.id, { plan: 'pro', interval: 'monthly' });
      return [...answers, await user.has()];
    },
    ['free canceled', '409 trial_used', 'pro active'],
  ],
  [
    'A trial begun in another tab is over once something is bought in this one',
    async (user, shop) => {
      const { body } = await shop.begin(user.id, TRIAL);
      await shop.buy(user.id, PLUS);
      const paid = await shop.pay(body.sessionId).then(
        () => 'opened',
        () => 'closed',
      );
      return [paid, await user.has(), (await shop.runningOf(user.id)).length];
    },
    ['closed', 'plus active', 1],
  ],
  [
    'What is bought for good has no trial',
    async (user) => [await user.begin({ ...FOR_GOOD, trial: true }), await user.has()],
    ['409 trial_not_offered', 'free none'],
  ],
  [
    'A trial gives a higher plan only until it ends',
    async (user, shop) => {
      await shop.buy(user.id, TRIAL);
      const page = await user.upgrade(TEAM);
      const { status, trial_end: end } = await user.subscription();
      const { validUntil } = await user.snapshot();
      return [page, status, await user.has(), Date.parse(validUntil) / 1_000 - (end ?? 0)];
    },
    [303, 'trialing', 'team trialing', DAY],
  ],
  [
    'A bank debit gives nothing before its money has come, nor does what is bought on top',
    async (user, shop) => {
      const { body } = await shop.begin(user.id, PLUS);
      await shop.pay(body.sessionId, { token: 'pm_usBankAccount_success' });
      return [
        await user.has(),
        await user.begin(PLUS),
        await user.begin(PRO),
        await user.change(PRO_BY_PATCH),
      ];
    },
    ['free none, plus waits: bank_debit', '409 payment_due', '409 payment_due', '403 PAID_UPGRADE_REQUIRED'],
  ],
  [
    'A sent invoice gives nothing before it is paid, nor does the difference to a higher plan',
    async (user, shop) => {
      await user.isSentInvoices(shop.prices.plusMonthly ?? '');
      const answers = [await user.has(), await user.begin(PRO), await user.begin(PLUS)];
      await user.paysNewest();
      return [...answers, await user.has()];
    },
    ['free none, plus waits: sent_invoice', '409 payment_due', '409 payment_due', 'plus active'],
  ],
  [
    'A higher plan by sent invoice waits for its payment, and is not begun twice',
    async (user, shop) => {
      await user.isSentInvoices(shop.prices.plusMonthly ?? '');
      await user.paysNewest();
      await user.upgrade(PRO);
      const answers = [await user.has(), await user.begin(PRO), await user.begin(TEAM)];
      await user.paysNewest();
      return [...answers, await user.has()];
    },
    ['plus active, pro waits: sent_invoice', '409 payment_due', '409 payment_due', 'pro active'],
  ],
  [
    'A higher plan by sent invoice that was never paid gives no credit when it is given up',
    async (user, shop) => {
      await user.isSentInvoices(shop.prices.plusMonthly ?? '');
      await user.paysNewest();
      await user.upgrade(TEAM);
      const answers = [await user.has(), await user.change({ plan: 'plus', when: 'now' }), await user.has()];
      await user.upgrade(PRO);
      return [...answers, await user.has()];
    },
    [
      'plus active, team waits: sent_invoice',
      '200 changed',
      'plus active',
      'plus active, pro waits: sent_invoice',
    ],
  ],
  [
    'More units and add-ons by sent invoice are not had before they are paid',
    async (user, shop) => {
      await user.isSentInvoices(shop.prices.plusMonthly ?? '');
      await user.paysNewest();
      const more = await user.begin({ ...PLUS, quantity: 1_000 });
      const beside = await user.begin({ ...PLUS, addons: { seats: 1_000 } });
      return [more, await user.limit('projects'), beside, await user.limit('members')];
    },
    ['409 not_by_sent_invoice', 1, '409 not_by_sent_invoice', 5],
  ],
];
