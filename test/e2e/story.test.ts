import { VERSION } from '../../src/observability/version.js';
import { TestService } from '../support/service.js';
import {
  invoiceObject,
  itemObject,
  now,
  previousItems,
  stripeEvent,
  subscriptionObject,
} from '../support/stripe-events.js';
import { folding } from '../support/thread-flags.js';
import { until } from '../support/until.js';

let service: TestService;
beforeAll(async () => {
  service = await TestService.start({ hooks: { threads: folding() } });
});
afterAll(() => service.close());

const owned = { metadata: { user_id: 'ada' } };

describe('a subscription from purchase to cancellation', () => {
  it('gives access with the first event, and a version with each change of access', async () => {
    const created = stripeEvent(
      'customer.subscription.created',
      subscriptionObject('sub_ada', 'price_plus', owned),
    );
    const paid = stripeEvent('invoice.paid', invoiceObject('in_1', 'sub_ada', 'price_plus'));
    expect(await service.after('ada', created, paid)).toMatchObject({
      role: 'paid',
      plan: 'plus',
      status: 'active',
      features: ['export', 'reports'],
      limits: { members: 500 },
      revocationVersion: 1,
      source: { type: 'subscription', subscriptionId: 'sub_ada', customerId: 'cus_sub_ada' },
    });
    expect((await service.deliver(created)).body).toMatchObject({ outcome: 'duplicate' });
    expect((await service.get('/v1/users/ada/entitlements')).body.revocationVersion).toBe(1);
  });

  it('gives no higher plan before it is paid', async () => {
    const upgraded = stripeEvent(
      'customer.subscription.updated',
      subscriptionObject('sub_ada', 'price_pro', owned),
      {
        created: now() + 1,
        previous: { items: previousItems('price_plus') },
      },
    );
    expect(await service.after('ada', upgraded)).toMatchObject({
      plan: 'plus',
      pendingPayment: { plan: 'pro' },
      revocationVersion: 1,
    });
    const paid = stripeEvent(
      'invoice.paid',
      invoiceObject('in_2', 'sub_ada', 'price_pro', { created: now() + 1 }),
      { created: now() + 2 },
    );
    expect(await service.after('ada', paid)).toMatchObject({
      plan: 'pro',
      pendingPayment: null,
      revocationVersion: 2,
    });
  });

  it('ends at once, whatever comes late', async () => {
    const end = now() + 5;
    const deleted = stripeEvent(
      'customer.subscription.deleted',
      subscriptionObject('sub_ada', 'price_pro', { ...owned, status: 'canceled' }),
      { created: end },
    );
    const straggler = stripeEvent(
      'customer.subscription.updated',
      subscriptionObject('sub_ada', 'price_pro', owned),
      { created: end - 1, previous: {} },
    );
    expect(await service.after('ada', deleted, straggler)).toMatchObject({
      role: 'free',
      plan: 'free',
      status: 'canceled',
      subscriptionActive: false,
      revocationVersion: 3,
    });
  });
});

describe('the snapshot over HTTP', () => {
  it('of a user never heard of is the default plan with version 0', async () => {
    expect((await service.get('/v1/users/nobody/entitlements')).body).toMatchObject({
      plan: 'free',
      revocationVersion: 0,
      position: null,
    });
  });

  it('has a strong ETag that is answered with 304, in a list too', async () => {
    const first = await service.get('/v1/users/ada/entitlements');
    const etag = first.headers.etag ?? '';
    expect(etag).toMatch(/^"[^"]+"$/);
    expect(first.headers['cache-control']).toBe('private, no-cache');
    expect(Number(first.headers['tenure-position'])).toBeGreaterThan(0);
    for (const header of [etag, `"other", ${etag}`, `W/${etag}`, '*']) {
      const again = await service.get('/v1/users/ada/entitlements', { 'if-none-match': header });
      expect([again.status, again.text]).toEqual([304, '']);
    }
  });

  it('as of a moment is what had happened by then, as far as it was known by another', async () => {
    const begun = now() - 7_200;
    const time = (second: number): string => new Date(second * 1_000).toISOString();
    const told = (type: string, status: string, created: number) =>
      stripeEvent(
        type,
        subscriptionObject('sub_una', 'price_plus', { metadata: { user_id: 'una' }, status }),
        { created },
      );
    const before = await service.after('una', told('customer.subscription.created', 'active', begun));
    const knownAt = new Date().toISOString();
    await until('the clock has moved on', () => new Date().toISOString() > knownAt);
    await service.after('una', told('customer.subscription.deleted', 'canceled', begun + 3_600));
    const ask = async (query: string) => {
      const { status, body } = await service.get(`/v1/users/una/entitlements?${query}`);
      expect(status).toBe(200);
      return body;
    };
    const { position: _, scheduledChange: __, ...served } = before; // what is to come is not kept of the past
    expect(await ask(`knownAt=${knownAt}`)).toMatchObject({
      ...served,
      asOf: { at: knownAt, knownAt, since: time(begun) },
    });
    expect(await ask(`at=${time(begun + 3_599)}`)).toMatchObject({ plan: 'plus', revocationVersion: null });
    expect(await ask(`at=${time(begun + 3_600)}`)).toMatchObject({ plan: 'free', status: 'canceled' });
    expect(await ask(`at=${time(begun + 3_600)}&knownAt=${knownAt}`)).toMatchObject({ plan: 'plus' });
    expect(await ask(`at=${time(begun - 1)}`)).toMatchObject({ plan: 'free', unobserved: true });
    expect(await ask(`at=9999-01-01T00:00:00Z&knownAt=${knownAt}`)).toMatchObject({ plan: 'plus' });
  });

  it('is refused when the log does not reach the position asked for', async () => {
    const { status, body } = await service.get('/v1/users/ada/entitlements?minPosition=999999999999999999');
    expect([status, body.code]).toEqual([412, 'position_unknown']);
  });

  it('refuses a parameter that it does not know', async () => {
    const { status, body } = await service.get('/v1/users/ada/entitlements?when=2026-01-01');
    expect([status, body.code]).toEqual([400, 'unsupported_parameter']);
  });

  it('comes for several users at once, in the order asked', async () => {
    const { body } = await service.ask('POST', '/v1/entitlements/batch', { userIds: ['x', 'ada', 'x'] });
    expect(body.entitlements.map((each: { userId: string }) => each.userId)).toEqual(['x', 'ada', 'x']);
    const tooMany = Array.from({ length: 101 }, (_, index) => `u${index}`);
    expect((await service.ask('POST', '/v1/entitlements/batch', { userIds: tooMany })).status).toBe(400);
  });
});

describe('Answers about features and limits', () => {
  it('say whether the user may, and why', async () => {
    const seats = {
      data: [itemObject('price_plus'), itemObject('price_seat', { quantity: 3 })],
      has_more: false,
    };
    const event = stripeEvent(
      'customer.subscription.created',
      subscriptionObject('sub_eve', 'price_plus', { items: seats, metadata: { user_id: 'eve' } }),
    );
    await service.after('eve', event);
    const ask = async (what: string) => (await service.get(`/v1/users/eve/features/${what}`)).body;
    expect(await ask('export')).toMatchObject({ allowed: true, reason: 'in_plan', plan: 'plus' });
    expect(await ask('api')).toMatchObject({ allowed: false, reason: 'not_in_plan', upgradeTo: 'pro' });
    expect(await ask('nonsense')).toMatchObject({ allowed: false, reason: 'unknown_feature' });
    expect(await ask('members?amount=400')).toMatchObject({ allowed: true, limit: 530 });
    expect(await ask('members?amount=520')).toMatchObject({ allowed: true, reason: 'addon' });
    expect(await ask('members?amount=531')).toMatchObject({ allowed: false, reason: 'limit_reached' });
  });
});

describe('Facts that belong to nobody', () => {
  it('are listed, and count the moment ops link them', async () => {
    await service.after(
      'bob',
      stripeEvent('customer.subscription.created', subscriptionObject('sub_bob', 'price_pro')),
    );
    const unlinked = (await service.get('/v1/ops/unlinked')).body;
    expect(unlinked.items).toContainEqual({ kind: 'subscription', id: 'sub_bob', customer: 'cus_sub_bob' });
    const linked = await service.ask('PUT', '/v1/customers/cus_sub_bob/link', {
      userId: 'bob',
      reason: 'asked',
    });
    expect(linked.body).toMatchObject({ outcome: 'applied', event: 'CustomerLinked' });
    expect(
      (await service.get(`/v1/users/bob/entitlements?minPosition=${linked.body.position}`)).body.plan,
    ).toBe('pro');
    const again = await service.ask('PUT', '/v1/customers/cus_sub_bob/link', { userId: 'bob' });
    expect(again.body.outcome).toBe('duplicate');
    const moved = await service.ask('PUT', '/v1/subscriptions/sub_bob/link', { userId: 'carol' });
    const carol = await service.get(`/v1/users/carol/entitlements?minPosition=${moved.body.position}`);
    const bob = await service.get('/v1/users/bob/entitlements');
    expect([carol.body.plan, bob.body.plan, bob.body.revocationVersion]).toEqual(['pro', 'free', 2]);
  });

  it('are linked a thousand at a time', async () => {
    const links = Array.from({ length: 1_000 }, (_, index) => ({
      customerId: `cus_bulk${index}`,
      userId: `bulk${index}`,
    }));
    const { status, body } = await service.ask('POST', '/v1/customers/links', { links });
    expect([status, body.results.length]).toEqual([200, 1_000]);
    expect(body.results.every((result: { outcome: string }) => result.outcome === 'applied')).toBe(true);
  });

  it('that disagree are listed as conflicts', async () => {
    const claims = stripeEvent('customer.updated', {
      id: 'cus_two',
      object: 'customer',
      metadata: { user_id: 'one' },
    });
    const other = stripeEvent(
      'customer.subscription.created',
      subscriptionObject('sub_two', 'price_plus', { customer: 'cus_two', metadata: { user_id: 'two' } }),
    );
    expect(await service.after('two', claims, other)).toMatchObject({ plan: 'plus' });
    const { body } = await service.get('/v1/ops/conflicts');
    expect(body.items).toContainEqual({
      kind: 'customer',
      id: 'cus_two',
      owner: 'one',
      claims: [{ userId: 'two', eventId: other.id }],
    });
  });
});

describe('What operations look at', () => {
  it('is open and true: health, metrics and the API description', async () => {
    const open = async (path: string) => {
      const answer = await service.call({ path });
      expect([path, answer.status]).toEqual([path, 200]);
      return answer;
    };
    expect((await open('/health/live')).body).toEqual({ status: 'live', version: VERSION });
    expect((await open('/health/ready')).body).toMatchObject({
      status: 'ready',
      projection: { state: 'leading' },
    });
    const metrics = await open('/metrics');
    expect(metrics.text).toMatch(/tenure_webhooks_total\{type="invoice.paid",outcome="applied"\} [1-9]/);
    expect(metrics.text).not.toContain('ada');
    const api = await open('/openapi.json');
    expect(Object.keys(api.body.paths)).toContain('/v1/users/{userId}/entitlements');
    await open('/docs');
  });

  it('shows a delivery of the other mode, which is ignored, in the health check', async () => {
    const live = stripeEvent(
      'customer.subscription.created',
      subscriptionObject('sub_live', 'price_pro', owned),
      { livemode: true },
    );
    expect((await service.deliver(live)).body).toMatchObject({
      outcome: 'ignored',
      reason: 'livemode_mismatch',
    });
    expect((await service.get('/health/ready')).body.problems).toContain('livemode_mismatch');
  });
});

describe('Whoever comes without a valid key', () => {
  it.each(['/v1/users/ada/entitlements', '/v1/nothing/here', '/v1', '/V1/ops/unlinked'])(
    '%s is 401',
    async (path) => {
      const { status, body } = await service.get(path, { authorization: 'Bearer wrong' });
      expect([status, body.code]).toEqual([401, 'unauthorized']);
    },
  );

  it('is told to wait after too many failures, and a valid key is never affected', async () => {
    const statuses: number[] = [];
    for (let tries = 0; tries < 25; tries += 1) {
      statuses.push((await service.get('/v1/x', { authorization: 'Bearer wrong' })).status);
    }
    expect(statuses).toContain(429);
    expect((await service.get('/v1/users/ada/entitlements')).status).toBe(200);
  });
});
