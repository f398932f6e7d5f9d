import type Stripe from 'stripe';
import { Fixture } from './support.js';

describe('An invoice of the Stripe simulator', () => {
  let fixture: Fixture;
  let stripe: Stripe;

  beforeAll(async () => {
    fixture = await Fixture.start();
    stripe = fixture.stripe;
  });
  afterAll(async () => fixture.close());

  async function latest(subscription: string): Promise<Stripe.Invoice> {
    const { latest_invoice } = await stripe.subscriptions.retrieve(subscription, {
      expand: ['latest_invoice'],
    });
    return latest_invoice as Stripe.Invoice;
  }

  it.each([
    ['graduated', 5 * 100 + 7 * 50],
    ['volume', 12 * 50],
  ] as const)('asks by tiers: %s', async (tiers_mode, amount) => {
    const { id: product } = await stripe.products.create({ name: 'Seats' });
    const tiers: Stripe.PriceCreateParams.Tier[] = [
      { up_to: 5, unit_amount: 100 },
      { up_to: 'inf', unit_amount: 50 },
    ];
    const recurring = { interval: 'month' as const };
    const price = {
      product,
      currency: 'usd',
      billing_scheme: 'tiered' as const,
      tiers_mode,
      tiers,
      recurring,
    };
    const { id } = await stripe.prices.create(price);
    const subscription = await fixture.subscribed(id, { items: [{ price: id, quantity: 12 }] });
    expect(await latest(subscription.id)).toMatchObject({ amount_paid: amount });
  });

  it('asks for what was used of a metered price when the period has ended', async () => {
    const recurring = { interval: 'month' as const, usage_type: 'metered' as const };
    const { id: price } = await fixture.price(3, { recurring });
    const { id, items } = await fixture.subscribed(price);
    expect(await latest(id)).toMatchObject({ status: 'paid', total: 0 });
    const use = { subscription_item: items.data[0]?.id, units: 40 };
    await fixture.simulator.control('POST', '/_simulator/usage', use);
    await fixture.daysPass(32);
    expect(await latest(id)).toMatchObject({ billing_reason: 'subscription_cycle', amount_paid: 120 });
  });

  it('uses up what the customer has as credit', async () => {
    const { id: price } = await fixture.price(1_000);
    const customer = await fixture.buyer();
    await stripe.customers.createBalanceTransaction(customer.id, { amount: -1_500, currency: 'usd' });
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price }] });
    expect(await latest(id)).toMatchObject({
      starting_balance: -1_500,
      ending_balance: -500,
      amount_due: 0,
      status: 'paid',
    });
    await fixture.daysPass(32);
    expect(await latest(id)).toMatchObject({ amount_due: 500, amount_paid: 500 });
  });

  it('keeps what is left of a changed item for the next one, unless it is asked for at once', async () => {
    const [pro, team] = [await fixture.price(1_000), await fixture.price(3_000)];
    const before = await fixture.subscribed(pro.id);
    await fixture.daysPass(10);
    const item = { id: before.items.data[0]?.id ?? '', price: team.id };
    const after = await stripe.subscriptions.update(before.id, { items: [item] });
    expect(after.latest_invoice).toBe(before.latest_invoice);
    const pending = await stripe.invoiceItems.list({ customer: String(before.customer), pending: true });
    expect(pending.data).toMatchObject([{ proration: true }, { proration: true }]);
    await fixture.daysPass(22);
    const { lines, billing_reason } = await latest(before.id);
    expect(billing_reason).toBe('subscription_cycle');
    expect(lines.data).toHaveLength(3);
  });

  it('can be paid elsewhere, voided and written off; what was past due is active then', async () => {
    const { id: price } = await fixture.price(1_000);
    const pastDue = async (): Promise<Stripe.Invoice> => {
      const { id, customer } = await fixture.subscribed(price);
      const [method] = (await stripe.paymentMethods.list({ customer: String(customer) })).data;
      const path = `/_simulator/payment_methods/${method?.id}`;
      await fixture.simulator.control('POST', path, { token: 'pm_card_chargeCustomerFail' });
      await fixture.daysPass(33);
      expect((await stripe.subscriptions.retrieve(id)).status).toBe('past_due');
      return latest(id);
    };
    const ways = {
      paid: (id: string) => stripe.invoices.pay(id, { paid_out_of_band: true }),
      void: (id: string) => stripe.invoices.voidInvoice(id),
      uncollectible: (id: string) => stripe.invoices.markUncollectible(id),
    };
    for (const [status, way] of Object.entries(ways)) {
      const { id, parent } = await pastDue();
      expect((await way(id)).status).toBe(status);
      const subscription = String(parent?.subscription_details?.subscription);
      expect((await stripe.subscriptions.retrieve(subscription)).status).toBe('active');
    }
  });

  it('is made by hand of items, and asks for nothing that was deleted', async () => {
    const { id: customer } = await fixture.buyer();
    const { id: gone } = await stripe.invoiceItems.create({ customer, amount: 900, currency: 'usd' });
    await stripe.invoiceItems.del(gone);
    const draft = await stripe.invoices.create({ customer, currency: 'usd' });
    await stripe.invoiceItems.create({
      customer,
      invoice: draft.id,
      amount: 700,
      currency: 'usd',
      description: 'Setup',
    });
    expect(await stripe.invoices.pay(draft.id)).toMatchObject({
      status: 'paid',
      amount_paid: 700,
      billing_reason: 'manual',
    });
  });

  it('entitles the customer to the features of its products, while the subscription gives something', async () => {
    const { id, product } = await fixture.price(1_000);
    const feature = await stripe.entitlements.features.create({ lookup_key: 'export', name: 'Export' });
    await stripe.products.createFeature(String(product), { entitlement_feature: feature.id });
    const subscription = await fixture.subscribed(id);
    const customer = String(subscription.customer);
    const entitled = async (): Promise<readonly string[]> => {
      const { data } = await stripe.entitlements.activeEntitlements.list({ customer });
      return data.map(({ lookup_key }) => lookup_key);
    };
    expect(await entitled()).toEqual(['export']);
    await stripe.subscriptions.cancel(subscription.id);
    expect(await entitled()).toEqual([]);
    const { data } = await stripe.events.list({ type: 'entitlements.active_entitlement_summary.updated' });
    expect(data).toHaveLength(2);
  });
});
