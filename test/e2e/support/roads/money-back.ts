import { until } from '../../../support/until.js';
import { said } from '../stranger.js';
import { BROKE, FOR_GOOD, PLUS, PLUS_BY_PATCH, PRO, type Road, TEAM } from './road.js';

/** What is paid by a coupon, goes back, or ends. */
export const MONEY_BACK: readonly Road[] = [
  [
    'A coupon of 100 % is a payment, and of what it is for alone',
    async (who, shop) => {
      const coupon = await shop.stripe.coupons.create({ percent_off: 100, duration: 'once' });
      const code = await shop.stripe.promotionCodes.create({
        promotion: { type: 'coupon', coupon: coupon.id },
      });
      await shop.buy(who.id, PLUS, { promotion_code: code.id });
      const free = await who.has();
      await who.changedAtStripe(shop.prices.proMonthly ?? '');
      return [free, await who.has()];
    },
    ['plus active', 'plus active, pro waits: no_invoice'],
  ],
  [
    'An upgrade that was paid back is lost',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      const page = await who.upgrade(PRO);
      const before = await who.has();
      await who.isPaidBack();
      const after = [await who.has(), await who.begin(TEAM), await who.begin(PRO)];
      await who.change({ plan: 'plus', when: 'now' });
      await shop.cardBecomes(who.id, BROKE);
      return [page, before, ...after, await who.upgrade(PRO), await who.has()];
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
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      await who.upgrade(PRO);
      await shop.later();
      await shop.simulator.control('POST', `/_simulator/charges/${await who.charge()}/dispute`, {});
      return [await who.has()];
    },
    ['plus past_due, pro waits: taken_back'],
  ],
  [
    'What was bought for good and paid back is bought again for money',
    async (who, shop) => {
      await shop.buy(who.id, FOR_GOOD);
      const [bought, twice] = [await who.has(), await who.begin(FOR_GOOD)];
      await who.isPaidBack();
      const back = await who.has();
      const again = await shop.begin(who.id, FOR_GOOD);
      const open = await who.has();
      await shop.pay(again.body.sessionId);
      return [bought, twice, back, said(again), open, await who.has()];
    },
    ['pro active', '409 already_held', 'free unpaid', '200 checkout', 'free unpaid', 'pro active'],
  ],
  [
    'A page of an upgrade that was left open brings no subscription back that a purchase ends',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      const { body } = await shop.begin(who.id, PRO);
      await shop.buy(who.id, FOR_GOOD);
      await until('it ends with its period', async () => (await who.subscription()).cancel_at_period_end);
      const page = await shop.confirm(body.url);
      await who.followed();
      return [page, (await who.subscription()).cancel_at_period_end];
    },
    [303, true],
  ],
  [
    'A cancellation is taken back for nothing in its period, and after it for money',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      const pages = [await who.presses({ action: 'cancel' }), await who.presses({ action: 'renew' })];
      const kept = [await who.has(), (await who.snapshot()).cancelAt];
      const ended = await who.change({ plan: 'free', when: 'now' });
      return [
        ...pages,
        ...kept,
        ended,
        await who.has(),
        await who.change(PLUS_BY_PATCH),
        await who.begin(PLUS),
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
