import Stripe from 'stripe';
import { Simulator } from '../src/index.js';

const START = Date.UTC(2024, 0, 1) / 1_000;
const DAY = 86_400;

describe('A checkout in the Stripe simulator', () => {
  let simulator: Simulator;
  let stripe: Stripe;
  let pro: string;
  let lifetime: string;

  beforeAll(async () => {
    simulator = await Simulator.start({ start: START });
    stripe = new Stripe('sk_test_of_the_tests', {
      ...simulator.sdkConfig,
      maxNetworkRetries: 0,
      telemetry: false,
    });
    const { id: product } = await stripe.products.create({ name: 'Pro & more' });
    const price = { product, currency: 'usd' };
    pro = (await stripe.prices.create({ ...price, unit_amount: 1_000, recurring: { interval: 'month' } })).id;
    lifetime = (await stripe.prices.create({ ...price, unit_amount: 9_000 })).id;
  });
  afterAll(async () => simulator.close());

  type SessionParams = Stripe.Checkout.SessionCreateParams;

  async function opened(more: Partial<SessionParams> = {}): Promise<Stripe.Checkout.Session> {
    return stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: pro, quantity: 1 }],
      success_url: 'https://app.example.com/done?session={CHECKOUT_SESSION_ID}',
      cancel_url: 'https://app.example.com/back',
      client_reference_id: 'user_1',
      ...more,
    });
  }

  async function completed(
    more: Partial<SessionParams> = {},
    purchase: object = {},
  ): Promise<Stripe.Checkout.Session> {
    const { id } = await opened(more);
    await simulator.control('POST', `/_simulator/checkout/sessions/${id}/complete`, purchase);
    return stripe.checkout.sessions.retrieve(id);
  }

  async function typesAbout(session: Stripe.Checkout.Session): Promise<readonly string[]> {
    const { data } = await stripe.events.list({ limit: 100 });
    const about = data.filter(({ data: { object } }) => JSON.stringify(object).includes(session.id));
    return about.map(({ type }) => type).reverse();
  }

  async function sent(
    session: Stripe.Checkout.Session,
    fields: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const body = new URLSearchParams(fields);
    return fetch(session.url ?? '', { method: 'POST', body, redirect: 'manual' });
  }

  it('of a subscription makes the customer, the subscription and its paid invoice', async () => {
    const session = await completed(
      { subscription_data: { metadata: { user_id: 'u1' } } },
      { email: 'ada@example.com' },
    );
    expect(session).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      client_reference_id: 'user_1',
      amount_total: 1_000,
      customer_details: { email: 'ada@example.com' },
    });
    const subscription = await stripe.subscriptions.retrieve(String(session.subscription));
    expect(subscription).toMatchObject({
      status: 'active',
      customer: session.customer,
      latest_invoice: session.invoice,
      metadata: { user_id: 'u1' },
    });
    const { data } = await stripe.events.list({
      types: ['customer.subscription.created', 'customer.subscription.updated'],
      limit: 2,
    });
    expect(data.map((event) => (event.data.object as Stripe.Subscription).status)).toEqual([
      'active',
      'incomplete',
    ]);
    expect(data[0]?.data.previous_attributes).toMatchObject({ status: 'incomplete' });
    const { data: lines } = await stripe.checkout.sessions.listLineItems(session.id);
    expect(lines).toMatchObject([{ description: 'Pro & more', quantity: 1, price: { id: pro } }]);
  });

  it('of a trial asks for nothing yet', async () => {
    const session = await completed(
      { subscription_data: { trial_period_days: 7 }, payment_method_collection: 'if_required' },
      { token: null },
    );
    expect(session).toMatchObject({ payment_status: 'no_payment_required', amount_total: 0 });
    expect(await stripe.subscriptions.retrieve(String(session.subscription))).toMatchObject({
      status: 'trialing',
    });
  });

  it.each([
    ['succeeds', 'pm_usBankAccount_success', 'paid', 'checkout.session.async_payment_succeeded'],
    ['fails', 'pm_usBankAccount_insufficientFunds', 'unpaid', 'checkout.session.async_payment_failed'],
  ])('by a bank debit is unpaid first, and told when that %s', async (_, token, paymentStatus, type) => {
    const session = await completed({ mode: 'payment', line_items: [{ price: lifetime }] }, { token });
    expect(session).toMatchObject({ status: 'complete', payment_status: 'unpaid' });
    await simulator.moveTo(simulator.account.now + 5 * DAY);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      payment_status: paymentStatus,
    });
    expect(await typesAbout(session)).toEqual(['checkout.session.completed', type]);
  });

  it('of a card alone keeps it', async () => {
    const customer = await stripe.customers.create({});
    const session = await completed({
      mode: 'setup',
      line_items: [],
      currency: 'usd',
      customer: customer.id,
    });
    expect(session).toMatchObject({
      status: 'complete',
      payment_status: 'no_payment_required',
      amount_total: null,
    });
    expect(session.setup_intent).toMatch(/^seti_/);
    expect((await stripe.paymentMethods.list({ customer: customer.id })).data).toHaveLength(1);
  });

  it('expires a day later, and can be completed no more', async () => {
    const session = await opened();
    await simulator.moveTo(simulator.account.now + DAY);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: 'expired',
      url: null,
    });
    expect(await typesAbout(session)).toEqual(['checkout.session.expired']);
    const late = simulator.control('POST', `/_simulator/checkout/sessions/${session.id}/complete`, {});
    await expect(late).rejects.toMatchObject({ status: 400 });
    expect((await fetch(`${simulator.url}/c/pay/${session.id}`)).status).toBe(410);
  });

  it('takes what a promotion code takes off, once', async () => {
    const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'once' });
    await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'HELLO' });
    const session = await opened({ allow_promotion_codes: true });
    expect((await sent(session, { card: '4242424242424242', promotion_code: 'nope' })).status).toBe(402);
    expect((await sent(session, { card: '4242424242424242', promotion_code: 'hello' })).status).toBe(303);
    const { invoice, subscription } = await stripe.checkout.sessions.retrieve(session.id, {
      expand: ['invoice'],
    });
    expect(invoice).toMatchObject({
      subtotal: 1_000,
      total: 750,
      amount_paid: 750,
      total_discount_amounts: [{ amount: 250 }],
    });
    await simulator.moveTo(simulator.account.now + 32 * DAY);
    const { latest_invoice } = await stripe.subscriptions.retrieve(String(subscription), {
      expand: ['latest_invoice'],
    });
    expect(latest_invoice).toMatchObject({ total: 1_000, status: 'paid' });
  });

  describe('on its page', () => {
    it('shows what is bought, and leads to the success page when the card pays', async () => {
      const session = await opened({ customer_email: 'ada@example.com' });
      const html = await (await fetch(session.url ?? '')).text();
      for (const shown of [
        'Pro &#38; more',
        '10.00 USD',
        'ada@example.com',
        'https://app.example.com/back',
      ]) {
        expect(html).toContain(shown);
      }
      const response = await sent(session, {
        card: '4242 4242 4242 4242',
        email: 'ada@example.com',
        name: 'Ada',
      });
      expect(response.status).toBe(303);
      expect(response.headers.get('location')).toBe(`https://app.example.com/done?session=${session.id}`);
      expect((await sent(session, { card: '4242424242424242' })).status).toBe(303);
      expect((await stripe.subscriptions.list({ status: 'all', limit: 1 })).data[0]?.status).toBe('active');
    });

    it('says why a card does not pay, and makes nothing', async () => {
      const session = await opened();
      const before = (await stripe.subscriptions.list({ status: 'all', limit: 100 })).data.length;
      const declined = await sent(session, { card: '4000000000009995' });
      expect(declined.status).toBe(402);
      expect(await declined.text()).toContain('Your card has insufficient funds.');
      expect(await (await sent(session, { card: '1234' })).text()).toContain(
        'Your card number is incorrect.',
      );
      expect((await stripe.checkout.sessions.retrieve(session.id)).status).toBe('open');
      expect((await stripe.subscriptions.list({ status: 'all', limit: 100 })).data).toHaveLength(before);
    });

    it('asks the buyer to prove who they are where the bank does', async () => {
      const session = await opened();
      const card = '4000002760003184';
      expect(await (await sent(session, { card })).text()).toContain('Complete authentication');
      expect((await sent(session, { card, authentication: 'failed' })).status).toBe(402);
      expect((await sent(session, { card, authentication: 'succeeded' })).status).toBe(303);
      expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ payment_status: 'paid' });
    });
  });
});
