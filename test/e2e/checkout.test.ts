import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startService, type TestService } from '../support/service.js';
import { freePort, ServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';
import { APP, Shop } from './support/shop.js';

const TIMEOUT_MS = 240_000;
const PLUS = { plan: 'plus', interval: 'monthly' };
const PRO = { plan: 'pro', interval: 'monthly', trial: false };

describe('A checkout that Tenure begins', () => {
  let shop: Shop;
  let second: TestService;

  beforeAll(async () => {
    shop = await Shop.open();
    const { stores } = shop;
    const { environment, plansFile } = shop.service;
    second = await startService({
      stores,
      environment: { ...environment, PLANS_FILE: plansFile },
    });
  }, TIMEOUT_MS);
  afterAll(async () => {
    if (shop?.service !== second) await second?.close();
    await shop?.close();
  });

  /** One customer, and one subscription that has not ended. */
  async function holdsOnce(userId: string): Promise<void> {
    expect(await shop.customersOf(userId)).toHaveLength(1);
    expect(await shop.runningOf(userId)).toHaveLength(1);
  }

  it('gives the plan once it is paid, and says so', async () => {
    const begun = await shop.begin('ann', PLUS);
    expect(begun).toMatchObject({ status: 200, body: { kind: 'checkout', clientSecret: null } });
    const { sessionId } = begun.body;
    expect(await shop.follow(sessionId, 0)).toMatchObject({ status: 'open', inForce: false });
    expect(await shop.service.entitlements('ann')).toMatchObject({ plan: 'free' });
    await shop.pay(sessionId);
    expect(await shop.follow(sessionId)).toMatchObject({ status: 'complete', inForce: true, plan: 'plus' });
    expect(await shop.service.entitlements('ann')).toMatchObject({ plan: 'plus', status: 'active' });
    await holdsOnce('ann');
    const [subscription] = await shop.runningOf('ann');
    expect(subscription?.metadata).toMatchObject({ user_id: 'ann', payment_reason: 'purchase' });
    expect(await shop.begin('ann', PLUS)).toMatchObject({ status: 409, body: { code: 'already_held' } });
  });

  it('offers a trial to the first subscription alone', async () => {
    const choice = { plan: 'pro', interval: 'monthly', trial: true };
    expect(await shop.begin('bea', { ...PLUS, trial: true })).toMatchObject({
      status: 409,
      body: { code: 'trial_not_offered' },
    });
    await shop.buy('bea', choice);
    expect(await shop.service.entitlements('bea')).toMatchObject({ plan: 'pro', status: 'trialing' });
    const [subscription] = await shop.runningOf('bea');
    await shop.later();
    await shop.stripe.subscriptions.cancel(subscription?.id ?? '');
    await shop.heard();
    expect(await shop.begin('bea', choice)).toMatchObject({ status: 409, body: { code: 'trial_used' } });
    await shop.buy('bea', { plan: 'pro', interval: 'monthly' });
    expect(await shop.service.entitlements('bea')).toMatchObject({ plan: 'pro', status: 'active' });
    await holdsOnce('bea');
  });

  it('gives nothing for a card that is declined or not proven, and the plan for the next one', async () => {
    const { body } = await shop.begin('cid', PLUS);
    await expect(shop.pay(body.sessionId, { token: 'pm_card_chargeDeclined' })).rejects.toThrow('declined');
    const unproven = { token: 'pm_card_threeDSecure2Required', authentication: 'failed' };
    await expect(shop.pay(body.sessionId, unproven)).rejects.toThrow();
    expect(await shop.service.entitlements('cid')).toMatchObject({ plan: 'free' });
    await shop.pay(body.sessionId, { token: 'pm_card_threeDSecure2Required' });
    expect(await shop.follow(body.sessionId)).toMatchObject({ inForce: true });
    await holdsOnce('cid');
  });

  it('waits for the money of a bank debit', async () => {
    const { body } = await shop.begin('dan', PLUS);
    await shop.pay(body.sessionId, { token: 'pm_usBankAccount_success' });
    expect(await shop.follow(body.sessionId, 0)).toMatchObject({ status: 'processing', inForce: false });
    expect(await shop.begin('dan', PLUS)).toMatchObject({ status: 409 });
    await holdsOnce('dan');
  });

  it.each<[string, object, number, string]>([
    ['a plan that there is not', { plan: 'gold', interval: 'monthly' }, 422, 'unknown_plan'],
    ['an interval that there is not', { plan: 'plus', interval: 'daily' }, 422, 'unknown_interval'],
    ['an add-on that there is not', { ...PLUS, addons: { gold: 1 } }, 422, 'unknown_addon'],
    ['a plan that is not sold', { plan: 'old', interval: 'monthly' }, 409, 'not_for_sale'],
    ['a URL of another origin', { ...PLUS, successUrl: 'https://evil.example.com/' }, 422, 'url_not_allowed'],
    [
      'a URL that begins as an allowed one does',
      { ...PLUS, cancelUrl: `${APP}.evil.com/` },
      422,
      'url_not_allowed',
    ],
    ['no http URL', { ...PLUS, successUrl: 'javascript:alert(1)' }, 400, 'invalid_request'],
    ['a price of the caller’s', { ...PLUS, price: 'price_cheap' }, 400, 'invalid_request'],
    [
      'an add-on by another interval',
      { plan: 'plus', interval: 'yearly', addons: { seats: 1 } },
      409,
      'not_for_sale',
    ],
  ])('refuses %s', async (_what, choice, status, code) => {
    expect(await shop.begin('eve', choice)).toMatchObject({ status, body: { code } });
    expect(await shop.runningOf('eve')).toEqual([]);
  });

  it('is one for a double click, and the other tab’s choice ends it, on two instances', async () => {
    const twice = await Promise.all([shop.begin('fay', PLUS), shop.begin('fay', PLUS, second)]);
    expect(twice.map(({ status }) => status)).toEqual([200, 200]);
    expect(twice[0].body.sessionId).toBe(twice[1].body.sessionId);
    expect(await shop.customersOf('fay')).toHaveLength(1);
    const tabs = await Promise.all([
      shop.begin('fay', { ...PLUS, quantity: 2 }),
      shop.begin('fay', PRO, second),
    ]);
    expect(tabs.map(({ status }) => status)).toEqual([200, 200]);
    const [customer = ''] = await shop.customersOf('fay');
    const { data } = await shop.stripe.checkout.sessions.list({ customer, status: 'open' });
    expect(data).toHaveLength(1);
    await shop.pay(data[0]?.id ?? '');
    await shop.follow(data[0]?.id ?? '');
    for (const { body } of [...twice, ...tabs]) {
      if (body.sessionId !== data[0]?.id) await expect(shop.pay(body.sessionId)).rejects.toThrow();
    }
    await holdsOnce('fay');
  });

  it('of another choice is refused while Tenure has not heard of one that was paid', async () => {
    const { body } = await shop.begin('gus', PLUS);
    await shop.simulator.control('POST', '/_simulator/webhooks/faults', { drop: 1 });
    await shop.pay(body.sessionId);
    await shop.simulator.control('POST', '/_simulator/webhooks/faults', { drop: 0 });
    expect(await shop.begin('gus', PRO)).toMatchObject({ status: 409, body: { code: 'checkout_completed' } });
    await holdsOnce('gus');
  });

  it('upgrades a subscription in place through the portal; declined, the old plan stays', async () => {
    await shop.buy('hal', { ...PLUS, quantity: 3 });
    await shop.cardBecomes('hal', 'pm_card_chargeCustomerFail');
    const begun = await shop.begin('hal', PRO);
    expect(begun).toMatchObject({ status: 200, body: { kind: 'portal' } });
    expect(begun.body.sessionId).toMatch(/^bps_/);
    expect(await shop.confirm(begun.body.url)).toBe(402);
    expect(await shop.service.entitlements('hal')).toMatchObject({ plan: 'plus' });
    expect(await shop.follow(begun.body.sessionId, 0)).toMatchObject({ status: 'open', inForce: false });
    await shop.cardBecomes('hal', 'pm_card_visa');
    expect(await shop.confirm(begun.body.url)).toBe(303);
    expect(await shop.follow(begun.body.sessionId)).toMatchObject({ inForce: true, quantity: 3 });
    expect(await shop.service.entitlements('hal')).toMatchObject({ plan: 'pro', limits: { projects: 30 } });
    await holdsOnce('hal');
    const audited = await shop.service.get('/v1/audit/events?user=hal');
    const begunBy = audited.text.split('\n').filter((line) => line.includes('"CheckoutStarted"'));
    expect(begunBy).toHaveLength(2);
    expect(begunBy[1]).toContain(begun.body.sessionId);
    expect(await shop.begin('hal', PLUS)).toMatchObject({
      status: 409,
      body: { code: 'plan_change_needed' },
    });
    expect(await shop.begin('hal', { ...PRO, quantity: 2 })).toMatchObject({
      status: 409,
      body: { code: 'plan_change_needed' },
    });
  });

  it('adds seats through the API, and waits where the bank asks', async () => {
    await shop.buy('ida', PLUS);
    const added = await shop.begin('ida', { ...PLUS, addons: { seats: 2 } });
    expect(added).toMatchObject({ status: 200, body: { kind: 'done' } });
    await shop.heard();
    expect(await shop.follow(added.body.sessionId)).toMatchObject({ inForce: true, addons: { seats: 2 } });
    expect(await shop.service.entitlements('ida')).toMatchObject({ limits: { members: 70 } });
    await shop.later();
    await shop.cardBecomes('ida', 'pm_card_chargeCustomerFail');
    const more = await shop.begin('ida', PRO);
    expect(more).toMatchObject({ status: 200, body: { kind: 'invoice' } });
    await shop.heard();
    expect(await shop.service.entitlements('ida')).toMatchObject({ plan: 'plus', limits: { members: 70 } });
    expect(await shop.begin('ida', PRO)).toMatchObject({ body: { sessionId: more.body.sessionId } });
    const other = await shop.begin('ida', { ...PRO, addons: { seats: 4 } });
    expect(other.body).toMatchObject({ kind: 'invoice' });
    expect((await shop.stripe.invoices.retrieve(more.body.sessionId)).status).toBe('void');
    const again = await shop.begin('ida', PRO);
    await shop.later();
    await shop.cardBecomes('ida', 'pm_card_visa');
    await shop.stripe.invoices.pay(again.body.sessionId);
    await shop.heard();
    expect(await shop.follow(again.body.sessionId)).toMatchObject({ inForce: true });
    expect(await shop.service.entitlements('ida')).toMatchObject({ plan: 'pro', limits: { members: 25 } });
    await holdsOnce('ida');
  });

  it('of an upgrade withdraws the cancellation that was planned, once it is paid', async () => {
    await shop.buy('lea', PLUS);
    await shop.later();
    const [{ id } = { id: '' }] = await shop.runningOf('lea');
    await shop.stripe.subscriptions.update(id, { cancel_at_period_end: true });
    await shop.heard();
    const begun = await shop.begin('lea', PRO);
    expect((await shop.stripe.subscriptions.retrieve(id)).cancel_at_period_end).toBe(true);
    expect(await shop.confirm(begun.body.url)).toBe(303);
    await until('the cancellation was withdrawn', async () => {
      const { cancel_at_period_end, metadata } = await shop.stripe.subscriptions.retrieve(id);
      return !cancel_at_period_end && metadata.tenure_followed === metadata.tenure_checkout;
    });
    await shop.heard();
    await until('the snapshot says so', async () => {
      const { plan, cancelAt } = await shop.service.entitlements('lea');
      return plan === 'pro' && cancelAt === null;
    });
    await holdsOnce('lea');
  });

  it('for good gives the plan without end, and the subscription that ran ends with its period', async () => {
    await shop.buy('mia', PLUS);
    const forGood = { plan: 'pro', interval: 'lifetime' };
    const { body } = await shop.begin('mia', forGood);
    await shop.simulator.control('POST', '/_simulator/webhooks/faults', { drop: 1 });
    await shop.pay(body.sessionId);
    expect(await shop.begin('mia', forGood)).toMatchObject({
      status: 409,
      body: { code: 'checkout_completed' },
    });
    await shop.simulator.control('POST', '/_simulator/webhooks/faults', { drop: 0 });
    const { data } = await shop.stripe.events.list({ type: 'checkout.session.completed', limit: 1 });
    await shop.simulator.control('POST', `/_simulator/events/${data[0]?.id}/resend`);
    expect(await shop.follow(body.sessionId)).toMatchObject({ status: 'complete', inForce: true });
    expect(await shop.service.entitlements('mia')).toMatchObject({
      plan: 'pro',
      expiresAt: null,
      source: { type: 'purchase' },
    });
    expect(await shop.begin('mia', PRO)).toMatchObject({ status: 409, body: { code: 'already_held' } });
    await until('the subscription ends with its period', async () => {
      const [subscription] = await shop.runningOf('mia');
      return subscription?.cancel_at_period_end === true;
    });
    expect(await shop.customersOf('mia')).toHaveLength(1);
  });

  it('makes a customer anew, once, where Stripe has deleted the old one', async () => {
    await shop.buy('jan', PLUS);
    const [old = ''] = await shop.customersOf('jan');
    await shop.later();
    await shop.simulator.control('POST', '/_simulator/webhooks/faults', { drop: 1 });
    await shop.stripe.customers.del(old);
    await shop.heard();
    await shop.simulator.control('POST', '/_simulator/webhooks/faults', { drop: 0 });
    const twice = await Promise.all([shop.begin('jan', PLUS), shop.begin('jan', PLUS, second)]);
    expect(twice.map(({ status, text }) => `${status} ${text}`)).toEqual([
      expect.stringMatching(/^200/),
      expect.stringMatching(/^200/),
    ]);
    const customers = await shop.customersOf('jan');
    expect(customers).toHaveLength(1);
    expect(customers).not.toContain(old);
    await shop.pay(twice[0].body.sessionId);
    expect(await shop.follow(twice[0].body.sessionId)).toMatchObject({ inForce: true });
    await holdsOnce('jan');
  });

  it('gives the same reply for the same key', async () => {
    const asked = { userId: 'lou', ...PLUS, successUrl: `${APP}/`, cancelUrl: `${APP}/`, uiMode: 'embedded' };
    const begin = () =>
      shop.service.ask('POST', '/v1/checkout/sessions', asked, { 'idempotency-key': 'click-1' });
    const { status, body } = await begin();
    expect(status).toBe(200);
    expect((await begin()).body).toEqual(body);
    const { rows } = await shop.service.tenure.pool.query(
      'select k::text as kept from tenure.idempotency_key k',
    );
    const kept = JSON.stringify(rows);
    expect(rows).toHaveLength(1);
    expect(kept).not.toContain(body.clientSecret);
  });

  it('that is left says so when it has expired', async () => {
    const { body } = await shop.begin('kim', { ...PLUS, uiMode: 'embedded' });
    expect(body).toMatchObject({
      kind: 'checkout',
      url: null,
      clientSecret: expect.stringContaining('secret'),
    });
    await shop.stripe.checkout.sessions.expire(body.sessionId);
    await shop.heard();
    await until('it expired', async () => (await shop.follow(body.sessionId, 1)).status === 'expired');
    expect(await shop.service.entitlements('kim')).toMatchObject({ plan: 'free' });
    const again = await shop.begin('kim', { ...PLUS, uiMode: 'embedded' });
    expect(again.body.sessionId).not.toBe(body.sessionId);
  });

  it('is told of by nobody else’s id, nor by one that Tenure did not begin', async () => {
    expect((await shop.service.get('/v1/checkout/sessions/cs_test_other')).status).toBe(404);
    expect((await shop.service.get('/v1/checkout/sessions/sub_1')).status).toBe(404);
  });

  it('is cleaned up after by another instance where the first ended between payment and that', async () => {
    await shop.buy('nic', PLUS);
    await shop.later();
    const [{ id } = { id: '' }] = await shop.runningOf('nic');
    await shop.stripe.subscriptions.update(id, { cancel_at_period_end: true });
    await shop.heard();
    const begun = await shop.begin('nic', PRO);
    const holding = await shop.stores.database.pool.connect(); // of the test: the service's own end a transaction that stands idle
    await holding.query('begin');
    await holding.query(`select from tenure.reaction_checkpoint where reaction = 'checkout' for update`);
    expect(await shop.confirm(begun.body.url)).toBe(303);
    expect(await shop.follow(begun.body.sessionId)).toMatchObject({ inForce: true });
    expect((await shop.stripe.subscriptions.retrieve(id)).cancel_at_period_end).toBe(true);
    await shop.goOnWith(second);
    await holding.query('rollback');
    holding.release();
    await until('the cancellation was withdrawn', async () => {
      return !(await shop.stripe.subscriptions.retrieve(id)).cancel_at_period_end;
    });
  });

  it('is cleaned up after by another instance where the process that began to was killed', async () => {
    await shop.buy('oli', PLUS);
    await shop.later();
    const [{ id } = { id: '' }] = await shop.runningOf('oli');
    await shop.stripe.subscriptions.update(id, { cancel_at_period_end: true });
    await shop.heard();
    const begun = await shop.begin('oli', PRO);
    const { stores, plans, service } = shop;
    const folder = await mkdtemp(join(tmpdir(), 'tenure-checkout-'));
    const plansFile = join(folder, 'plans.yaml');
    await writeFile(plansFile, plans);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const victim = new ServiceProcess({ ...service.environment, PLANS_FILE: plansFile, PORT: String(port) });
    try {
      await victim.isReady(url);
      await service.close(); // the process follows payments now
      shop.deliverTo(url);
      await shop.simulator.control('POST', '/_simulator/settings', { answer_ms: 60_000 });
      expect(await shop.confirm(begun.body.url)).toBe(303);
      await until('the clean-up is under way', async () => {
        const { rows } = await stores.database.pool.query(
          `select from tenure.reaction_work where reaction = 'checkout' and lane = $1`,
          [id],
        );
        return rows.length > 0;
      });
      await victim.kill('SIGKILL');
    } finally {
      await victim.kill('SIGKILL');
      await shop.simulator.control('POST', '/_simulator/settings', { answer_ms: 0 });
      second = await startService({ stores, plans, environment: withoutPlansFile(service.environment) });
      shop.service = second;
      shop.deliverTo(second.url);
      await rm(folder, { recursive: true });
    }
    await until('the cancellation was withdrawn', async () => {
      return !(await shop.stripe.subscriptions.retrieve(id)).cancel_at_period_end;
    });
    expect(await shop.service.entitlements('oli')).toMatchObject({ plan: 'pro' });
    await holdsOnce('oli');
  });
});

function withoutPlansFile({ PLANS_FILE: _, ...rest }: Readonly<Record<string, string>>) {
  return rest;
}
