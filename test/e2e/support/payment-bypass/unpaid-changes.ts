import type { Shop } from '../shop.js';
import { BROKE, type BypassAttempt, PLUS, PRO, PRO_BY_PATCH, price } from './bypass-attempt.js';
import { type BypassingUser, outcomeOf } from './bypassing-user.js';

/** Higher plans, units and intervals on the way to which nobody pays. */
export const UNPAID_CHANGES: readonly BypassAttempt[] = [
  [
    'A higher plan whose difference is left to the next renewal waits',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      await user.changedAtStripe(shop.prices.proMonthly ?? '');
      return [await user.has(), await user.begin(PRO), await user.change(PRO_BY_PATCH)];
    },
    ['plus active, pro waits: no_invoice', '409 payment_due', '403 PAID_UPGRADE_REQUIRED'],
  ],
  [
    'A higher plan for which nothing is asked waits',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      await user.changedAtStripe(shop.prices.proMonthly ?? '', { proration_behavior: 'none' });
      return [await user.has()];
    },
    ['plus active, pro waits: no_invoice'],
  ],
  [
    'A higher plan whose invoice the card does not pay waits',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      await shop.cardBecomes(user.id, BROKE);
      const how = { proration_behavior: 'always_invoice', payment_behavior: 'allow_incomplete' } as const;
      await user.changedAtStripe(shop.prices.proMonthly ?? '', how);
      return [await user.has(), await user.begin(PRO)];
    },
    ['plus past_due, pro waits: invoice_failed', '409 payment_due'],
  ],
  [
    'Credit pays for no plan: a downgrade that was credited is undone for money',
    async (user, shop) => {
      await shop.buy(user.id, PRO);
      await shop.later(120);
      await user.changedAtStripe(shop.prices.plusMonthly ?? '', { proration_behavior: 'always_invoice' });
      const less = await user.has();
      await shop.later(120);
      await user.changedAtStripe(shop.prices.proMonthly ?? '');
      return [less, await user.has()];
    },
    ['plus active', 'plus active, pro waits: no_invoice'],
  ],
  [
    'A downgrade that is undone before it was credited costs nothing',
    async (user, shop) => {
      await shop.buy(user.id, PRO);
      const asked = await user.change({ plan: 'plus' });
      const undone = await user.change({ plan: 'pro' });
      return [asked, undone, await user.has()];
    },
    ['200 scheduled', '200 withdrawn', 'pro active'],
  ],
  [
    'Units and add-ons that the card does not pay for are not had, and another choice is another invoice',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      await shop.cardBecomes(user.id, BROKE);
      const first = await shop.begin(user.id, { ...PLUS, addons: { seats: 2 } });
      await shop.later();
      const second = await shop.begin(user.id, { ...PLUS, addons: { seats: 90 } });
      await shop.heard();
      const paid = await shop.stripe.invoices
        .pay(first.body.sessionId, { paid_out_of_band: true })
        .then(() => 'paid')
        .catch(() => 'void');
      const before = [outcomeOf(first), outcomeOf(second), await user.limit('members'), paid];
      await user.paysNewest();
      return [...before, await user.limit('members')];
    },
    ['200 invoice', '200 invoice', 5, 'void', 905],
  ],
  [
    'Units that are raised are paid, those that were lowered are raised for money again',
    async (user, shop) => {
      await shop.buy(user.id, { ...PLUS, quantity: 3 });
      const raised = await user.change({ quantity: 4 });
      await shop.cardBecomes(user.id, BROKE);
      const page = await user.upgrade({ ...PLUS, quantity: 9 });
      const unpaid = await user.limit('projects');
      const lowered = await user.change({ quantity: 1, when: 'now' });
      return [
        raised,
        page,
        unpaid,
        lowered,
        await user.limit('projects'),
        await user.change({ quantity: 3 }),
      ];
    },
    ['403 PAID_UPGRADE_REQUIRED', 402, 3, '200 changed', 1, '403 PAID_UPGRADE_REQUIRED'],
  ],
  [
    'What is less as a whole brings nothing that is more before it is paid',
    async (user, shop) => {
      await shop.buy(user.id, PRO);
      const choice = { plan: 'plus', quantity: 1_000, addons: { seats: 1_000 } };
      const asked = [await user.change(choice), await user.change({ ...choice, when: 'now' })];
      return [...asked, await user.has(), await user.limit('members')];
    },
    ['409 more_in_part', '409 more_in_part', 'pro active', 5],
  ],
  [
    'A longer interval is paid at once, a shorter one comes when the period ends',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      const yearly = { plan: 'plus', interval: 'yearly' };
      const asked = await user.change(yearly);
      await shop.cardBecomes(user.id, BROKE);
      const declined = await user.upgrade(yearly);
      await shop.cardBecomes(user.id, 'pm_card_visa');
      const paid = await user.upgrade(yearly);
      return [asked, declined, paid, await user.begin(PLUS), await user.change({ interval: 'monthly' })];
    },
    ['403 PAID_UPGRADE_REQUIRED', 402, 303, '409 plan_change_needed', '200 scheduled'],
  ],
  [
    'A price that no plan has gives nothing, and a cheap one of the product gives no plan that was not paid',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      await user.changedAtStripe(price.cheapPro, { proration_behavior: 'always_invoice' });
      const cheap = await user.has();
      await user.changedAtStripe(price.stray, { proration_behavior: 'always_invoice' });
      return [cheap, await user.has(), (await user.snapshot()).unmappedPrices.length];
    },
    ['free none', 'free none', 1],
  ],
  [
    'A metered plan asks nothing in advance, and counts one unit however many are named',
    async (user, shop) => {
      await shop.buy(user.id, { plan: 'metered', interval: 'monthly', quantity: 1_000 });
      return [await user.has(), await user.limit('projects')];
    },
    ['metered active', 1],
  ],
  [
    'A metered plan is reached from another one',
    async (user, shop) => {
      await shop.buy(user.id, { ...PLUS, quantity: 2 });
      return [await user.upgrade({ plan: 'metered', interval: 'monthly' }), await user.has()];
    },
    [303, 'metered active'],
  ],
  [
    'The portal for paying and cancelling changes no plan, and that of an upgrade leads to no other one',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      const plain = await user.presses({ action: 'price', price: shop.prices.proMonthly ?? '' });
      const { body } = await shop.begin(user.id, PRO);
      const other = await user.pressesAt(body.url, { action: 'price', price: price.team });
      return [plain, other, await user.has()];
    },
    [402, 402, 'plus active'],
  ],
  [
    'A portal of Stripe’s own that lets plans be changed and bills later brings none before it is paid',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      const [proMonthly = ''] = [shop.prices.proMonthly];
      const { product } = await shop.stripe.prices.retrieve(proMonthly);
      const { id: configuration } = await shop.stripe.billingPortal.configurations.create({
        features: {
          subscription_update: {
            enabled: true,
            default_allowed_updates: ['price'],
            products: [{ product: String(product), prices: [proMonthly] }],
            proration_behavior: 'create_prorations',
          },
        },
      });
      const [customer = ''] = await shop.customersOf(user.id);
      const { url } = await shop.stripe.billingPortal.sessions.create({ customer, configuration });
      return [await user.pressesAt(url, { action: 'price', price: proMonthly }), await user.has()];
    },
    [303, 'plus active, pro waits: no_invoice'],
  ],
  [
    'A higher plan by bank debit waits until the money has come, nor is more bought on top of it',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      const [page, waiting] = await upgradedByDebit(user, shop, 'pm_usBankAccount_success');
      const onTop = await user.begin({ ...PRO, quantity: 9 });
      await debitsEnd(shop);
      return [page, waiting, onTop, await user.has()];
    },
    [303, 'plus active, pro waits: invoice_open', '409 payment_due', 'pro active'],
  ],
  [
    'A higher plan whose bank debit is returned does not come, and the plan that was paid stays',
    async (user, shop) => {
      await shop.buy(user.id, PLUS);
      const [page, waiting] = await upgradedByDebit(user, shop, 'pm_usBankAccount_debitNotAuthorized');
      await debitsEnd(shop);
      return [page, waiting, (await user.snapshot()).plan, await user.begin(PRO)];
    },
    [303, 'plus active, pro waits: invoice_open', 'plus', '409 payment_due'],
  ],
];

/** Upgrades to pro by the debit of a bank account: the page's status, and what is had while the money is under way. */
async function upgradedByDebit(
  user: BypassingUser,
  shop: Shop,
  account: string,
): Promise<readonly unknown[]> {
  await shop.simulator.control('POST', '/_simulator/settings', { bank_debit_days: 0 });
  await shop.cardBecomes(user.id, account);
  return [await user.upgrade(PRO), await user.has()];
}

/** Debits that are under way settle or are returned: Stripe takes days for that, which are over with the next second here. */
async function debitsEnd(shop: Shop): Promise<void> {
  await shop.later();
  await shop.heard();
}
