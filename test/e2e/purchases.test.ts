import { holdUntilSeen } from '../support/held-checkouts.js';
import { until } from '../support/until.js';
import { APP, Shop } from './support/shop.js';

const TIMEOUT_MS = 240_000;
const FOR_GOOD = { plan: 'pro', interval: 'lifetime' };

describe('A plan that is sold once', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await Shop.open();
    holdUntilSeen(shop.service.tenure);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await shop?.close();
  });

  /** A session that somebody else than Tenure made. */
  async function soldElsewhere(more: object, quantity = 1): Promise<string> {
    const session = await shop.stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ price: shop.prices.proOnce ?? '', quantity }],
      success_url: APP,
      ...more,
    });
    return session.id;
  }

  async function paymentOf(session: string): Promise<string> {
    const { payment_intent: intent } = await shop.stripe.checkout.sessions.retrieve(session);
    return String(intent);
  }

  async function reasonOf(userId: string, session: string): Promise<unknown> {
    const { body } = await shop.service.get(`/v1/users/${userId}/entitlements?explain=true`);
    const reasons: readonly { readonly of: string; readonly code: string }[] = body.reasons;
    return reasons.find(({ of }) => of === `purchase:${session}`)?.code;
  }

  it('is bought on its page, kept without end, and gone once it is refunded in full', async () => {
    const { sessionId } = await shop.buy('ann', FOR_GOOD);
    expect(await shop.service.entitlements('ann')).toMatchObject({
      plan: 'pro',
      status: 'active',
      limits: { projects: 10 },
      subscriptionActive: false,
      expiresAt: null,
      validUntil: null,
      source: { type: 'purchase', sessionId },
    });
    expect(await reasonOf('ann', sessionId)).toBe('purchase_paid');

    await shop.later();
    await shop.stripe.refunds.create({ payment_intent: await paymentOf(sessionId), amount: 1_000 });
    await shop.heard();
    expect(await shop.service.entitlements('ann')).toMatchObject({ plan: 'pro', status: 'active' });

    await shop.later();
    await shop.stripe.refunds.create({ payment_intent: await paymentOf(sessionId) });
    await shop.heard();
    await until('the refund shows', async () => (await shop.service.entitlements('ann')).status === 'unpaid');
    expect(await shop.service.entitlements('ann')).toMatchObject({ plan: 'free', source: null });
    expect(await reasonOf('ann', sessionId)).toBe('purchase_refunded');
  });

  it('is known by its line items where another made the session, before the buyer is sent back', async () => {
    const session = await soldElsewhere({ metadata: { user_id: 'bob' } }, 2);
    await shop.pay(session);
    expect(await shop.service.entitlements('bob')).toMatchObject({
      plan: 'pro',
      limits: { projects: 20 },
      source: { type: 'purchase', sessionId: session },
    });
  });

  it('of a guest belongs to whom ops say', async () => {
    const session = await soldElsewhere({});
    await shop.pay(session);
    const unlinked = await shop.service.get('/v1/ops/unlinked');
    expect(unlinked.body.items).toContainEqual({ kind: 'checkout', id: session, customer: null });
    const linked = await shop.service.ask('PUT', `/v1/checkouts/${session}/link`, { userId: 'cleo' });
    expect(linked.body).toMatchObject({ outcome: 'applied', event: 'CheckoutLinked' });
    const { position } = linked.body;
    const seen = await shop.service.get(`/v1/users/cleo/entitlements?minPosition=${position}`);
    expect(seen.body).toMatchObject({ plan: 'pro', status: 'active' });
  });
});
