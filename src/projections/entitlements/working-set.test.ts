import { setImmediate } from 'node:timers/promises';
import {
  checkoutFact,
  DAWN,
  invoiceFact,
  line,
  observation,
  subscriptionState,
} from '../../../test/support/lives.facts.js';
import { planCatalogSchema } from '../../events/catalog.events.js';
import type { Entitlement } from '../../policy/entitlement.js';
import { judge } from '../../policy/judge.js';
import { FactsLoader } from './facts-loader.js';
import { bytesBeside } from './shared-parts.js';
import { WorkingSet } from './working-set.js';

const FREE: Entitlement = {
  role: 'free',
  plan: 'free',
  status: 'none',
  features: [],
  limits: {},
  subscriptionActive: false,
  expiresAt: null,
  cancelAt: null,
  pendingPayment: null,
  source: null,
  unmappedPrices: [],
  validUntil: null,
};

/** Facts of which the database has the ids alone: what is asked for is there, and everything that was asked is noted. */
function loaded(): {
  readonly workingSet: WorkingSet;
  readonly loader: FactsLoader;
  readonly asked: string[];
} {
  const workingSet = new WorkingSet();
  const asked: string[] = [];
  const loader = new FactsLoader(
    {
      query: async (statement) => {
        const { text, values = [] } = typeof statement === 'string' ? { text: statement } : statement;
        const [, ids] = values;
        const list = Array.isArray(ids) ? ids.map(String) : [];
        if (text.startsWith('select key.id as user_id')) {
          asked.push(...list);
          const nothing = { snapshot: null, purchases: [], grants: [], overrides: [] };
          return { rows: list.map((id) => ({ ...nothing, user_id: id, subscriptions: [`sub_${id}`] })) };
        }
        return { rows: [] };
      },
    },
    1,
    workingSet,
  );
  return { workingSet: workingSet, loader, asked };
}

describe('Facts in memory', () => {
  it('are one thing to all who load them at the same time', async () => {
    const asked = new Set<string>();
    const isSecond = (text: string): boolean => asked.has(text) || !asked.add(text);
    const loader = new FactsLoader(
      {
        // The first to ask goes on before the second has its answer.
        query: async (statement) => {
          const text = typeof statement === 'string' ? statement : statement.text;
          if (isSecond(text)) await setImmediate();
          return { rows: [] };
        },
      },
      1,
      new WorkingSet(),
    );
    const { payments } = loader;
    const loads: readonly (() => Promise<unknown>)[] = [
      () => loader.subscription('sub_1'),
      () => loader.customer('cus_1'),
      () => loader.checkout('cs_1'),
      () => payments.payment('pi_1'),
      async () => (await payments.invoices(['in_1']))[0],
    ];
    for (const load of loads) {
      const [one, other] = await Promise.all([load(), load()]);
      expect(one).toBe(other);
    }
  });

  it('are dropped by what they take, those first that were not used for the longest time, with whom they belong to', async () => {
    const { workingSet: facts, loader, asked } = loaded();
    for (const user of ['ann', 'bob', 'cleo']) {
      await loader.users([user], FREE);
      const row = facts.subscriptions.get(`sub_${user}`);
      if (row === undefined) throw new Error('a subscription was loaded and is not there');
      facts.setOwnerOf(row, user);
    }
    facts.keepWithin(1_000_000);
    await loader.users(['ann'], FREE);
    await loader.subscriptions(['sub_ann']);
    expect(asked).toEqual(['ann', 'bob', 'cleo']);
    facts.keepWithin(6_000); // two users with a subscription each
    expect([...facts.subscriptions.keys()].sort()).toEqual(['sub_ann', 'sub_cleo']);
    expect([...facts.wholeUsers].sort()).toEqual(['ann', 'cleo']);
    expect(facts.subscriptionsOfUser('bob')).toEqual([]);
    await loader.users(['ann', 'bob'], FREE);
    expect(asked.slice(3)).toEqual(['bob']);
    facts.keepWithin(0);
    expect([facts.subscriptions.size, facts.users.size, facts.wholeUsers.size]).toEqual([0, 0, 0]);
  });

  it('take their facts, each once', async () => {
    const { workingSet: facts, loader } = loaded();
    await loader.customers(['cus_1', 'cus_2']);
    const row = facts.customers.get('cus_1');
    if (row === undefined) throw new Error('a customer was loaded and is not there');
    row.observations = [
      { eventId: 'e'.repeat(50_000), stripeType: 'customer.updated', created: 1, userId: null },
    ];
    for (let n = 0; n < 5; n += 1) {
      await loader.customers(['cus_1']);
      facts.keepWithin(70_000);
    }
    expect([...facts.customers.keys()]).toEqual(['cus_1', 'cus_2']);
    facts.keepWithin(50_000);
    expect([...facts.customers.keys()]).toEqual([]);
  });

  it('of a user are the same object, with what was told since of sessions, subscriptions and whose they are', async () => {
    const { workingSet: facts, loader } = loaded();
    await loader.users(['ann'], FREE);
    const [subscription] = facts.subscriptions.values();
    if (subscription === undefined) throw new Error('a subscription was loaded and is not there');
    facts.setOwnerOf(subscription, 'ann');
    const before = facts.factsOfUser('ann');
    expect(before.subscriptions).toMatchObject([{ subscription: 'sub_ann', checkouts: [] }]);

    await loader.checkouts(['cs_1']);
    const session = facts.checkouts.get('cs_1');
    if (session === undefined) throw new Error('a checkout was loaded and is not there');
    for (const [nth, type] of (['CheckoutCompleted', 'CheckoutPaymentSucceeded'] as const).entries()) {
      session.observations.push(checkoutFact(`evt_${nth}`, type, nth, '', 'unpaid'));
      facts.setNamesOf(session, { customer: null, subscription: 'sub_ann' });
      const after = facts.factsOfUser('ann');
      expect(after).toBe(before);
      expect(after.subscriptions).toMatchObject([{ checkouts: session.observations }]);
    }
    facts.setOwnerOf(subscription, 'bob');
    expect(facts.factsOfUser('ann').subscriptions).toEqual([]);
    expect(facts.factsOfUser('bob').subscriptions).toEqual([subscription]);
  });

  it('take with them what is kept of thousands of lines paid, and of how a user of many was judged', async () => {
    const { workingSet: facts, loader } = loaded();
    await loader.users(['ann'], FREE);
    await loader.subscriptions(Array.from({ length: 9 }, (_, n) => `sub_${n}`));
    for (const row of facts.subscriptions.values()) {
      facts.setOwnerOf(row, 'ann');
      row.observations.push(observation('evt_1', '', DAWN, subscriptionState(row.subscription, {})));
    }
    const paid = facts.subscriptions.get('sub_8');
    const lines = Array.from({ length: 1_000 }, (_, n) => line('plus_m', 1, DAWN + n, DAWN + n + 1));
    const invoice = { invoice: 'in_1', subscription: 'sub_8', status: 'paid' as const, created: DAWN, lines };
    paid?.invoices.push(invoiceFact('evt_2', 'invoice.paid', DAWN, invoice));
    const told = [...facts.subscriptions.values()].flatMap(({ observations, invoices }) => [
      ...observations,
      ...invoices,
    ]);
    const bytes = told.reduce((sum, fact) => sum + bytesBeside(undefined, fact), 0);
    facts.keepWithin(bytes + 15_000);
    expect(facts.users.size).toBe(1);

    const catalog = planCatalogSchema.parse({ default: 'free', plans: { free: { rank: 0, role: 'free' } } });
    judge(facts.factsOfUser('ann'), catalog, DAWN * 1000);
    await loader.subscriptions(['sub_8']);
    await loader.users(['ann'], FREE);
    const kept = 1_000 * 650 + 10 * 6_500;
    facts.keepWithin(bytes + kept + 15_000);
    expect(facts.users.size).toBe(1);
    facts.keepWithin(bytes + kept);
    expect(facts.users.size).toBe(0);
  });
});
