import type Stripe from 'stripe';
import { Fixture } from './support.js';

describe('The customer portal of the Stripe simulator', () => {
  let fixture: Fixture;
  let stripe: Stripe;
  let pro: Stripe.Price;
  let team: Stripe.Price;
  let other: Stripe.Price;

  beforeAll(async () => {
    fixture = await Fixture.start();
    stripe = fixture.stripe;
    [pro, team, other] = [await fixture.price(1_000), await fixture.price(3_000), await fixture.price(5_000)];
    await stripe.billingPortal.configurations.create({
      features: {
        payment_method_update: { enabled: true },
        subscription_cancel: { enabled: true },
        subscription_update: {
          enabled: true,
          default_allowed_updates: ['price'],
          products: [pro, team].map(({ id, product }) => ({ product: String(product), prices: [id] })),
          proration_behavior: 'always_invoice',
          schedule_at_period_end: { conditions: [{ type: 'decreasing_item_amount' }] },
        },
      },
    });
  });
  afterAll(async () => fixture.close());

  async function confirming(
    subscription: Stripe.Subscription,
    price: string,
  ): Promise<Stripe.BillingPortal.Session> {
    const items = [{ id: subscription.items.data[0]?.id ?? '', price }];
    return stripe.billingPortal.sessions.create({
      customer: String(subscription.customer),
      flow_data: {
        type: 'subscription_update_confirm',
        subscription_update_confirm: { subscription: subscription.id, items },
        after_completion: { type: 'redirect', redirect: { return_url: 'https://app.example.com/changed' } },
      },
    });
  }

  async function pressed(url: string, fields: Readonly<Record<string, string>>): Promise<Response> {
    return fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
  }

  it('confirms an upgrade, which is paid at once', async () => {
    const subscription = await fixture.subscribed(pro.id);
    const { url } = await confirming(subscription, team.id);
    expect(await (await fetch(url)).text()).toContain('for 3000, 30.00 USD / month');
    const response = await pressed(url, { action: 'confirm' });
    expect(response.headers.get('location')).toBe('https://app.example.com/changed');
    const after = await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });
    expect(after.items.data).toMatchObject([{ id: subscription.items.data[0]?.id, price: { id: team.id } }]);
    expect(after.latest_invoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_update' });
  });

  it('leaves the subscription as it was when the card does not pay for the upgrade', async () => {
    const subscription = await fixture.subscribed(pro.id);
    const [method] = (await stripe.paymentMethods.list({ customer: String(subscription.customer) })).data;
    const path = `/_simulator/payment_methods/${method?.id}`;
    await fixture.simulator.control('POST', path, { token: 'pm_card_chargeDeclinedInsufficientFunds' });
    const response = await pressed((await confirming(subscription, team.id)).url, { action: 'confirm' });
    expect(response.status).toBe(402);
    expect(await response.text()).toContain('insufficient funds');
    expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
      status: 'active',
      latest_invoice: subscription.latest_invoice,
      items: { data: [{ price: { id: pro.id } }] },
    });
  });

  it('keeps a downgrade for the end of the period where its configuration says so', async () => {
    const subscription = await fixture.subscribed(team.id);
    await pressed((await confirming(subscription, pro.id)).url, { action: 'confirm' });
    const now = await stripe.subscriptions.retrieve(subscription.id);
    expect(now).toMatchObject({
      schedule: expect.any(String),
      items: { data: [{ price: { id: team.id } }] },
    });
    await fixture.daysPass(32);
    expect((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]?.price.id).toBe(pro.id);
  });

  it('refuses a link to what it would not do', async () => {
    const subscription = await fixture.subscribed(pro.id);
    await expect(confirming(subscription, other.id)).rejects.toThrow('does not include the price');
    await expect(confirming(subscription, pro.id)).rejects.toThrow('no changes to confirm');
    const several = await fixture.subscribed(pro.id, { items: [{ price: pro.id }, { price: other.id }] });
    await expect(confirming(several, team.id)).rejects.toThrow('multiple subscription items');
    const products = Array.from({ length: 11 }, () => ({ product: String(pro.product), prices: [pro.id] }));
    const features = { subscription_update: { enabled: true, products } };
    await expect(stripe.billingPortal.configurations.create({ features })).rejects.toThrow(
      'up to 10 products',
    );
  });

  it('cancels for the end of the period by cancel_at alone under flexible billing, and takes that back', async () => {
    const { id, customer, items } = await fixture.subscribed(pro.id);
    const { url } = await stripe.billingPortal.sessions.create({ customer: String(customer) });
    await pressed(url, { action: 'cancel', subscription: id });
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({
      cancel_at: items.data[0]?.current_period_end,
      cancel_at_period_end: false,
      cancellation_details: { reason: 'cancellation_requested' },
    });
    expect(await (await fetch(url)).text()).toContain("Don't cancel");
    await pressed(url, { action: 'renew', subscription: id });
    expect((await stripe.subscriptions.retrieve(id)).cancel_at).toBeNull();
  });
});
