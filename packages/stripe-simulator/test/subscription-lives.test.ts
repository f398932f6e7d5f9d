import Stripe from 'stripe';
import { Simulator } from '../src/index.js';

const START = Date.UTC(2024, 0, 31, 12) / 1_000;
const DAY = 86_400;

describe('A life of a subscription in the Stripe simulator', () => {
  let simulator: Simulator;
  let stripe: Stripe;
  let pro: Stripe.Price;
  let team: Stripe.Price;

  beforeAll(async () => {
    simulator = await Simulator.start({ start: START });
    stripe = new Stripe('sk_test_of_the_tests', {
      ...simulator.sdkConfig,
      maxNetworkRetries: 0,
      telemetry: false,
    });
    const product = await stripe.products.create({ name: 'Pro' });
    pro = await monthly(product.id, 1_000);
    team = await monthly((await stripe.products.create({ name: 'Team' })).id, 3_000);
  });
  afterAll(async () => simulator.close());

  async function monthly(product: string, unit_amount: number): Promise<Stripe.Price> {
    return stripe.prices.create({ product, currency: 'usd', unit_amount, recurring: { interval: 'month' } });
  }

  async function buyer(token = 'pm_card_visa'): Promise<Stripe.Customer> {
    const customer = await stripe.customers.create({
      email: 'buyer@example.com',
      metadata: { user_id: 'u1' },
    });
    const method = await stripe.paymentMethods.attach(token, { customer: customer.id });
    return stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } });
  }

  async function subscribed(
    more: Partial<Stripe.SubscriptionCreateParams> = {},
    token?: string,
  ): Promise<Stripe.Subscription> {
    const customer = await buyer(token);
    return stripe.subscriptions.create({ customer: customer.id, items: [{ price: pro.id }], ...more });
  }

  async function eventsOf(id: string): Promise<readonly string[]> {
    const { data } = await stripe.events.list({ limit: 100 });
    const about = data.filter(({ data: { object } }) => JSON.stringify(object).includes(id));
    return about.map(({ type }) => type).reverse();
  }

  async function daysPass(days: number): Promise<void> {
    await simulator.moveTo(simulator.account.now + days * DAY);
  }

  it('begins active and paid, and is told by the events that Stripe tells', async () => {
    const subscription = await subscribed({
      metadata: { user_id: 'u1' },
      expand: ['latest_invoice.payments'],
    });
    expect(subscription).toMatchObject({
      status: 'active',
      cancel_at_period_end: false,
      metadata: { user_id: 'u1' },
    });
    const invoice = subscription.latest_invoice as Stripe.Invoice;
    expect(invoice).toMatchObject({
      status: 'paid',
      amount_paid: 1_000,
      billing_reason: 'subscription_create',
    });
    expect(invoice.payments?.data[0]).toMatchObject({ status: 'paid', payment: { type: 'payment_intent' } });
    expect(await eventsOf(subscription.id)).toEqual([
      'invoice.created',
      'invoice.finalized',
      'invoice.updated',
      'invoice.paid',
      'invoice.payment_succeeded',
      'customer.subscription.created',
    ]);
  });

  it('renews on the last day of a month that is too short for its anchor', async () => {
    const { id, items } = await subscribed();
    expect(new Date((items.data[0]?.current_period_end ?? 0) * 1_000).toISOString()).toBe(
      '2024-02-29T12:00:00.000Z',
    );
    await daysPass(31);
    const renewed = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] });
    expect(renewed.items.data[0]?.current_period_end).toBe(Date.UTC(2024, 2, 31, 12) / 1_000);
    expect(renewed.latest_invoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_cycle' });
    const { data } = await stripe.events.list({ type: 'customer.subscription.updated', limit: 1 });
    expect(Object.keys(data[0]?.data.previous_attributes ?? {}).sort()).toEqual(['items', 'latest_invoice']);
  });

  it('is past due while its renewal is dunned, and canceled when the last attempt has failed', async () => {
    const { id, customer } = await subscribed();
    const methods = await stripe.paymentMethods.list({ customer: String(customer) });
    await simulator.control('POST', `/_simulator/payment_methods/${methods.data[0]?.id}`, {
      token: 'pm_card_chargeDeclinedInsufficientFunds',
    });
    await daysPass(33);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'past_due' });
    await daysPass(8);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({
      status: 'canceled',
      cancellation_details: { reason: 'payment_failed' },
    });
    const [invoice] = (await stripe.invoices.list({ subscription: id })).data;
    expect(invoice).toMatchObject({ status: 'open', attempt_count: 4, next_payment_attempt: null });
  });

  it('is incomplete while its first payment is declined, and expires after 23 hours', async () => {
    const { id, status } = await subscribed({}, 'pm_card_chargeCustomerFail');
    expect(status).toBe('incomplete');
    await daysPass(1);
    const expired = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] });
    expect(expired).toMatchObject({ status: 'incomplete_expired', latest_invoice: { status: 'void' } });
  });

  it('keeps its items while an upgrade under pending_if_incomplete is unpaid, and takes them when it is paid', async () => {
    const before = await subscribed();
    const customer = String(before.customer);
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
    await stripe.subscriptions.update(before.id, { default_payment_method: failing.id });
    const pending = await stripe.subscriptions.update(before.id, {
      items: [{ id: before.items.data[0]?.id ?? '', price: team.id }],
      payment_behavior: 'pending_if_incomplete',
      proration_behavior: 'always_invoice',
    });
    expect(pending.items.data[0]?.price.id).toBe(pro.id);
    expect(pending.pending_update?.subscription_items?.[0]?.price.id).toBe(team.id);
    await stripe.invoices.pay(String(pending.latest_invoice), { payment_method: 'pm_card_visa' });
    const applied = await stripe.subscriptions.retrieve(before.id);
    expect(applied.pending_update).toBeNull();
    expect(applied.items.data[0]?.price.id).toBe(team.id);
    expect(await eventsOf(before.id)).toContain('customer.subscription.pending_update_applied');
  });

  it('pays for the rest of the month when it is changed for something dearer', async () => {
    const before = await subscribed();
    await daysPass(10);
    const after = await stripe.subscriptions.update(before.id, {
      items: [{ id: before.items.data[0]?.id ?? '', price: team.id }],
      proration_behavior: 'always_invoice',
      expand: ['latest_invoice'],
    });
    const invoice = after.latest_invoice as Stripe.Invoice;
    const [credit, charge] = invoice.lines.data.map(({ amount }) => amount);
    expect(invoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_update' });
    expect(credit).toBeLessThan(0);
    expect(Math.abs((charge ?? 0) + 3 * (credit ?? 0))).toBeLessThan(3);
    expect(invoice.amount_paid).toBe((credit ?? 0) + (charge ?? 0));
  });

  it('ends with its period when it was canceled for then', async () => {
    const { id } = await subscribed();
    const set = await stripe.subscriptions.update(id, { cancel_at_period_end: true });
    expect(set.cancel_at).toBe(set.items.data[0]?.current_period_end);
    await daysPass(32);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({
      status: 'canceled',
      ended_at: set.cancel_at,
    });
  });

  it('tells of the end of its trial three days before, and is paused without a way to pay', async () => {
    const customer = await stripe.customers.create({});
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: pro.id }],
      trial_period_days: 14,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    });
    await daysPass(12);
    expect(await eventsOf(id)).toContain('customer.subscription.trial_will_end');
    await daysPass(3);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'paused' });
    await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id });
    const [method] = (await stripe.paymentMethods.list({ customer: customer.id })).data;
    await stripe.subscriptions.update(id, { default_payment_method: method?.id ?? '' });
    expect(await stripe.subscriptions.resume(id)).toMatchObject({ status: 'active' });
    expect(await eventsOf(id)).toContain('customer.subscription.resumed');
  });

  it('stays paused until the invoice of its resumption is paid, which is void after 23 hours', async () => {
    const { id, customer } = await subscribed();
    const methods = await stripe.paymentMethods.list({ customer: String(customer) });
    const path = `/_simulator/payment_methods/${methods.data[0]?.id}`;
    expect(await stripe.subscriptions.pause(id)).toMatchObject({ status: 'paused' });
    await simulator.control('POST', path, { token: 'pm_card_chargeCustomerFail' });
    const { status, latest_invoice } = await stripe.subscriptions.resume(id);
    expect(status).toBe('paused');
    await daysPass(1);
    expect((await stripe.invoices.retrieve(String(latest_invoice))).status).toBe('void');
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('paused');
    await simulator.control('POST', path, { token: 'pm_card_visa' });
    expect(await stripe.subscriptions.resume(id)).toMatchObject({ status: 'active' });
  });

  it('shows ten of its items, and lists all', async () => {
    const prices = await Promise.all(
      Array.from({ length: 12 }, (_, n) => monthly(String(pro.product), 100 + n)),
    );
    const { id, items } = await subscribed({ items: prices.map(({ id: price }) => ({ price })) });
    expect(items).toMatchObject({ has_more: true });
    expect(items.data).toHaveLength(10);
    expect(
      await stripe.subscriptionItems.list({ subscription: id }).autoPagingToArray({ limit: 50 }),
    ).toHaveLength(12);
    const { latest_invoice } = await stripe.subscriptions.retrieve(id);
    const invoice = await stripe.invoices.retrieve(String(latest_invoice));
    expect(invoice.lines.has_more).toBe(true);
    const lines = stripe.invoices.listLineItems(invoice.id, { limit: 5 });
    expect(await lines.autoPagingToArray({ limit: 50 })).toHaveLength(12);
  });
});
