import { until } from '../../../support/until.js';
import { BROKE, type BypassAttempt, FOR_GOOD, PLUS, PLUS_BY_PATCH, PRO, TEAM } from './bypass-attempt.js';
import { outcomeOf } from './bypassing-user.js';

/** What is paid by a coupon, goes back, or ends. */
export const RETURNED_PAYMENTS: readonly BypassAttempt[] = [
  [
    'A coupon of 100 % is a payment, and of what it is for alone',
    async (user, shop) => {
      const coupon = await shop.stripe.coupons.create({ percent_off: 100, duration: 'once' });
      const code = await shop.stripe.promotionCodes.create({
        promotion: { type: 'coupon', coupon: coupon.id },
      });
      await shop.buy(user.id, PLUS, { promotion_code: code.id });
      const free = await user.has();
      await user.changedAtStripe(shop.prices.proMonthly ?? '');
      return [free, await user.has()];
    },
    ['plus active', 'plus active, pro waits: no_invoice'],
  ],
  [
    'An upgrade that was paid back is lost',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      const page = await user.upgrade(PRO);
      const before = await user.has();
      await user.isPaidBack();
      const after = [await user.has(), await user.begin(TEAM), await user.begin(PRO)];
      await user.change({ plan: 'plus', when: 'now' });
      await shop.cardBecomes(user.id, BROKE);
      return [page, before, ...after, await user.upgrade(PRO), await user.has()];
    },
    [
      303,
      'pro active',
      'plus past_due, pro waits: taken_back',
      '409 payment_due',
      '409 payment_due',
      402,
      'plus past_due',
    ],
  ],
  [
    'An upgrade that the bank disputes is lost',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      await user.upgrade(PRO);
      await shop.later();
      await shop.simulator.control('POST', `/_simulator/charges/${await user.charge()}/dispute`, {});
      return [await user.has()];
    },
    ['plus past_due, pro waits: taken_back'],
  ],
  [
    'What was bought for good and paid back is bought again for money',
    async (user, shop) => {
      await shop.buy(user.id, FOR_GOOD);
      const [bought, twice] = [await user.has(), await user.begin(FOR_GOOD)];
      await user.isPaidBack();
      const back = await user.has();
      const again = await shop.begin(user.id, FOR_GOOD);
      const open = await user.has();
      await shop.pay(again.body.sessionId);
      return [bought, twice, back, outcomeOf(again), open, await user.has()];
    },
    ['pro active', '409 already_held', 'free unpaid', '200 checkout', 'free unpaid', 'pro active'],
  ],
  [
    'A page of an upgrade that was left open brings no subscription back that a purchase ends',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      const { body } = await shop.begin(user.id, PRO);
      await shop.buy(user.id, FOR_GOOD);
      await until('it ends with its period', async () => (await user.subscription()).cancel_at_period_end);
      const page = await shop.confirm(body.url);
      await user.followed();
      return [page, (await user.subscription()).cancel_at_period_end];
    },
    [303, true],
  ],
  [
    'A cancellation is taken back for nothing in its period, and after it for money',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      const pages = [await user.presses({ action: 'cancel' }), await user.presses({ action: 'renew' })];
      const kept = [await user.has(), (await user.snapshot()).cancelAt];
      const ended = await user.change({ plan: 'free', when: 'now' });
      return [
        ...pages,
        ...kept,
        ended,
        await user.has(),
        await user.change(PLUS_BY_PATCH),
        await user.begin(PLUS),
      ];
    },
    [
      303,
      303,
      'plus active',
      null,
      '200 changed',
      'free canceled',
      '403 PAID_UPGRADE_REQUIRED',
      '200 checkout',
    ],
  ],
];
