import type Stripe from 'stripe';
import { IdentityProvider } from '../support/identity-provider.js';
import { until } from '../support/until.js';
import { APP, Shop, type ShopChanges } from './support/shop.js';
import { Stranger, said } from './support/stranger.js';

const TIMEOUT_MS = 240_000;
const DAY = 86_400;
const [MONTH, YEAR] = [{ interval: 'month' }, { interval: 'year' }] as const;
const PLUS = { plan: 'plus', interval: 'monthly' };
const PRO = { plan: 'pro', interval: 'monthly', trial: false };
const TEAM = { plan: 'team', interval: 'monthly', trial: false };
const TRIAL = { plan: 'pro', interval: 'monthly', trial: true };
const FOR_GOOD = { plan: 'pro', interval: 'lifetime' };
const PRO_BY_PATCH = { plan: 'pro' };
const PLUS_BY_PATCH = { plan: 'plus' };
const BROKE = 'pm_card_chargeCustomerFail';

/** Ids of prices at Stripe. */
const price = { team: '', metered: '', stray: '', cheapPro: '' };

const plans: ShopChanges['plans'] = async (
  make,
  { plusMonthly, plusYearly, proMonthly, proOnce, seatMonthly },
) => {
  price.team = await make('Team', 9_000, MONTH);
  price.metered = await make('Metered', 2, { ...MONTH, usage_type: 'metered' });
  price.stray = await make('Stray', 100, MONTH);
  price.cheapPro = await make('Pro', 100, MONTH);
  const proYearly = await make('Pro', 30_000, YEAR);
  return `default: free
trialDays: 14
policy: { fullRefund: suspend }
checkout: { promotionCodes: true }
plans:
  free: { rank: 0, role: free, limits: { members: 5 } }
  plus: { rank: 1, role: paid, trialDays: 0, perUnit: { projects: 1 }, prices: { monthly: ${plusMonthly}, yearly: ${plusYearly} } }
  pro: { rank: 2, role: paid, perUnit: { projects: 10 }, prices: { monthly: ${proMonthly}, yearly: ${proYearly}, lifetime: ${proOnce} } }
  team: { rank: 3, role: paid, prices: { monthly: ${price.team} } }
  metered: { rank: 4, role: paid, trialDays: 0, perUnit: { projects: 1 }, prices: { monthly: ${price.metered} } }
addons:
  seats: { prices: [${seatMonthly}], limits: { members: 10 } }
`;
};

/** A rule that refuses, the road by which somebody tries it, and what they must be answered, in order. */
type Road = readonly [
  rule: string,
  road: (who: Stranger, shop: Shop) => Promise<readonly unknown[]>,
  answers: readonly unknown[],
];

/** What is done a month before, so that a renewal lies in between. */
const A_MONTH_AGO: Readonly<Record<string, (who: Stranger, shop: Shop) => Promise<void>>> = {
  'What is past due is paid before anything else is bought': async ({ id }, shop) => {
    await shop.buy(id, PLUS);
    await shop.cardBecomes(id, BROKE);
  },
  'What was never paid gives no credit, and credit no plan': async ({ id }, shop) => {
    await shop.buy(id, PRO);
    await shop.cardBecomes(id, BROKE);
  },
  'A trial that nobody paid for gives nothing once it is over, and no second one': async ({ id }, shop) => {
    await shop.buy(id, TRIAL);
    await shop.cardBecomes(id, BROKE);
  },
};

const ROADS: readonly Road[] = [
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
  [
    'A higher plan whose difference is left to the next renewal waits',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      await who.changedAtStripe(shop.prices.proMonthly ?? '');
      return [await who.has(), await who.begin(PRO), await who.change(PRO_BY_PATCH)];
    },
    ['plus active, pro waits: no_invoice', '409 payment_due', '403 PAID_UPGRADE_REQUIRED'],
  ],
  [
    'A higher plan for which nothing is asked waits',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      await who.changedAtStripe(shop.prices.proMonthly ?? '', { proration_behavior: 'none' });
      return [await who.has()];
    },
    ['plus active, pro waits: no_invoice'],
  ],
  [
    'A higher plan whose invoice the card does not pay waits',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      await shop.cardBecomes(who.id, BROKE);
      const how = { proration_behavior: 'always_invoice', payment_behavior: 'allow_incomplete' } as const;
      await who.changedAtStripe(shop.prices.proMonthly ?? '', how);
      return [await who.has(), await who.begin(PRO)];
    },
    ['plus past_due, pro waits: invoice_failed', '409 payment_due'],
  ],
  [
    'Credit pays for no plan: a downgrade that was credited is undone for money',
    async (who, shop) => {
      await shop.buy(who.id, PRO);
      await shop.later(120);
      await who.changedAtStripe(shop.prices.plusMonthly ?? '', { proration_behavior: 'always_invoice' });
      const less = await who.has();
      await shop.later(120);
      await who.changedAtStripe(shop.prices.proMonthly ?? '');
      return [less, await who.has()];
    },
    ['plus active', 'plus active, pro waits: no_invoice'],
  ],
  [
    'A downgrade that is undone before it was credited costs nothing',
    async (who, shop) => {
      await shop.buy(who.id, PRO);
      const asked = await who.change({ plan: 'plus' });
      const undone = await who.change({ plan: 'pro' });
      return [asked, undone, await who.has()];
    },
    ['200 scheduled', '200 withdrawn', 'pro active'],
  ],
  [
    'Units and add-ons that the card does not pay for are not had, and another choice is another invoice',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      await shop.cardBecomes(who.id, BROKE);
      const first = await shop.begin(who.id, { ...PLUS, addons: { seats: 2 } });
      await shop.later();
      const second = await shop.begin(who.id, { ...PLUS, addons: { seats: 90 } });
      await shop.heard();
      const paid = await shop.stripe.invoices
        .pay(first.body.sessionId, { paid_out_of_band: true })
        .then(() => 'paid')
        .catch(() => 'void');
      const before = [said(first), said(second), await who.limit('members'), paid];
      await who.paysNewest();
      return [...before, await who.limit('members')];
    },
    ['200 invoice', '200 invoice', 5, 'void', 905],
  ],
  [
    'Units that are raised are paid, those that were lowered are raised for money again',
    async (who, shop) => {
      await shop.buy(who.id, { ...PLUS, quantity: 3 });
      const raised = await who.change({ quantity: 4 });
      await shop.cardBecomes(who.id, BROKE);
      const page = await who.upgrade({ ...PLUS, quantity: 9 });
      const unpaid = await who.limit('projects');
      const lowered = await who.change({ quantity: 1, when: 'now' });
      return [raised, page, unpaid, lowered, await who.limit('projects'), await who.change({ quantity: 3 })];
    },
    ['403 PAID_UPGRADE_REQUIRED', 402, 3, '200 changed', 1, '403 PAID_UPGRADE_REQUIRED'],
  ],
  [
    'What is less as a whole brings nothing that is more before it is paid',
    async (who, shop) => {
      await shop.buy(who.id, PRO);
      const choice = { plan: 'plus', quantity: 1_000, addons: { seats: 1_000 } };
      return [await who.change({ ...choice, when: 'now' }), await who.has(), await who.limit('members')];
    },
    ['409 waits_for_period_end', 'pro active', 5],
  ],
  [
    'A longer interval is paid at once, a shorter one comes when the period ends',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      const yearly = { plan: 'plus', interval: 'yearly' };
      const asked = await who.change(yearly);
      await shop.cardBecomes(who.id, BROKE);
      const declined = await who.upgrade(yearly);
      await shop.cardBecomes(who.id, 'pm_card_visa');
      const paid = await who.upgrade(yearly);
      return [asked, declined, paid, await who.begin(PLUS), await who.change({ interval: 'monthly' })];
    },
    ['403 PAID_UPGRADE_REQUIRED', 402, 303, '409 plan_change_needed', '200 scheduled'],
  ],
  [
    'A price that no plan has gives nothing, and a cheap one of the product gives no plan that was not paid',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      await who.changedAtStripe(price.cheapPro, { proration_behavior: 'always_invoice' });
      const cheap = await who.has();
      await who.changedAtStripe(price.stray, { proration_behavior: 'always_invoice' });
      return [cheap, await who.has(), (await who.snapshot()).unmappedPrices.length];
    },
    ['free none', 'free none', 1],
  ],
  [
    'A metered plan asks nothing in advance, and counts one unit however many are named',
    async (who, shop) => {
      await shop.buy(who.id, { plan: 'metered', interval: 'monthly', quantity: 1_000 });
      return [await who.has(), await who.limit('projects')];
    },
    ['metered active', 1],
  ],
  [
    'A metered plan is reached from another one',
    async (who, shop) => {
      await shop.buy(who.id, { ...PLUS, quantity: 2 });
      return [await who.upgrade({ plan: 'metered', interval: 'monthly' }), await who.has()];
    },
    [303, 'metered active'],
  ],
  [
    'The portal for paying and cancelling changes no plan, and that of an upgrade leads to no other one',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
      const plain = await who.presses({ action: 'price', price: shop.prices.proMonthly ?? '' });
      const { body } = await shop.begin(who.id, PRO);
      const other = await who.pressesAt(body.url, { action: 'price', price: price.team });
      return [plain, other, await who.has()];
    },
    [402, 402, 'plus active'],
  ],
  [
    'A portal of Stripe’s own that lets plans be changed and bills later brings none before it is paid',
    async (who, shop) => {
      await shop.buy(who.id, PLUS);
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
      const [customer = ''] = await shop.customersOf(who.id);
      const { url } = await shop.stripe.billingPortal.sessions.create({ customer, configuration });
      return [await who.pressesAt(url, { action: 'price', price: proMonthly }), await who.has()];
    },
    [303, 'plus active, pro waits: no_invoice'],
  ],
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
  [
    'Nothing but the catalogue says what is sold and for how much',
    async (who) => {
      const named = [
        { price: 'p' },
        { priceId: 'p' },
        { amount: 1 },
        { currency: 'jpy' },
        { customer: 'cus_1' },
      ];
      const more = [{ discounts: [] }, { metadata: {} }, { trialDays: 90 }, { mode: 'setup' }];
      return Promise.all([...named, ...more].map((each) => who.begin({ ...PLUS, ...each })));
    },
    Array.from({ length: 9 }, () => '400 invalid_request'),
  ],
  [
    'Units are whole and one at least',
    async (who) => {
      const units = [0, -1, 1.5, 1e9, '2', null];
      const beside = [{ seats: 0 }, { seats: -1 }, ['seats']];
      return Promise.all([
        ...units.map((quantity) => who.begin({ ...PLUS, quantity })),
        ...beside.map((addons) => who.begin({ ...PLUS, addons })),
      ]);
    },
    Array.from({ length: 9 }, () => '400 invalid_request'),
  ],
  [
    'Names that every object has are none of the catalogue’s',
    async (who) => [
      await who.begin({ ...PLUS, plan: '__proto__' }),
      await who.begin({ ...PLUS, interval: 'constructor' }),
      await who.begin({ ...PLUS, addons: { constructor: 1 } }),
      await who.change({ plan: 'constructor' }),
    ],
    ['422 unknown_plan', '422 unknown_interval', '422 unknown_addon', '422 unknown_plan'],
  ],
  [
    'The way back leads nowhere but home, by whatever reading',
    async (who, shop) => {
      const urls = ['https://evil.example/', `${APP}\\@evil.example/`, `${APP}@evil.example/`, `${APP}:444/`];
      const back = await Promise.all(
        urls.map((returnUrl) =>
          shop.service.ask('POST', '/v1/portal/sessions', { userId: who.id, returnUrl }),
        ),
      );
      return [
        ...(await Promise.all(urls.map((url) => who.begin({ ...PLUS, successUrl: url })))),
        ...back.map(said),
      ];
    },
    [
      '422 url_not_allowed',
      '400 invalid_request',
      '400 invalid_request',
      '422 url_not_allowed',
      '422 url_not_allowed',
      '400 invalid_request',
      '400 invalid_request',
      '422 url_not_allowed',
    ],
  ],
  [
    'A user token reaches its own user alone, and nothing that is given by hand',
    async (who) => {
      const urls = { successUrl: APP, cancelUrl: APP };
      return [
        await who.asUser('POST', '/v1/checkout/sessions', { userId: 'other', ...PLUS, ...urls }),
        await who.asUser('POST', '/v1/portal/sessions', { userId: 'other', returnUrl: APP }),
        await who.asUser('PATCH', '/v1/users/other/plan', { plan: 'free' }),
        await who.asUser('POST', `/v1/users/${who.id}/grants`, { plan: 'pro', reason: 'mine' }),
        await who.asUser('PUT', `/v1/users/${who.id}/overrides/members`, { value: 99, reason: 'mine' }),
        await who.asUser('PUT', '/v1/customers/cus_1/link', { userId: who.id }),
        await who.asUser('PATCH', `/v1/users/${who.id}/plan`, { plan: 'pro' }),
        await who.has(),
      ];
    },
    [
      '403 other_user',
      '403 other_user',
      '403 other_user',
      '403 forbidden',
      '403 forbidden',
      '403 forbidden',
      '403 PAID_UPGRADE_REQUIRED',
      'free none',
    ],
  ],
  [
    'A key of a request is of the same bytes alone',
    async (who, shop) => {
      const begin = (choice: object) =>
        shop.service.ask(
          'POST',
          '/v1/checkout/sessions',
          { userId: who.id, successUrl: APP, cancelUrl: APP, ...choice },
          { 'idempotency-key': 'mine' },
        );
      const [first, same, other] = [await begin(PLUS), await begin(PLUS), await begin(PRO)];
      return [said(first), same.body.sessionId === first.body.sessionId, said(other)];
    },
    ['200 checkout', true, '422 idempotency_key_reused'],
  ],
];

describe('Who wants a plan without paying for it', () => {
  let shop: Shop;
  let provider: IdentityProvider;

  beforeAll(async () => {
    provider = await IdentityProvider.start();
    shop = await Shop.open({ startsAgo: 32 * DAY, environment: provider.environment, plans });
    for (const [rule] of ROADS) {
      const before = A_MONTH_AGO[rule];
      if (before !== undefined) await before(stranger(rule), shop);
    }
    await shop.simulator.moveTo(Math.floor(Date.now() / 1_000) - 3_000);
    await shop.heard();
  }, TIMEOUT_MS);
  afterAll(async () => {
    await shop?.close();
    await provider?.close();
  });

  function stranger(rule: string): Stranger {
    return new Stranger(`stranger_${ROADS.findIndex(([each]) => each === rule)}`, shop, provider);
  }

  it.each(ROADS)(
    '%s',
    async (rule, road, answers) => {
      const who = stranger(rule);
      expect(await road(who, shop)).toEqual(answers);
      expect((await shop.customersOf(who.id)).length).toBeLessThanOrEqual(1);
      expect((await shop.runningOf(who.id)).length).toBeLessThanOrEqual(1);
    },
    TIMEOUT_MS,
  );
});
