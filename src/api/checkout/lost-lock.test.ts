import { planCatalogSchema } from '../../events/catalog.events.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import { checkoutRequest } from './checkout.schemas.js';
import { heldBy, stripeSubscription } from './held.js';
import { reuseOrExpire } from './open-sessions.js';
import { beginUpgrade } from './upgrade.js';
import type { Wanted } from './wanted.js';

const lost = {
  confirm: async () => {
    throw new Error('the lock is lost');
  },
};

/** Keeps the path of what was told Stripe. */
function gatewayTelling(paths: string[]): Pick<StripeGateway, 'write' | 'object'> {
  return {
    write: async ({ path }) => {
      paths.push(path);
      return { outcome: 'unreachable' } as never;
    },
    object: async () => ({ outcome: 'not_found' }) as never,
  };
}

describe('Whoever lost the lock of a user', () => {
  it('expires none of the sessions', async () => {
    const paths: string[] = [];
    const open = { id: 'cs_1', status: 'open', expires_at: 1 };
    await expect(reuseOrExpire(gatewayTelling(paths), [open], null, lost)).rejects.toThrow('is lost');
    expect(paths).toEqual([]);
  });

  it('voids no invoice of a change that waits', async () => {
    const paths: string[] = [];
    const catalog = planCatalogSchema.parse({ default: 'free', plans: { free: { rank: 0, role: 'free' } } });
    const subscription = stripeSubscription.parse({
      id: 'sub_1',
      status: 'active',
      customer: 'cus_1',
      items: { data: [] },
      pending_update: { expires_at: 1 },
      latest_invoice: { id: 'in_1', status: 'open' },
    });
    const request = checkoutRequest.parse({
      userId: 'ann',
      plan: 'plus',
      interval: 'monthly',
      successUrl: 'https://app.example.com/done',
      cancelUrl: 'https://app.example.com/plans',
    });
    const wanted = {
      price: { id: 'plus_m', product: 'prod_1' },
      quantity: 1,
      addons: [],
    } as unknown as Wanted;
    const upgrade = {
      request,
      wanted,
      held: heldBy(subscription, catalog),
      checkout: 'c',
      userIdKey: 'user',
    };
    const configurations = { upgrade: async () => 'bpc_1' };
    await expect(beginUpgrade(gatewayTelling(paths), configurations, upgrade, lost)).rejects.toThrow(
      'is lost',
    );
    expect(paths).toEqual([]);
  });
});
