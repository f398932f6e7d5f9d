import type Stripe from 'stripe';
import { DAY, Fixture, START } from './support.js';

describe('In the Stripe simulator', () => {
  let fixture: Fixture;
  let stripe: Stripe;

  beforeAll(async () => {
    fixture = await Fixture.start();
    stripe = fixture.stripe;
  });
  afterAll(async () => fixture.close());

  it('a schedule brings the cheaper price at the end of the period, unprorated, and lets go at its own', async () => {
    const [team, pro] = [await fixture.price(3_000), await fixture.price(1_000)];
    const { id } = await fixture.subscribed(team.id);
    const schedule = await stripe.subscriptionSchedules.create({ from_subscription: id });
    const [now] = schedule.phases;
    expect((await stripe.subscriptions.retrieve(id)).schedule).toBe(schedule.id);
    await stripe.subscriptionSchedules.update(schedule.id, {
      phases: [
        { items: [{ price: team.id }], start_date: now?.start_date ?? 0, end_date: now?.end_date ?? 0 },
        { items: [{ price: pro.id }], proration_behavior: 'none', duration: { interval: 'month' } },
      ],
    });
    await fixture.daysPass(32);
    const changed = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] });
    expect(changed.items.data).toMatchObject([{ price: { id: pro.id } }]);
    expect(changed.latest_invoice).toMatchObject({
      amount_paid: 1_000,
      billing_reason: 'subscription_cycle',
    });
    expect((await stripe.subscriptionSchedules.retrieve(schedule.id)).current_phase?.start_date).toBe(
      now?.end_date,
    );
    await fixture.daysPass(32);
    expect(await stripe.subscriptionSchedules.retrieve(schedule.id)).toMatchObject({
      status: 'released',
      released_subscription: id,
    });
    const told = await fixture.eventsOf(schedule.id);
    expect(told).toEqual(
      expect.arrayContaining(['subscription_schedule.expiring', 'subscription_schedule.released']),
    );
  });

  it('a schedule that is to cancel ends its subscription with its last phase', async () => {
    const { id: price } = await fixture.price(1_000);
    const { id: customer } = await fixture.buyer();
    const { subscription, id } = await stripe.subscriptionSchedules.create({
      customer,
      start_date: 'now',
      end_behavior: 'cancel',
      phases: [{ items: [{ price }], duration: { interval: 'month', interval_count: 2 } }],
    });
    await fixture.daysPass(62);
    expect((await stripe.subscriptionSchedules.retrieve(id)).status).toBe('completed');
    expect((await stripe.subscriptions.retrieve(String(subscription))).status).toBe('canceled');
  });

  it('a test clock moves its own customers alone, whom lists leave out', async () => {
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: START - 400 * DAY });
    const { id: price } = await fixture.price(1_000);
    const { id: customer } = await fixture.buyer('pm_card_visa', { test_clock: clock.id });
    const { id, created } = await stripe.subscriptions.create({ customer, items: [{ price }] });
    expect(created).toBe(START - 400 * DAY);
    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: START - 300 * DAY });
    expect((await stripe.invoices.list({ subscription: id })).data).toHaveLength(4);
    const all = await stripe.subscriptions.list({ status: 'all', limit: 100 });
    expect(all.data.map((row) => row.id)).not.toContain(id);
    expect((await stripe.subscriptions.list({ test_clock: clock.id })).data.map((row) => row.id)).toEqual([
      id,
    ]);
    await stripe.testHelpers.testClocks.del(clock.id);
    await expect(stripe.subscriptions.retrieve(id)).rejects.toMatchObject({ code: 'resource_missing' });
  });
});
