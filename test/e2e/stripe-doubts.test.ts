import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTenure, type Tenure } from '../../src/bootstrap.js';
import { loadSettings } from '../../src/config/settings.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { type EventEnvelope, parseEvent } from '../../src/events/event-envelope.js';
import { isRetrievedType } from '../../src/events/event-types.js';
import { eventId, verifyChain } from '../../src/events/hash-chain.js';
import { PROJECTIONS, type Projections } from '../../src/projections/projections.js';
import { holdUntilSeen } from '../support/held-checkouts.js';
import { wholeLog } from '../support/log.js';
import { AUTHORIZED, PLANS, startService, type TestService, testEnvironment } from '../support/service.js';
import { StripeApi } from '../support/stripe-api.js';
import {
  checkoutObject,
  customerObject,
  invoiceObject,
  itemObject,
  now,
  previousItems,
  type StripeEvent,
  signed,
  stripeEvent,
  subscriptionObject,
} from '../support/stripe-events.js';
import { chargeObject, disputeObject, invoicePaymentObject } from '../support/stripe-payments.js';
import { PATIENCE_MS, until } from '../support/until.js';
import { readEvents } from './support/event-reader.js';

/** A moment that ends when it is told to. */
function gate(): { readonly until: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const until = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { until, open };
}

/** Checkouts of each kind: a thousand in all in the soak. Some are bought at once. */
const CHECKOUTS = Number(process.env.CHECKOUTS ?? 12);
const AT_ONCE = 6;

let names = 0;

/** A subscription, its user, and Stripe's list of its items: the plan's price is beyond what Stripe sends at once. */
function manyItems(): { readonly id: string; readonly user: string; readonly object: object } {
  names += 1;
  const id = `sub_many${names}`;
  const prices = [...Array.from({ length: 10 }, (_, n) => `price_other${n}`), 'price_plus'];
  const items = { object: 'list', data: prices.map((price) => itemObject(price)), has_more: false };
  return {
    id,
    user: `user_${id}`,
    object: subscriptionObject(id, '', { items, livemode: false, metadata: { user_id: `user_${id}` } }),
  };
}

/** The event of a subscription whose list of items Stripe cut. */
function cutEvent({ id, user }: { id: string; user: string }, created = now() - 60): StripeEvent {
  const items = { object: 'list', data: [itemObject('price_other0')], has_more: true };
  const object = subscriptionObject(id, '', { items, metadata: { user_id: user } });
  return stripeEvent('customer.subscription.created', object, { created });
}

/** A line of an invoice on some price. */
function invoiceLine(price: string): object {
  const { lines } = invoiceObject('in_any', 'sub_any', price) as { lines: { data: [object] } };
  return lines.data[0];
}

describe('where the events of Stripe leave a doubt', () => {
  let api: StripeApi;
  let service: TestService;

  beforeAll(async () => {
    api = await StripeApi.start();
    service = await startService({ environment: api.environment });
    holdUntilSeen(service.tenure);
  });
  afterAll(async () => {
    await service.close();
    await api.close();
  });

  async function streamOf(id: string, category = 'subscription'): Promise<readonly EventEnvelope[]> {
    const stored = await service.tenure.app
      .get<EventStore>(EVENT_STORE)
      .read(`${service.stores.prefix}${category}-${id}`, 0);
    expect(verifyChain(stored)).toBeNull();
    return stored.map(parseEvent);
  }

  function retrievedFrom(id: string, category = 'subscription'): Promise<EventEnvelope> {
    return until(`an answer about ${id} in the log`, async () =>
      (await streamOf(id, category)).find(({ type }) => isRetrievedType(type)),
    );
  }

  async function counted(metric: string, outcome: string): Promise<number> {
    const { text } = await service.get('/metrics');
    return Number(new RegExp(`^${metric}\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  }

  it('a list of items that was cut is asked for whole, recorded and folded', async () => {
    const bought = manyItems();
    const shown = gate();
    api.has(bought.object);
    api.misbehaves(bought.id, { kind: 'held', until: shown.until });
    const event = cutEvent(bought);
    expect(await service.after(bought.user, event)).toMatchObject({ plan: 'free' });
    shown.open();
    const retrieved = await retrievedFrom(bought.id);
    expect(await service.entitlements(bought.user, retrieved.position)).toMatchObject({ plan: 'plus' });

    expect(retrieved.metadata).toMatchObject({
      actor: 'stripe',
      stripeEventId: null,
      stripeEventType: null,
      livemode: false,
      apiVersion: '2026-10-28.endive',
      causationId: `retrieved/${bought.id}/${event.id}`,
    });
    expect(retrieved.metadata.stripeCreated).toBeGreaterThan(now() - 60);
    expect(retrieved.id).toBe(eventId(`retrieved/${bought.id}/${event.id}`, retrieved.metadata.hash));
    const [asked] = api.askedFor(bought.id);
    expect(asked?.headers.authorization).toBe(`Bearer ${api.key}`);
  });

  it('an invoice whose lines were cut is asked for whole, and pays for what its other lines name', async () => {
    const plan = (price: string) =>
      subscriptionObject('sub_long', price, { metadata: { user_id: 'u_long' } });
    await service.deliver(
      stripeEvent('customer.subscription.created', plan('price_plus'), { created: now() - 90 }),
    );
    const upgraded = stripeEvent('customer.subscription.updated', plan('price_pro'), {
      created: now() - 60,
      previous: { items: previousItems('price_plus') },
    });
    expect(await service.after('u_long', upgraded)).toMatchObject({ plan: 'plus' });
    const reason = { billing_reason: 'subscription_update', livemode: false };
    const paid = invoiceObject('in_long', 'sub_long', 'price_pro', reason) as { lines: { data: object[] } };
    const others = Array.from({ length: 10 }, (_, n) => ({ ...invoiceLine('price_other'), id: `il_${n}` }));
    api.has({ ...paid, lines: { ...paid.lines, data: [...others, ...paid.lines.data] } });
    const cut = { ...paid, lines: { object: 'list', data: others, has_more: true } };
    const event = stripeEvent('invoice.paid', cut, { created: now() - 30 });
    await service.deliver(event);
    const { metadata, position } = await retrievedFrom('sub_long');
    expect(metadata.causationId).toBe(`retrieved/in_long/${event.id}`);
    expect(await service.entitlements('u_long', position)).toMatchObject({
      plan: 'pro',
      pendingPayment: null,
    });
  });

  it('the payment of a dispute of which nobody said what it paid is asked about, and its invoice is taken back', async () => {
    const plan = subscriptionObject('sub_back', 'price_plus', { metadata: { user_id: 'u_back' } });
    const bought = stripeEvent('customer.subscription.created', plan, { created: now() - 90 });
    await service.deliver(bought);
    const paid = invoiceObject('in_back', 'sub_back', 'price_plus', { livemode: false });
    const told = stripeEvent('invoice.paid', paid, { created: now() - 90 });
    expect(await service.after('u_back', told)).toMatchObject({ plan: 'plus' });
    api.has(invoicePaymentObject('inpay_back', 'in_back', 'pi_back'));
    const disputed = stripeEvent('charge.dispute.created', disputeObject('du_1', 'ch_1', 'pi_back'));
    await service.deliver(disputed);
    const { metadata, data, position } = await retrievedFrom('pi_back', 'payment');
    expect(metadata.causationId).toBe(`retrieved/inpay_back/${disputed.id}`);
    expect(data).toMatchObject({ object: 'invoice_payment', invoice: 'in_back' });
    expect(await service.entitlements('u_back', position)).toMatchObject({ plan: 'free', status: 'unpaid' });
  });

  it('the payment of a refund that is of no invoice is asked about once', async () => {
    const refunded = (payment: string) =>
      stripeEvent('charge.refunded', chargeObject(`ch_${payment}`, payment));
    const asked = () =>
      api.asked.filter(({ query }) => query.get('payment[payment_intent]') === 'pi_mug').length;
    const first = refunded('pi_mug');
    await service.deliver(first);
    const { metadata, data } = await retrievedFrom('pi_mug', 'payment');
    expect(metadata.causationId).toBe(`retrieved/pi_mug/${first.id}`);
    expect(data).toMatchObject({ object: 'none', payment: 'pi_mug', invoice: null });
    await service.deliver(refunded('pi_mug'));
    await service.deliver(refunded('pi_other_mug'));
    await retrievedFrom('pi_other_mug', 'payment');
    expect(asked()).toBe(1);
  });

  it.each(['before', 'between', 'after'])(
    `a buyer whose session event comes %s the subscription’s is never told free (of ${CHECKOUTS} each)`,
    async (place) => {
      const buy = async (n: number): Promise<string> => {
        const id = `sub_${place}${n}`;
        const user = `buyer_${place}${n}`;
        const active = subscriptionObject(id, 'price_plus', { livemode: false });
        const begun = place === 'between' ? { ...active, status: 'incomplete' } : active;
        api.has(active);
        const session = checkoutObject(`cs_${place}${n}`, { subscription: id, userId: user });
        const completed = stripeEvent('checkout.session.completed', session);
        if (place !== 'before') {
          await service.receive(stripeEvent('customer.subscription.created', begun));
        }
        await service.receive(completed);
        return (await service.entitlements(user)).plan;
      };
      const plans: string[] = [];
      for (let first = 0; first < CHECKOUTS; first += AT_ONCE) {
        const length = Math.min(AT_ONCE, CHECKOUTS - first);
        plans.push(...(await Promise.all(Array.from({ length }, (_, n) => buy(first + n)))));
      }
      expect(plans).toEqual(Array(CHECKOUTS).fill('plus'));
    },
    PATIENCE_MS * 5,
  );

  it('a tie of one second is settled by what Stripe shows', async () => {
    const created = now() - 60;
    const object = subscriptionObject('sub_tie', 'price_plus', { metadata: { user_id: 'u_tie' } });
    const begun = stripeEvent('customer.subscription.created', object, { created: created - 60 });
    // Each names something else before itself than the other leaves: no order is possible, and the ids decide.
    const active = stripeEvent('customer.subscription.updated', object, {
      id: 'evt_tie_a',
      created,
      previous: { status: 'incomplete' },
    });
    const unpaid = stripeEvent(
      'customer.subscription.updated',
      { ...object, status: 'unpaid' },
      {
        id: 'evt_tie_b',
        created,
        previous: { status: 'past_due' },
      },
    );
    const shown = gate();
    api.has(object);
    api.misbehaves('sub_tie', { kind: 'held', until: shown.until });
    expect(await service.after('u_tie', begun)).toMatchObject({ plan: 'plus', status: 'active' });
    expect(await service.after('u_tie', active)).toMatchObject({ plan: 'plus', status: 'active' });
    expect(api.askedFor('sub_tie')).toEqual([]);
    expect(await service.after('u_tie', unpaid)).toMatchObject({ plan: 'free', status: 'unpaid' });
    shown.open();
    const { metadata, position } = await retrievedFrom('sub_tie');
    expect(metadata.causationId).toBe('retrieved/sub_tie/evt_tie_b');
    expect(await service.entitlements('u_tie', position)).toMatchObject({ plan: 'plus', status: 'active' });
  });

  it('whose a customer is that two events of one second give to two users, is settled by what Stripe shows', async () => {
    const bought = subscriptionObject('sub_given', 'price_plus', { metadata: {} });
    await service.deliver(stripeEvent('customer.subscription.created', bought));
    const of = (user: string) =>
      customerObject('cus_sub_given', { metadata: { user_id: user }, livemode: false });
    api.has(of('u_given'));
    const created = now() - 60;
    const told = (id: string, user: string) => stripeEvent('customer.updated', of(user), { id, created });
    await service.deliver(told('evt_given_a', 'u_given'));
    await service.deliver(told('evt_given_b', 'u_other'));
    const { metadata, position } = await retrievedFrom('cus_sub_given', 'customer');
    expect(metadata.causationId).toBe('retrieved/cus_sub_given/evt_given_b');
    expect(await service.entitlements('u_given', position)).toMatchObject({ plan: 'plus' });
  });

  it('a doubt of this very second is asked about when the second is over', async () => {
    const bought = manyItems();
    api.has(bought.object);
    const created = now();
    await service.deliver(cutEvent(bought, created));
    expect((await retrievedFrom(bought.id)).metadata.stripeCreated).toBeGreaterThan(created);
  });

  it('an answer of the second in doubt is not taken: Stripe is asked until its clock has moved on', async () => {
    const bought = manyItems();
    api.has(bought.object);
    const created = now() - 60;
    const early = { date: new Date(created * 1_000).toUTCString() };
    const body = JSON.stringify(subscriptionObject(bought.id, 'price_pro'));
    api.misbehaves(bought.id, { kind: 'answer', status: 200, body, headers: early });
    await service.deliver(cutEvent(bought, created));
    const { data } = await retrievedFrom(bought.id);
    expect(data).toMatchObject({ items: { length: 11 } });
    expect(api.askedFor(bought.id)).toHaveLength(2);
  });

  it('a subscription that a completed checkout names before it was seen is asked for', async () => {
    api.has(subscriptionObject('sub_first', 'price_plus', { livemode: false }));
    const session = checkoutObject('cs_first', { subscription: 'sub_first', userId: 'u_first' });
    const completed = stripeEvent('checkout.session.completed', session);
    const { status } = await service.deliver(completed);
    expect(status).toBe(200);
    const { metadata, position } = await retrievedFrom('sub_first');
    expect(metadata.causationId).toBe(`retrieved/sub_first/${completed.id}`);
    expect(await service.entitlements('u_first', position)).toMatchObject({ plan: 'plus' });
  });

  it('a subscription that was seen is not asked for when its checkout is completed', async () => {
    const object = subscriptionObject('sub_seen', 'price_plus');
    await service.deliver(stripeEvent('customer.subscription.created', object));
    const session = checkoutObject('cs_seen', { subscription: 'sub_seen', userId: 'u_seen' });
    await service.deliver(stripeEvent('checkout.session.completed', session));
    // One that came later was asked for: this one was looked at and left.
    const later = manyItems();
    api.has(later.object);
    await service.deliver(cutEvent(later));
    await retrievedFrom(later.id);
    expect(api.askedFor('sub_seen')).toEqual([]);
  });

  it('a reply never waits for Stripe, and a subscription is asked for once at a time', async () => {
    const bought = manyItems();
    api.has(bought.object);
    const shown = gate();
    api.misbehaves(bought.id, { kind: 'held', until: shown.until });
    await service.deliver(cutEvent(bought, now() - 90));
    await until('a question to Stripe', () => api.askedFor(bought.id).length > 0);
    for (const ago of [80, 70]) {
      const { status, body } = await service.deliver(cutEvent(bought, now() - ago));
      expect([status, body.outcome]).toEqual([200, 'applied']);
    }
    expect(await streamOf(bought.id)).toHaveLength(3);
    shown.open();
    const retrieved = await retrievedFrom(bought.id);
    expect(await service.entitlements(bought.user, retrieved.position)).toMatchObject({ plan: 'plus' });
    expect(api.askedFor(bought.id).map(({ underWay }) => underWay)).toEqual([0]);
  });

  it('the same delivery, however often, is asked about once', async () => {
    const bought = manyItems();
    api.has(bought.object);
    const event = cutEvent(bought);
    await Promise.all(Array.from({ length: 8 }, () => service.deliver(event)));
    await retrievedFrom(bought.id);
    for (let n = 0; n < 3; n += 1) {
      expect((await service.deliver(event)).body.outcome).toBe('duplicate');
    }
    const later = manyItems();
    api.has(later.object);
    await service.deliver(cutEvent(later));
    await retrievedFrom(later.id);
    expect(api.askedFor(bought.id)).toHaveLength(1);
    expect((await streamOf(bought.id)).map(({ type }) => type)).toEqual([
      'SubscriptionActivated',
      'SubscriptionRetrieved',
    ]);
  });

  it.each([
    ['a limit', 429, '{"error":{"message":"slow down"}}', 'rate_limited'],
    ['an error', 500, '{"error":{"message":"oops"}}', 'failed'],
    ['nonsense', 200, '"ok"', 'failed'],
    ['another subscription', 200, JSON.stringify(subscriptionObject('sub_other', 'price_pro')), 'answered'],
  ])(
    'at %s instead of an answer the service goes on without, counts it, and asks at the next delivery',
    async (_, status, body, outcome) => {
      const requests = await counted('tenure_stripe_requests_total', outcome);
      const unanswered = await counted('tenure_stripe_doubts_total', 'unanswered');
      const bought = manyItems();
      api.has(bought.object);
      api.misbehaves(bought.id, { kind: 'answer', status, body });
      const event = cutEvent(bought);
      expect(await service.after(bought.user, event)).toMatchObject({ plan: 'free' });
      await until('a doubt that stays', async () => {
        return (await counted('tenure_stripe_doubts_total', 'unanswered')) === unanswered + 1;
      });
      expect(await counted('tenure_stripe_requests_total', outcome)).toBe(requests + 1);
      expect(await streamOf(bought.id)).toHaveLength(1);

      expect((await service.deliver(event)).body.outcome).toBe('duplicate');
      const retrieved = await retrievedFrom(bought.id);
      expect(await service.entitlements(bought.user, retrieved.position)).toMatchObject({ plan: 'plus' });
    },
  );

  it('what Stripe has is brought in over HTTP, as a job that tells how far it is', async () => {
    api.has(subscriptionObject('sub_old', 'price_plus', { livemode: false, metadata: { user_id: 'u_old' } }));
    const begun = await service.ask('POST', '/v1/ops/imports', { dryRun: false });
    expect([begun.status, begun.headers.location]).toEqual([202, '/v1/ops/imports']);
    expect(begun.body).toMatchObject({ phase: 'reading', afterwards: 'record', finishedAt: null });
    const watched = await readEvents(service.tenure.url, 'GET', '/v1/ops/imports');
    const over = await until('the import to be over', async () => {
      const { body } = await service.get('/v1/ops/imports');
      return body.finishedAt !== null && body;
    });
    expect(over).toMatchObject({ id: begun.body.id, phase: 'done', failure: null });
    expect(over.report.subscriptions.active).toBeGreaterThan(0);
    expect(await watched.first('done')).toEqual(over);
    expect(await watched.ended).toBe(true);
    const { metadata, position } = await retrievedFrom('sub_old');
    expect(metadata.causationId).toBe(`retrieved/sub_old/${begun.body.id}`);
    expect(await service.entitlements('u_old', position)).toMatchObject({ plan: 'plus' });
  });

  describe('of two instances', () => {
    let other: Tenure;
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tenure-doubts-'));
      const plansFile = join(folder, 'plans.yaml');
      await writeFile(plansFile, PLANS);
      const asked = api.asked.length;
      other = await createTenure(
        loadSettings({
          ...testEnvironment(service.stores.database.url, plansFile),
          ...service.stores.environment,
          ...api.environment,
        }),
        { threads: 'none' },
      );
      holdUntilSeen(other);
      // Starting on the log asks nothing.
      expect(api.asked).toHaveLength(asked);
    });
    afterAll(async () => {
      await other.close();
      await rm(folder, { recursive: true });
    });

    async function deliverTo(instance: Tenure, event: StripeEvent) {
      const { body, signature } = signed(event);
      const headers = { 'content-type': 'application/json', 'stripe-signature': signature };
      return (await fetch(`${instance.url}/webhooks/stripe`, { method: 'POST', body, headers })).json();
    }

    it('both ask at once, and one answer is recorded', async () => {
      const bought = manyItems();
      api.has(bought.object);
      const shown = gate();
      const held = { kind: 'held', until: shown.until } as const;
      api.misbehaves(bought.id, held, held);
      const event = cutEvent(bought);
      await service.deliver(event);
      expect(await deliverTo(other, event)).toMatchObject({ outcome: 'duplicate' });
      await until('both to ask', () => api.askedFor(bought.id).length === 2);
      const settled = await counted('tenure_stripe_doubts_total', 'settled');
      shown.open();
      await until('both to be done', async () => {
        const theirs = await (await fetch(`${other.url}/metrics`)).text();
        const ours = await counted('tenure_stripe_doubts_total', 'settled');
        return ours === settled + 1 && theirs.includes('tenure_stripe_doubts_total{outcome="settled"} 1');
      });
      expect((await streamOf(bought.id)).map(({ type }) => type)).toEqual([
        'SubscriptionActivated',
        'SubscriptionRetrieved',
      ]);
    });

    it('the one that folds nothing holds the reply to a checkout, too, until the plan shows', async () => {
      const standby = await until('one to stand by', async () =>
        [service.tenure, other].find(
          ({ app }) => app.get<Projections>(PROJECTIONS).engine.status().state === 'standby',
        ),
      );
      for (let n = 0; n < 5; n += 1) {
        api.has(subscriptionObject(`sub_held${n}`, 'price_plus', { livemode: false }));
        const session = checkoutObject(`cs_held${n}`, { subscription: `sub_held${n}`, userId: `u_held${n}` });
        await deliverTo(standby, stripeEvent('checkout.session.completed', session));
        const read = await fetch(`${standby.url}/v1/users/u_held${n}/entitlements`, { headers: AUTHORIZED });
        expect(await read.json()).toMatchObject({ plan: 'plus' });
      }
    });
  });
});

describe('a service', () => {
  it('asks nothing without a key; one with a key finds at its start what is in doubt', async () => {
    const api = await StripeApi.start();
    const service = await startService({ environment: { STRIPE_API_BASE: api.url } });
    try {
      const bought = manyItems();
      api.has(bought.object);
      const event = cutEvent(bought);
      expect(await service.after(bought.user, event)).toMatchObject({ plan: 'free' });
      const session = checkoutObject('cs_1', { subscription: 'sub_unseen', userId: 'u_1' });
      const unpaid = { ...session, payment_status: 'unpaid' };
      const completed = stripeEvent('checkout.session.completed', unpaid);
      await service.deliver(completed);
      const paid = invoiceObject('in_cut', bought.id, 'price_other0', { livemode: false });
      api.has(paid);
      const lines = { object: 'list', data: [], has_more: true };
      const cut = stripeEvent('invoice.paid', { ...paid, lines }, { created: now() - 60 });
      await service.deliver(cut);
      const refunded = stripeEvent('charge.refunded', chargeObject('ch_mug', 'pi_mug'));
      await service.deliver(refunded);
      const created = now() - 60;
      const slow = subscriptionObject('sub_slow', 'price_plus', { livemode: false });
      const incomplete = { ...slow, status: 'incomplete' };
      await service.deliver(stripeEvent('customer.subscription.created', incomplete, { created }));
      const bySlow = checkoutObject('cs_2', { subscription: 'sub_slow', userId: 'u_2' });
      const paidLater = stripeEvent('checkout.session.completed', { ...bySlow, payment_status: 'unpaid' });
      await service.deliver(paidLater);
      const given = (user: string) => customerObject('cus_given', { metadata: { user_id: user } });
      const told = ['u_3', 'u_3', 'u_4', 'u_3', 'u_3'].map((user, n) =>
        stripeEvent('customer.updated', given(user), { id: `evt_given_${n}`, created }),
      );
      let last: string | undefined;
      for (const event of told) last = (await service.receive(event)).position;
      expect(api.asked).toEqual([]);
      await service.entitlements('anyone', last); // what is in doubt is found in the read models

      api.has(slow);
      api.has({ ...given('u_3'), livemode: false });
      api.has(subscriptionObject('sub_unseen', 'price_plus', { livemode: false }));
      const other = await createTenure(
        loadSettings({ ...service.environment, ...api.environment, PORT: '0' }),
        { threads: 'none' },
      );
      try {
        const store = service.tenure.app.get<EventStore>(EVENT_STORE);
        const keys = await until('all to be asked', async () => {
          const all = (await wholeLog(store)).filter(({ type }) => isRetrievedType(type));
          return all.length === 6 && all.map(({ metadata }) => JSON.parse(metadata).causationId);
        });
        expect(new Set(keys)).toEqual(
          new Set([
            `retrieved/${bought.id}/${event.id}`,
            `retrieved/in_cut/${cut.id}`,
            `retrieved/sub_unseen/${completed.id}`,
            `retrieved/pi_mug/${refunded.id}`,
            `retrieved/sub_slow/${paidLater.id}`,
            'retrieved/cus_given/evt_given_4',
          ]),
        );
      } finally {
        await other.close();
      }
    } finally {
      await service.close();
      await api.close();
    }
  });

  it('stops while Stripe is silent', async () => {
    const api = await StripeApi.start();
    const service = await startService({ environment: api.environment });
    const bought = manyItems();
    api.misbehaves(bought.id, { kind: 'held', until: new Promise(() => undefined) });
    await service.deliver(cutEvent(bought));
    await service.deliver(cutEvent(manyItems(), now()));
    await until('a question to Stripe', () => api.askedFor(bought.id).length > 0);
    await service.close();
    await api.close();
  });
});
