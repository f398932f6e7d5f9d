import type Stripe from 'stripe';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { parseEvent } from '../../src/events/event-envelope.js';
import type { Answer } from '../support/http-call.js';
import { wholeLog } from '../support/log.js';
import { until } from '../support/until.js';
import { APP, Shop } from './support/shop.js';

const TIMEOUT_MS = 240_000;
const DAY = 86_400;
const PLUS = { plan: 'plus', interval: 'monthly' };
const PRO = { plan: 'pro', interval: 'monthly', trial: false };

describe('A plan that is changed through Tenure', () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await Shop.open();
  }, TIMEOUT_MS);
  afterAll(() => shop?.close());

  async function change(userId: string, wanted: object): Promise<Answer> {
    await shop.later();
    const answer = await shop.service.ask('PATCH', `/v1/users/${userId}/plan`, wanted);
    await shop.heard();
    return answer;
  }

  /** The snapshot, once it says so. */
  async function says(userId: string, expected: object): Promise<void> {
    await until(`${userId} has ${JSON.stringify(expected)}`, async () => {
      const snapshot = await shop.service.entitlements(userId);
      return Object.entries(expected).every(
        ([key, value]) => JSON.stringify(snapshot[key]) === JSON.stringify(value),
      );
    });
    expect(await shop.service.entitlements(userId)).toMatchObject(expected);
  }

  async function only(userId: string): Promise<Stripe.Subscription> {
    const [subscription, ...others] = await shop.runningOf(userId);
    if (subscription === undefined || others.length > 0)
      throw new Error(`${userId} has not one subscription`);
    return subscription;
  }

  async function priceOf(userId: string): Promise<unknown> {
    return (await only(userId)).items.data.map(({ price, quantity }) => [price.id, quantity]);
  }

  /** What the log says that a user asked for, in order. */
  async function askedBy(user: string): Promise<readonly string[]> {
    const userId = await shop.service.storedId(user);
    const all = await wholeLog(shop.service.tenure.app.get<EventStore>(EVENT_STORE));
    return all.map(parseEvent).flatMap((event) => {
      if (event.type === 'PlanChangeRequested' && event.data.userId === userId) return event.data.plan;
      return event.type === 'PlanChangeWithdrawn' && event.data.userId === userId ? 'withdrawn' : [];
    });
  }

  async function periodEnds(userId: string): Promise<void> {
    const end = (await only(userId)).items.data[0]?.current_period_end ?? 0;
    await shop.simulator.moveTo(end + DAY);
    await shop.heard();
  }

  it(
    'is shown with what Stripe asks for it',
    async () => {
      const { body } = await shop.service.get('/v1/plans');
      expect(body.plans.map(({ plan }: { plan: string }) => plan)).toEqual(['free', 'plus', 'pro', 'old']);
      expect(body.plans[1].prices).toMatchObject({
        monthly: { id: shop.prices.plusMonthly, amount: 1_000, currency: 'usd', interval: 'month' },
        yearly: { id: shop.prices.plusYearly, amount: 10_000, interval: 'year', intervalCount: 1 },
      });
      expect(body.plans[2].prices.lifetime).toMatchObject({ amount: 90_000, interval: null });
      expect(body.plans[3].prices.monthly).toMatchObject({ name: 'price_of_old', id: null, amount: null });
      expect(body.addons).toMatchObject([{ addon: 'seats', prices: [{ amount: 500 }] }]);
    },
    TIMEOUT_MS,
  );

  it(
    'gives what is less when the period ends, and says so until then',
    async () => {
      await shop.buy('ann', PRO);
      expect(await change('ann', { plan: 'plus' })).toMatchObject({
        status: 200,
        body: { outcome: 'scheduled', plan: 'plus', interval: 'monthly', quantity: 1 },
      });
      const end = (await only('ann')).items.data[0]?.current_period_end ?? 0;
      const at = new Date(end * 1_000).toISOString();
      await says('ann', { plan: 'pro', scheduledChange: { plan: 'plus', interval: 'monthly', at } });
      const { revocationVersion } = await shop.service.entitlements('ann');
      expect((await change('ann', { plan: 'plus' })).body).toMatchObject({ outcome: 'scheduled' });
      expect(await askedBy('ann')).toEqual(['plus']);
      expect((await shop.service.entitlements('ann')).revocationVersion).toBe(revocationVersion);
    },
    TIMEOUT_MS,
  );

  it(
    'stays as it is where somebody changes their mind',
    async () => {
      await shop.buy('bea', PRO);
      await change('bea', { plan: 'plus' });
      expect((await only('bea')).schedule).not.toBeNull();
      expect((await change('bea', { plan: 'pro' })).body).toMatchObject({
        outcome: 'withdrawn',
        plan: 'pro',
      });
      expect((await only('bea')).schedule).toBeNull();
      await says('bea', { plan: 'pro', scheduledChange: null });
      expect((await change('bea', { plan: 'pro' })).body).toMatchObject({
        outcome: 'unchanged',
        position: null,
      });
      expect(await askedBy('bea')).toEqual(['plus', 'withdrawn']);
    },
    TIMEOUT_MS,
  );

  it(
    'ends with its period for the default plan, after a schedule too, unless it is resumed',
    async () => {
      await shop.buy('cid', PRO);
      await change('cid', { plan: 'plus' });
      expect((await change('cid', { plan: 'free' })).body).toMatchObject({
        outcome: 'scheduled',
        plan: 'free',
      });
      const { schedule, cancel_at: at } = await only('cid');
      expect(schedule).toBeNull();
      const ends = new Date((at ?? 0) * 1_000).toISOString();
      await says('cid', { plan: 'pro', scheduledChange: { plan: 'free', interval: null, at: ends } });
      expect((await change('cid', { plan: 'pro' })).body).toMatchObject({ outcome: 'withdrawn' });
      await says('cid', { plan: 'pro', scheduledChange: null, cancelAt: null });
      await change('cid', { plan: 'free' });
      expect((await change('cid', { plan: 'plus' })).body).toMatchObject({
        outcome: 'scheduled',
        plan: 'plus',
      });
      await says('cid', { cancelAt: null });
      const { items } = await only('cid');
      const next = new Date((items.data[0]?.current_period_end ?? 0) * 1_000).toISOString();
      await says('cid', { scheduledChange: { plan: 'plus', interval: 'monthly', at: next } });
      await change('cid', { plan: 'free' });
      expect(await askedBy('cid')).toEqual(['plus', 'free', 'withdrawn', 'free', 'plus', 'free']);
    },
    TIMEOUT_MS,
  );

  it(
    'is never more without a checkout: a higher plan, a longer interval, more units or add-ons',
    async () => {
      const wanted: readonly object[] = [
        { plan: 'pro' },
        { interval: 'yearly' },
        { quantity: 3 },
        { addons: { seats: 1 } },
        { plan: 'pro', quantity: 1, when: 'now' },
      ];
      await shop.buy('dan', PLUS);
      for (const each of wanted) {
        const { status, body } = await change('dan', each);
        expect([status, body.code]).toEqual([403, 'PAID_UPGRADE_REQUIRED']);
        expect(body.checkout).toMatchObject({ path: '/v1/checkout/sessions', body: { userId: 'dan' } });
      }
      expect(await change('nobody', { plan: 'plus' })).toMatchObject({ status: 403 });
      expect(await priceOf('dan')).toEqual([[shop.prices.plusMonthly, 1]]);
      expect(await askedBy('dan')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'has fewer units and add-ons at the end of the period, with all else that is held',
    async () => {
      await shop.buy('eve', { ...PLUS, quantity: 3, addons: { seats: 2 } });
      expect((await change('eve', { quantity: 1 })).body).toMatchObject({
        outcome: 'scheduled',
        quantity: 1,
        addons: { seats: 2 },
      });
      expect(await askedBy('eve')).toEqual(['plus']);
    },
    TIMEOUT_MS,
  );

  it(
    'is lower at once where that is asked for, unless part of it costs more',
    async () => {
      await shop.buy('fay', PRO);
      expect(await change('fay', { plan: 'plus', interval: 'yearly', when: 'now' })).toMatchObject({
        status: 409,
        body: { code: 'waits_for_period_end' },
      });
      expect((await change('fay', { plan: 'plus', when: 'now' })).body).toMatchObject({
        outcome: 'changed',
        at: null,
      });
      await says('fay', { plan: 'plus', scheduledChange: null });
      expect((await change('fay', { plan: 'free', when: 'now' })).body).toMatchObject({ outcome: 'changed' });
      await says('fay', { plan: 'free' });
      expect(await change('fay', { plan: 'free' })).toMatchObject({ body: { outcome: 'unchanged' } });
    },
    TIMEOUT_MS,
  );

  it(
    'stays where more is used than would be allowed, with each limit, until less is',
    async () => {
      await shop.buy('joe', PLUS);
      const uses = async (value: number): Promise<void> => {
        const { body } = await shop.service.ask('PUT', '/v1/users/joe/usage/members', { value });
        await shop.service.entitlements('joe', body.position);
      };
      await uses(6);
      expect(await change('joe', { plan: 'free' })).toMatchObject({
        status: 409,
        body: { code: 'QUOTA_EXCEEDED', limits: [{ limit: 'members', used: 6, allowed: 5 }] },
      });
      expect((await only('joe')).cancel_at).toBeNull();
      expect(await askedBy('joe')).toEqual([]);
      await uses(5);
      expect((await change('joe', { plan: 'free' })).body).toMatchObject({ outcome: 'scheduled' });
    },
    TIMEOUT_MS,
  );

  it(
    'is refused for what the catalogue, or nobody, sells',
    async () => {
      await shop.buy('gil', PRO);
      const refused: readonly (readonly [object, string])[] = [
        [{ plan: 'none' }, 'unknown_plan'],
        [{ plan: 'plus', interval: 'weekly' }, 'unknown_interval'],
        [{ addons: { rooms: 1 } }, 'unknown_addon'],
        [{}, 'invalid_request'],
      ];
      for (const [wanted, code] of refused) expect((await change('gil', wanted)).body.code).toBe(code);
      await shop.buy('hal', { plan: 'pro', interval: 'lifetime' });
      expect(await change('hal', { plan: 'plus' })).toMatchObject({
        status: 409,
        body: { code: 'plan_not_by_subscription' },
      });
    },
    TIMEOUT_MS,
  );

  it(
    'is paid, cancelled and resumed in a portal in which nobody changes it',
    async () => {
      const open = (userId: string, returnUrl = `${APP}/account`) =>
        shop.service.ask('POST', '/v1/portal/sessions', { userId, returnUrl });
      expect(await open('nobody')).toMatchObject({ status: 404, body: { code: 'no_customer' } });
      expect(await open('dan', 'https://elsewhere.example/')).toMatchObject({
        status: 422,
        body: { code: 'url_not_allowed' },
      });
      const { status, body } = await open('dan');
      expect(status).toBe(200);
      const session = shop.simulator.account.portalSessions.find(body.sessionId);
      expect(await shop.customersOf('dan')).toEqual([session?.customer]);
      const { features } = await shop.stripe.billingPortal.configurations.retrieve(
        String(session?.configuration),
      );
      expect(features).toMatchObject({
        subscription_update: { enabled: false },
        subscription_cancel: { enabled: true, mode: 'at_period_end' },
      });
      await shop.begin('left', PLUS);
      // Who never subscribed has a customer all the same, once the read models know it.
      await until('the portal opens', async () => (await open('left')).status === 200);
      const [customer = ''] = await shop.customersOf('left');
      await shop.later();
      await shop.stripe.customers.del(customer);
      await shop.heard();
      expect(await open('left')).toMatchObject({ body: { code: 'no_customer' } });
    },
    TIMEOUT_MS,
  );

  it(
    'may be paid by the month instead of the year from the end of the year on',
    async () => {
      await shop.buy('ida', { plan: 'plus', interval: 'yearly' });
      expect((await change('ida', { interval: 'monthly' })).body).toMatchObject({
        outcome: 'scheduled',
        interval: 'monthly',
      });
      expect(await askedBy('ida')).toEqual(['plus']);
    },
    TIMEOUT_MS,
  );

  it(
    'is what was asked for when the period ends, and then nothing is to come any more',
    async () => {
      await periodEnds('ann');
      await says('ann', { plan: 'plus', status: 'active', scheduledChange: null });
      expect(await priceOf('ann')).toEqual([[shop.prices.plusMonthly, 1]]);
      await says('bea', { plan: 'pro', status: 'active' });
      await says('cid', { plan: 'free', status: 'canceled', scheduledChange: null });
      expect(await shop.runningOf('cid')).toEqual([]);
      expect(await priceOf('eve')).toEqual([
        [shop.prices.plusMonthly, 1],
        [shop.prices.seatMonthly, 2],
      ]);
      expect((await change('eve', { addons: {}, when: 'now' })).body).toMatchObject({ outcome: 'changed' });
      expect(await priceOf('eve')).toEqual([[shop.prices.plusMonthly, 1]]);
      await says('eve', { limits: { members: 50 } });
      await periodEnds('ida');
      await says('ida', { plan: 'plus', status: 'active', scheduledChange: null });
      expect(await priceOf('ida')).toEqual([[shop.prices.plusMonthly, 1]]);
    },
    TIMEOUT_MS,
  );
});
