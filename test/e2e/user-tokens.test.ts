import { CommandBus } from '@nestjs/cqrs';
import { RecordCheckoutEvent } from '../../src/commands/checkout.aggregate.js';
import { buyer } from '../support/buyer.js';
import { type Answer, problemCode } from '../support/http-call.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';

const APP = 'https://app.example.test';
const OTHER_APP = 'https://app.example.test:8443';

/** A checkout that Tenure began. */
const STARTED = {
  session: 'cs_buyer',
  userId: 'buyer',
  customer: 'cus_buyer',
  purpose: 'purchase' as const,
  mode: 'subscription' as const,
  plan: 'plus',
  interval: 'monthly',
  price: 'price_plus',
  quantity: 1,
  addons: [],
  subscription: null,
  ends: [],
  trialDays: 0,
  expiresAt: 4_000_000_000,
};

describe('An end user with a token', () => {
  let provider: IdentityProvider;
  let service: TestService;
  let last = 1;
  const freshAddress = (): string => {
    last += 1;
    return `127.0.1.${last}`;
  };
  beforeAll(async () => {
    provider = await IdentityProvider.start();
    service = await startService({
      environment: {
        ...SHIPPED_PLANS,
        ...provider.environment,
        CORS_ORIGINS: `${APP}, http://localhost:5173`,
      },
    });
    const { position } = await service.receive(buyer('mine').started('active').body);
    await service.entitlements('mine', position);
  });
  afterAll(async () => {
    await service.close();
    await provider.close();
  });

  async function asUser(
    userId: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const authorization = `Bearer ${await provider.token(userId)}`;
    return service.call({ path, headers: { authorization, ...headers } });
  }

  it('reads what a key reads of the same user, byte for byte, and a 304', async () => {
    const [key, user, me] = [
      await service.ask('GET', '/v1/users/mine/entitlements'),
      await asUser('mine', '/v1/users/mine/entitlements'),
      await asUser('mine', '/v1/me/entitlements'),
    ];
    expect(user.body.plan).toBe('plus');
    for (const answer of [user, me]) {
      expect([answer.status, answer.text, answer.headers.etag]).toEqual([200, key.text, key.headers.etag]);
    }
    for (const path of ['/v1/users/mine/entitlements', '/v1/me/entitlements']) {
      const again = await asUser('mine', path, { 'if-none-match': key.headers.etag ?? '' });
      expect([again.status, again.text]).toEqual([304, '']);
    }
    const feature = await asUser('mine', '/v1/users/mine/features/export');
    expect(feature.body).toMatchObject({ allowed: true });
    expect((await asUser('mine', '/v1/plans')).status).toBe(200);
    expect((await asUser('mine', '/v1/me/entitlements?minPosition=0')).status).toBe(200);
  });

  it.each([
    ['/v1/users/theirs/entitlements', 'other_user'],
    ['/v1/users/theirs/entitlements?minPosition=1', 'other_user'],
    ['/v1/users/Mine/entitlements', 'other_user'],
    ['/v1/users/theirs/features/export', 'other_user'],
    ['/v1/users/mine/entitlements?at=2026-01-01T00:00:00Z', 'forbidden'],
    ['/v1/users/mine/entitlements?knownAt=2026-01-01T00:00:00Z', 'forbidden'],
    ['/v1/users/mine/entitlements?explain=true', 'forbidden'],
    ['/v1/users/mine/features/export?explain=true', 'forbidden'],
    ['/v1/users', 'forbidden'],
    ['/v1/audit/users/mine/history', 'forbidden'],
    ['/v1/audit/events', 'forbidden'],
    ['/v1/ops/unlinked', 'forbidden'],
  ])('is refused %s', async (path, code) => {
    const answer = await asUser('mine', path);
    expect([answer.status, problemCode(answer)]).toEqual([403, code]);
  });

  it('is refused whatever changes something', async () => {
    const authorization = `Bearer ${await provider.token('mine')}`;
    for (const [method, path, value] of [
      ['PUT', '/v1/customers/cus_1/link', { userId: 'mine' }],
      ['POST', '/v1/customers/links', { links: [{ customerId: 'cus_1', userId: 'mine' }] }],
      ['POST', '/v1/entitlements/batch', { userIds: ['mine'] }],
    ] as const) {
      expect(problemCode(await service.ask(method, path, value, { authorization }))).toBe('forbidden');
    }
  });

  it('opens the portal for itself, named or not, and for nobody else', async () => {
    const authorization = `Bearer ${await provider.token('mine')}`;
    const open = async (value: object) =>
      problemCode(await service.ask('POST', '/v1/portal/sessions', value, { authorization }));
    expect(await open({ userId: 'theirs', returnUrl: APP })).toBe('other_user');
    expect(await open({ userId: ['mine'], returnUrl: APP })).toBe('invalid_request');
    const own = await open({ userId: 'mine', returnUrl: APP });
    expect(own).toBe('url_not_allowed'); // CHECKOUT_URL_ORIGINS is not set: it came as far as the route
    expect(await open({ returnUrl: APP })).toBe(own);
  });

  it('begins and follows a checkout for itself and for nobody else', async () => {
    const authorization = `Bearer ${await provider.token('buyer')}`;
    const begin = async (userId: object) => {
      const value = { ...userId, plan: 'nothing', interval: 'monthly', successUrl: APP, cancelUrl: APP };
      return problemCode(await service.ask('POST', '/v1/checkout/sessions', value, { authorization }));
    };
    expect(await begin({ userId: 'theirs' })).toBe('other_user');
    const own = await begin({ userId: 'buyer' });
    expect(own).not.toBe('other_user');
    expect(await begin({})).toBe(own);

    const { tenure } = service;
    const origin = { actor: 'test', correlationId: 'test', causation: 'checkout/buyer', stripe: null };
    const data = { ...STARTED, userId: await service.storedId(STARTED.userId) };
    const event = { type: 'CheckoutStarted' as const, data };
    await tenure.app.get(CommandBus).execute(new RecordCheckoutEvent('cs_buyer', event, origin));
    const follow = (userId: string) => asUser(userId, '/v1/checkout/sessions/cs_buyer');
    expect((await follow('buyer')).body).toMatchObject({ userId: 'buyer' });
    expect(problemCode(await follow('mine'))).toBe('other_user');
  });

  it('has a place of its own that keys do not enter', async () => {
    const answer = await service.ask('GET', '/v1/me/entitlements');
    expect([answer.status, problemCode(answer)]).toEqual([403, 'forbidden']);
  });

  it('who is not believed is told so on every route, and held up after twenty times; a valid one never', async () => {
    const second = Math.floor(Date.now() / 1_000);
    const bad = await Promise.all([
      provider.token('mine', { aud: 'another' }),
      provider.token('mine', { iss: 'another' }),
      provider.token('mine', { exp: second - 60 }),
      provider.token('mine', { nbf: second + 60 }),
    ]);
    const from = freshAddress();
    const ask = (token: string, n: number) =>
      service.call({
        path: ['/v1/users/mine/entitlements', '/v1/me/entitlements'][n % 2] ?? '',
        headers: { authorization: `Bearer ${token}` },
        from,
      });
    for (let n = 0; n < 20; n += 1) {
      const answer = await ask(bad[n % bad.length] ?? '', n);
      expect([answer.status, problemCode(answer)]).toEqual([401, 'unauthorized']);
    }
    for (const n of [0, 1]) expect((await ask(bad[0] ?? '', n)).status).toBe(429);
    const valid = await provider.token('mine');
    for (const n of [0, 1, 2]) expect((await ask(valid, n)).status).toBe(200);
  });

  it('is 503 on every route while the key of the token cannot be had, and counts no failure', async () => {
    provider.mood = 'away';
    await provider.rotate();
    const authorization = `Bearer ${await provider.token('mine')}`;
    const from = freshAddress();
    const ask = (path: string) => service.call({ path, headers: { authorization }, from });
    await until('the provider is asked for the new key', async () => {
      const { status } = await ask('/v1/me/entitlements');
      return status === 503;
    });
    for (let n = 0; n < 24; n += 1) {
      const answer = await ask(['/v1/users/mine/entitlements', '/v1/me/entitlements'][n % 2] ?? '');
      expect([answer.status, problemCode(answer)]).toEqual([503, 'user_keys_unavailable']);
      expect(answer.headers['retry-after']).toBe('5');
    }
    provider.mood = 'well';
    await until('the provider is asked again', async () => (await ask('/v1/me/entitlements')).status === 200);
  });

  describe('in a browser', () => {
    const preflight = (origin: string, path: string, more: Readonly<Record<string, string>> = {}) =>
      service.call({
        method: 'OPTIONS',
        path,
        headers: {
          origin,
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'authorization',
          ...more,
        },
        from: freshAddress(),
      });

    it.each(['/v1/users/mine/entitlements', '/v1/me/entitlements', '/v1/checkout/sessions'])(
      'asks beforehand for %s without a key, from an allowed origin',
      async (path) => {
        const answer = await preflight(APP, path);
        expect([answer.status, answer.text]).toEqual([204, '']);
        expect(answer.headers['access-control-allow-origin']).toBe(APP);
        expect(answer.headers['access-control-allow-methods']).toContain('PATCH');
        expect(answer.headers['access-control-allow-headers']).toContain('idempotency-key');
        expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
        expect(answer.headers.vary).toBe('Origin');
      },
    );

    it.each([OTHER_APP, 'http://app.example.test', 'https://app.example.test.evil', `${APP}/`, 'null', '*'])(
      'is not let in from %s',
      async (origin) => {
        const path = '/v1/users/mine/entitlements';
        const asked = await preflight(origin, path);
        expect(asked.status).toBe(401);
        const answer = await asUser('mine', path, { origin });
        expect(answer.status).toBe(200);
        for (const { headers } of [asked, answer]) {
          expect(headers['access-control-allow-origin']).toBeUndefined();
          expect(headers.vary).toBe('Origin');
        }
      },
    );

    it('reads answers and problems of hot routes and controllers, with what is ours of their headers', async () => {
      for (const path of [
        '/v1/users/mine/entitlements',
        '/v1/users/mine/entitlements?minPosition=0',
        '/v1/users/theirs/entitlements',
        '/v1/users/theirs/features/export',
        '/v1/nothing',
      ]) {
        const { headers } = await asUser('mine', path, { origin: 'http://localhost:5173' });
        expect(headers['access-control-allow-origin']).toBe('http://localhost:5173');
        expect(headers.vary).toBe('Origin');
        expect(headers['access-control-expose-headers']).toMatch(/ETag.*Tenure-Position/);
      }
      const refused = await service.call({
        path: '/v1/users/mine/entitlements',
        headers: { origin: APP },
        from: freshAddress(),
      });
      expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, APP]);
    });

    it('finds nothing opened beside the API, and keys are answered without an origin as ever', async () => {
      for (const path of ['/health/live', '/metrics', '/openapi.json']) {
        const { headers } = await service.call({ path, headers: { origin: APP } });
        expect(headers['access-control-allow-origin']).toBeUndefined();
      }
      const { headers } = await service.call({ path: '/v1/users/mine/entitlements', headers: AUTHORIZED });
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers.vary).toBe('Origin');
    });
  });
});
