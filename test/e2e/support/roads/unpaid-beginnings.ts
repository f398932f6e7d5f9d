import type Stripe from 'stripe';
import type { Shop } from '../shop.js';
import { type Stranger } from '../stranger.js';
import { BROKE, DAY, FOR_GOOD, PLUS, PRO, PRO_BY_PATCH, type Road, TEAM, TRIAL } from './road.js';

/** What is done a month before, so that a renewal lies in between. */
export const A_MONTH_AGO: Readonly<Record<string, (who: Stranger, shop: Shop) => Promise<void>>> = {
  'What is past due is paid before anything else is bought': async ({ id }, shop) => {
    await shop.buy(id, PLUS);
    await shop.cardBecomes(id, BROKE);
  },
  'More units and add-ons that come with a lower plan are not had before they are paid': async (
    who,
    shop,
  ) => {
    await shop.buy(who.id, PRO);
    await who.change({ plan: 'plus', quantity: 1_000, addons: { seats: 1_000 } });
    await shop.cardBecomes(who.id, BROKE);
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
export const UNPAID_BEGINNINGS: readonly Road[] = [
  [
    'More units and add-ons that come with a lower plan are not had before they are paid',
    async (who) => [await who.has(), await who.limit('projects'), await who.limit('members')],
    ['pro past_due', 10, 5],
  ],
  [
    'What was never paid gives no credit, and credit no plan',
    async (who) => {
      const answers = [await who.has(), await who.change({ plan: 'plus', when: 'now' }), await who.has()];
      const [customer = ''] = await who.shop.customersOf(who.id);
      const { balance } = (await who.shop.stripe.customers.retrieve(customer)) as Stripe.Customer;
      return [...answers, balance, await who.begin(PRO)];
    },
    ['pro past_due', '200 changed', 'plus past_due', 0, '409 payment_due'],
  ],
  [
    'What is past due is paid before anything else is bought',
    async (who) => [
      await who.has(),
      await who.begin(PRO),
      await who.begin(FOR_GOOD),
      await who.change({ plan: 'pro' }),
    ],
    ['plus past_due', '409 payment_due', '409 payment_due', '403 PAID_UPGRADE_REQUIRED'],
  ],
  [
    'A trial that nobody paid for gives nothing once it is over, and no second one',
    async (who) => [await who.has(), await who.begin(TRIAL), await who.begin(PLUS)],
    ['free canceled', '409 trial_used', '200 checkout'],
  ],
  [
    'A trial is used though its customer is deleted',
    async (who, shop) => {
      await shop.buy(who.id, TRIAL);
      const [customer = ''] = await shop.customersOf(who.id);
      await shop.later();
      await shop.stripe.customers.del(customer);
      const answers = [await who.has(), await who.begin(TRIAL)];
      await shop.buy(who.id, { plan: 'pro', interval: 'monthly' });
      return [...answers, await who.has()];
    },
    ['free canceled', '409 trial_used', 'pro active'],
  ],
  [
    'A trial begun in another tab is over once something is bought in this one',
    async (who, shop) => {
      const { body } = await shop.begin(who.id, TRIAL);
      await shop.buy(who.id, PLUS);
      const paid = await shop.pay(body.sessionId).then(
        () => 'opened',
        () => 'closed',
      );
      return [paid, await who.has(), (await shop.runningOf(who.id)).length];
    },
    ['closed', 'plus active', 1],
  ],
  [
    'What is bought for good has no trial',
    async (who) => [await who.begin({ ...FOR_GOOD, trial: true }), await who.has()],
    ['409 trial_not_offered', 'free none'],
  ],
  [
    'A trial gives a higher plan only until it ends',
    async (who, shop) => {
      await shop.buy(who.id, TRIAL);
      const page = await who.upgrade(TEAM);
      const { status, trial_end: end } = await who.subscription();
      const { validUntil } = await who.snapshot();
      return [page, status, await who.has(), Date.parse(validUntil) / 1_000 - (end ?? 0)];
    },
    [303, 'trialing', 'team trialing', DAY],
  ],
  [
    'A bank debit gives nothing before its money has come, nor does what is bought on top',
    async (who, shop) => {
      const { body } = await shop.begin(who.id, PLUS);
      await shop.pay(body.sessionId, { token: 'pm_usBankAccount_success' });
      return [await who.has(), await who.begin(PLUS), await who.begin(PRO), await who.change(PRO_BY_PATCH)];
    },
    ['free none, plus waits: bank_debit', '409 payment_due', '409 payment_due', '403 PAID_UPGRADE_REQUIRED'],
  ],
  [
    'A sent invoice gives nothing before it is paid, nor does the difference to a higher plan',
    async (who, shop) => {
      await who.isSentInvoices(shop.prices.plusMonthly ?? '');
      const answers = [await who.has(), await who.begin(PRO), await who.begin(PLUS)];
      await who.paysNewest();
      return [...answers, await who.has()];
    },
    ['free none, plus waits: sent_invoice', '409 payment_due', '409 payment_due', 'plus active'],
  ],
  [
    'A higher plan by sent invoice waits for its payment, and is not begun twice',
    async (who, shop) => {
      await who.isSentInvoices(shop.prices.plusMonthly ?? '');
      await who.paysNewest();
      await who.upgrade(PRO);
      const answers = [await who.has(), await who.begin(PRO), await who.begin(TEAM)];
      await who.paysNewest();
      return [...answers, await who.has()];
    },
    ['plus active, pro waits: sent_invoice', '409 payment_due', '409 payment_due', 'pro active'],
  ],
  [
    'A higher plan by sent invoice that was never paid gives no credit when it is given up',
    async (who, shop) => {
      await who.isSentInvoices(shop.prices.plusMonthly ?? '');
      await who.paysNewest();
      await who.upgrade(TEAM);
      const answers = [await who.has(), await who.change({ plan: 'plus', when: 'now' }), await who.has()];
      await who.upgrade(PRO);
      return [...answers, await who.has()];
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
    async (who, shop) => {
      await who.isSentInvoices(shop.prices.plusMonthly ?? '');
      await who.paysNewest();
      const more = await who.begin({ ...PLUS, quantity: 1_000 });
      const beside = await who.begin({ ...PLUS, addons: { seats: 1_000 } });
      return [more, await who.limit('projects'), beside, await who.limit('members')];
    },
    ['409 not_by_sent_invoice', 1, '409 not_by_sent_invoice', 5],
  ],
];
