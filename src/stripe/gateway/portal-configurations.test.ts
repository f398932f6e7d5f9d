import Stripe from 'stripe';
import { Simulator } from '../../../packages/stripe-simulator/src/index.js';
import { PortalConfigurations } from './portal-configurations.js';
import { StripeGateway } from './stripe.gateway.js';

describe("Tenure's portal configurations", () => {
  let simulator: Simulator;
  let stripe: Stripe;
  let gateway: StripeGateway;
  let now = 0;
  beforeAll(async () => {
    simulator = await Simulator.start({ start: Date.parse('2026-01-01') / 1_000, seed: 1 });
    stripe = new Stripe('sk_test_of_the_portal', { ...simulator.sdkConfig, telemetry: false });
    gateway = new StripeGateway({
      secretKey: 'sk_test_of_the_portal',
      apiBase: simulator.url,
      budget: { take: () => ({ taken: true, waitMs: 0 }) },
      onRequest: () => undefined,
    });
  });
  afterAll(async () => {
    gateway.close();
    await simulator.close();
  });

  const opened = () => new PortalConfigurations(gateway, () => now);
  const shown = (id: string) => stripe.billingPortal.configurations.retrieve(id);

  async function offered() {
    const { id: product } = await stripe.products.create({ name: 'p' });
    const recurring = { interval: 'month' as const };
    const { id } = await stripe.prices.create({ product, currency: 'usd', unit_amount: 1_000, recurring });
    return { id, product };
  }

  it('are one for whatever they allow, whoever asks, also at once; the plain one lets nobody change a plan', async () => {
    const ids = await Promise.all([opened().plain(), opened().plain()]);
    const configurations = opened();
    ids.push(await configurations.plain(), await configurations.plain());
    expect(new Set(ids).size).toBe(1);
    const { features } = await shown(ids[0] ?? '');
    expect(features).toMatchObject({
      payment_method_update: { enabled: true },
      invoice_history: { enabled: true },
      subscription_cancel: { enabled: true, mode: 'at_period_end' },
      subscription_update: { enabled: false },
    });
  });

  it('for upgrades allow one set of prices, invoiced at once, in whatever order it is given, and no cancellation', async () => {
    const [a, b] = [await offered(), await offered()];
    const configurations = opened();
    const id = await configurations.upgrade({ prices: [a, b], quantity: 'kept' });
    expect(await configurations.upgrade({ prices: [b, a], quantity: 'kept' })).toBe(id);
    expect(await configurations.upgrade({ prices: [a, b], quantity: 'may change' })).not.toBe(id);
    expect(await configurations.upgrade({ prices: [a], quantity: 'kept' })).not.toBe(id);
    expect((await shown(id)).features).toMatchObject({
      subscription_cancel: { enabled: false },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price'],
        proration_behavior: 'always_invoice',
        trial_update_behavior: 'continue_trial',
      },
    });
  });

  it('are set right where somebody changed them at Stripe, and made anew where somebody switched them off', async () => {
    const configurations = opened();
    const id = await configurations.plain();
    await stripe.billingPortal.configurations.update(id, {
      features: { subscription_cancel: { enabled: false } },
    });
    expect(await configurations.plain()).toBe(id);
    now += 600_000;
    expect(await configurations.plain()).toBe(id);
    expect((await shown(id)).features.subscription_cancel.enabled).toBe(true);
    await stripe.billingPortal.configurations.update(id, { active: false });
    now += 600_000;
    const other = await configurations.plain();
    expect((await shown(other)).active).toBe(true);
  });

  it('that were found since are not forgotten where an earlier look fails late', async () => {
    let fail = (): void => undefined;
    let pages = 0;
    const page: StripeGateway['page'] = (path, query) => {
      pages += 1;
      if (pages > 1) return gateway.page(path, query);
      return new Promise((_, reject) => {
        fail = () => reject(new Error('late'));
      });
    };
    const write: StripeGateway['write'] = (request) => gateway.write(request);
    const configurations = new PortalConfigurations({ page, write }, () => now);
    const early = configurations.plain();
    now += 600_000;
    const id = await configurations.plain();
    const looked = pages;
    fail();
    await expect(early).rejects.toThrow('late');
    expect([await configurations.plain(), pages]).toEqual([id, looked]);
  });
});
