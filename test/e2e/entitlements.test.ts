import { z } from 'zod';
import { explainedFeatureResponse, explainedSnapshotSchema } from '../../src/api/schemas.js';
import { buyer, PRO } from '../support/buyer.js';
import { problemCode } from '../support/http-call.js';
import { AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { customerEvent } from '../support/stripe-events.js';

describe('The query API', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ environment: SHIPPED_PLANS });
  });
  afterAll(() => service.close());

  async function subscribed(userId: string): Promise<ReturnType<typeof buyer>> {
    const user = buyer(userId);
    await service.receive(user.started('active').body);
    const { position } = await service.receive(user.pays('subscription_create').body);
    await service.entitlements(userId, position);
    return user;
  }

  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    service.call({ path, headers: { ...AUTHORIZED, ...headers } });

  it('gives a user never heard of the default plan and version 0', async () => {
    expect(await service.entitlements('nobody')).toEqual({
      userId: 'nobody',
      role: 'free',
      plan: 'free',
      status: 'none',
      features: ['reports'],
      limits: { members: 50 },
      subscriptionActive: false,
      expiresAt: null,
      cancelAt: null,
      pendingPayment: null,
      source: null,
      unmappedPrices: [],
      validUntil: null,
      scheduledChange: null,
      revocationVersion: 0,
      position: null,
      changedAt: null,
    });
  });

  it('gives the whole snapshot of a subscriber, with what caches need', async () => {
    const user = await subscribed('ann');
    const answer = await get('/v1/users/ann/entitlements');
    expect(answer.body).toMatchObject({
      userId: 'ann',
      role: 'paid',
      plan: 'plus',
      features: ['export', 'reports'],
      limits: { members: 500 },
      source: { type: 'subscription', subscriptionId: user.id, customerId: `cus_demo${user.name}` },
      revocationVersion: 1,
    });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers.etag).toMatch(/^"[^"]+"$/);
    expect(answer.headers['tenure-position']).toMatch(/^\d+$/);
    expect(answer.headers['x-powered-by']).toBeUndefined();
  });

  it('says why, when it is asked: the rules that decided, in words, with the events of the log behind them', async () => {
    const user = await subscribed('kim');
    const told = user.switchesTo(PRO).body;
    const { position } = await service.receive(told);
    const snapshot = await service.entitlements('kim', position);
    const { status, headers, body } = await get(
      `/v1/users/kim/entitlements?explain=true&minPosition=${position}`,
    );
    expect(status).toBe(200);
    const { reasons, ...unexplained } = explainedSnapshotSchema.parse(body);
    expect(unexplained).toEqual(snapshot);
    expect(headers['tenure-position']).toBe(position);
    const again = await get('/v1/users/kim/entitlements?explain=true', {
      'if-none-match': headers.etag ?? '',
    });
    expect(again.status).toBe(304);
    expect(reasons?.map(({ of, code }) => `${of} ${code}`)).toEqual([
      'plan only_plan',
      'status status_active',
      'feature:export feature_of_plan',
      'feature:reports feature_of_plan',
      'limit:members limit_of_plan',
      'pendingPayment pending_no_invoice',
      'expiresAt period_end_of_item',
      `subscription:${user.id} first_period`,
      `owner:${user.id} owner_by_metadata`,
    ]);
    const waiting = reasons?.find(({ of }) => of === 'pendingPayment');
    expect(waiting?.words).toMatch(/^sub_\w+ asked for pro on .+; pro waits until it is paid\.$/);
    const stripeEventId = JSON.parse(told).id;
    expect(waiting?.events).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        type: 'SubscriptionPlanChanged',
        stripeEventId,
        position,
      },
    ]);
    for (const { events } of reasons ?? [])
      for (const { position: at } of events) expect(at).toMatch(/^\d+$/);

    const now = new Date().toISOString();
    const then = z
      .object({ reasons: explainedSnapshotSchema.shape.reasons })
      .parse((await get(`/v1/users/kim/entitlements?at=${now}&explain=true`)).body);
    expect(then.reasons).toEqual(reasons);
  });

  it('says whose a subscription is to its user and to the one it was taken from, now and as of a moment', async () => {
    const user = await subscribed('old');
    const { body, id } = user.isNoted('moved in the Dashboard');
    const { position } = await service.receive(body.replace('"user_id": "old"', '"user_id": "new"'));
    expect(await service.entitlements('new', position)).toMatchObject({ plan: 'plus' });
    const ownerOf = async (path: string) =>
      z
        .object({ reasons: z.array(z.looseObject({ of: z.string() })) })
        .parse((await get(path)).body)
        .reasons.find(({ of }) => of === `owner:${user.id}`);
    const reason = await ownerOf(`/v1/users/new/entitlements?explain=true&minPosition=${position}`);
    expect(reason).toMatchObject({
      code: 'owner_by_metadata',
      words: expect.stringContaining(`${user.id} belongs to new: its own metadata says so since`),
      events: [{ stripeEventId: id, position }],
    });
    const now = encodeURIComponent(new Date().toISOString());
    for (const path of [
      '/v1/users/old/entitlements?explain=true',
      `/v1/users/old/entitlements?at=${now}&explain=true`,
      `/v1/users/new/entitlements?at=${now}&explain=true`,
      '/v1/users/old/features/export?explain=true',
    ]) {
      expect(await ownerOf(path)).toEqual(reason);
    }
  });

  it('says why a feature may not be used, when it is asked', async () => {
    await subscribed('lea');
    const unexplained = (await get('/v1/users/lea/features/api')).body;
    const { body } = await get('/v1/users/lea/features/api?explain=true');
    expect(body).toEqual({ ...Object(unexplained), reasons: expect.any(Array) });
    const { reasons } = explainedFeatureResponse.parse(body);
    expect(reasons?.[0]).toMatchObject({
      of: 'feature:api',
      code: 'feature_not_held',
      words: 'api comes with neither plus nor an add-on that is held; it comes with pro, enterprise.',
    });
    const nobody = await get('/v1/users/nobody-known/features/api?explain=true');
    expect(nobody.body).toMatchObject({ allowed: false, reasons: [{ code: 'feature_not_held' }, {}, {}] });
    expect(problemCode(await get('/v1/users/lea/features/api?explain=yes'))).toBe('invalid_request');
  });

  it('answers 304 without a body while nothing changed, and the new snapshot when it did', async () => {
    const user = await subscribed('ben');
    const etag = (await get('/v1/users/ben/entitlements')).headers.etag ?? '';
    for (const header of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await get('/v1/users/ben/entitlements', { 'if-none-match': header });
      expect([answer.status, answer.text]).toEqual([304, '']);
      expect(answer.headers.etag).toBe(etag);
      expect(answer.headers['content-length']).toBeUndefined();
    }
    expect((await get('/v1/users/ben/entitlements', { 'if-none-match': '"x"' })).status).toBe(200);
    const { position } = await service.receive(user.ends().body);
    await service.entitlements('ben', position);
    const changed = await get('/v1/users/ben/entitlements', { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ plan: 'free', status: 'canceled', revocationVersion: 2 });
  });

  it('lets a writer read its write, however soon it asks', async () => {
    for (let n = 0; n < 20; n += 1) {
      const { position } = await service.receive(buyer(`writer-${n}`).started('active').body);
      expect(await service.entitlements(`writer-${n}`, position)).toMatchObject({ plan: 'plus', position });
    }
  });

  it('says after five seconds that a position is not reached yet, and long before that the log ends before one, also where many ask', async () => {
    const holder = await service.stores.database.pool.connect(); // of the test: the service's own end a transaction that stands idle
    try {
      await holder.query('begin; select from tenure.projection_checkpoint for update');
      const { position } = await service.receive(customerEvent());
      const start = performance.now();
      const ask = (minPosition: string | undefined) =>
        get(`/v1/users/ann/entitlements?minPosition=${minPosition}`);
      const late = ask(position);
      const beyond = Promise.all(Array.from({ length: 20 }, () => ask('999999999999999999')));
      expect(await Promise.race([late.then(() => 'late'), beyond.then(() => 'beyond')])).toBe('beyond');
      for (const answer of await beyond) {
        expect(answer.status).toBe(412);
        expect(problemCode(answer)).toBe('position_unknown');
      }
      const answer = await late;
      expect(answer.status).toBe(412);
      expect(problemCode(answer)).toBe('projection_behind');
      expect(performance.now() - start).toBeGreaterThan(4_900);
    } finally {
      await holder.query('rollback');
      holder.release();
    }
  });

  it.each([
    ['?minPosition=', 'invalid_request'],
    ['?minPosition=abc', 'invalid_request'],
    ['?minPosition=-1', 'invalid_request'],
    ['?minPosition=1e3', 'invalid_request'],
    ['?minPosition=1&minPosition=2', 'invalid_request'],
    ['?minPosition=99999999999999999999', 'invalid_request'],
    ['?wait=26', 'invalid_request'],
    ['?at=2026-01-01', 'invalid_request'],
    ['?explain=perhaps', 'invalid_request'],
    ['?__proto__=x', 'unsupported_parameter'],
  ])('refuses %s', async (query, code) => {
    const answer = await get(`/v1/users/ann/entitlements${query}`);
    expect(answer.status).toBe(400);
    expect(problemCode(answer)).toBe(code);
  });

  it.each(['a b', 'ünï/çode', 'x@y.z', '..', '😀', "o'hara", 'a%20b', 'Δ'.repeat(255)])(
    'takes the user id %j as it is',
    async (userId) => {
      const { position } = await service.receive(buyer(userId).started('active').body);
      expect(await service.entitlements(userId, position)).toMatchObject({ userId, plan: 'plus' });
    },
  );

  it.each(['%00', '%1F', '%7F', '%C2%85', 'x'.repeat(256)])('refuses the user id %s', async (userId) => {
    for (const path of [`/v1/users/${userId}/entitlements`, `/v1/users/${userId}/features/export`]) {
      expect(problemCode(await get(path))).toBe('invalid_user_id');
    }
  });

  it('answers for up to a hundred users at once, in the order asked', async () => {
    await subscribed('cat');
    const userIds = ['cat', ...Array.from({ length: 98 }, (_, n) => `stranger-${n}`), 'cat'];
    const answer = await service.ask('POST', '/v1/entitlements/batch', { userIds });
    expect(answer.status).toBe(200);
    const { entitlements } = z
      .object({
        position: z.string(),
        entitlements: z.array(z.looseObject({ userId: z.string(), plan: z.string() })),
      })
      .parse(answer.body);
    expect(entitlements.map(({ userId }) => userId)).toEqual(userIds);
    expect(entitlements.map(({ plan }) => plan)).toEqual(['plus', ...Array<string>(98).fill('free'), 'plus']);
    expect(entitlements[0]).toEqual(await service.entitlements('cat'));
  });

  it.each<[string, unknown, string]>([
    ['no user', { userIds: [] }, 'invalid_request'],
    ['101 users', { userIds: Array<string>(101).fill('u') }, 'invalid_request'],
    ['a user id that is none', { userIds: ['a\0b'] }, 'invalid_user_id'],
    ['a lone surrogate', { userIds: ['a\ud800'] }, 'invalid_user_id'],
    ['an unknown field', { userIds: ['u'], at: 'now' }, 'invalid_request'],
    ['a list', ['u'], 'invalid_request'],
    ['nothing', undefined, 'invalid_request'],
  ])('refuses a batch of %s', async (_, body, code) => {
    const answer = await service.ask('POST', '/v1/entitlements/batch', body);
    expect(answer.status).toBe(400);
    expect(problemCode(answer)).toBe(code);
  });

  it.each<[string, Readonly<Record<string, string>>, string, number, string]>([
    [
      'another media type',
      { 'content-type': 'text/plain' },
      '{"userIds":["u"]}',
      415,
      'unsupported_media_type',
    ],
    ['no media type', {}, '{"userIds":["u"]}', 415, 'unsupported_media_type'],
    [
      'compressed text',
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      'x',
      415,
      'unsupported_media_type',
    ],
    ['half of it', { 'content-type': 'application/json' }, '{"userIds":["u"', 400, 'malformed_json'],
    [
      '__proto__',
      { 'content-type': 'application/json' },
      '{"userIds":["u"],"__proto__":{}}',
      400,
      'malformed_json',
    ],
    [
      'too much',
      { 'content-type': 'application/json' },
      ' '.repeat(1024 * 1024 + 1),
      413,
      'payload_too_large',
    ],
  ])('refuses a batch sent as %s', async (_, headers, body, status, code) => {
    const answer = await service.call({
      method: 'POST',
      path: '/v1/entitlements/batch',
      headers: { ...AUTHORIZED, ...headers },
      body,
    });
    expect(answer.status).toBe(status);
    expect(problemCode(answer)).toBe(code);
  });

  it('tells what remains of a limit by what was reported in use', async () => {
    const use = (value: number) => service.ask('PUT', '/v1/users/uma/usage/members', { value });
    const members = async (amount: number) =>
      (await get(`/v1/users/uma/features/members?amount=${amount}`)).body;
    const first = await use(48);
    expect(first.body).toMatchObject({ outcome: 'applied', event: 'UsageReported' });
    await service.entitlements('uma', first.body.position);
    const known = { plan: 'free', limit: 50, used: 48, remaining: 2 };
    expect(await members(2)).toEqual({ allowed: true, reason: 'in_plan', ...known });
    expect(await members(3)).toEqual({
      allowed: false,
      reason: 'limit_reached',
      ...known,
      upgradeTo: 'plus',
    });
    expect((await use(48)).body).toMatchObject({ outcome: 'duplicate' });
    await service.entitlements('uma', (await use(60)).body.position);
    const over = { ...known, used: 60, remaining: 0, over: 10 };
    expect(await members(1)).toEqual({ allowed: false, reason: 'limit_reached', ...over, upgradeTo: 'plus' });
    expect(problemCode(await service.ask('PUT', '/v1/users/uma/usage/teleports', { value: 1 }))).toBe(
      'unknown_limit',
    );
    expect(await service.entitlements('uma')).toMatchObject({ revocationVersion: 0, changedAt: null });
  });

  it('decides on features and limits', async () => {
    const user = await subscribed('fay');
    const decisions: readonly [string, unknown][] = [
      ['export', { allowed: true, reason: 'in_plan', plan: 'plus' }],
      ['api', { allowed: false, reason: 'not_in_plan', plan: 'plus', upgradeTo: 'pro' }],
      ['sso', { allowed: false, reason: 'not_in_plan', plan: 'plus' }],
      ['teleport', { allowed: false, reason: 'unknown_feature', plan: 'plus' }],
      ['__proto__', { allowed: false, reason: 'unknown_feature', plan: 'plus' }],
      ['members', { allowed: true, reason: 'in_plan', plan: 'plus', limit: 500 }],
      ['members?amount=500', { allowed: true, reason: 'in_plan', plan: 'plus', limit: 500 }],
      [
        'members?amount=501',
        { allowed: false, reason: 'limit_reached', plan: 'plus', limit: 500, upgradeTo: 'pro' },
      ],
    ];
    for (const [key, decision] of decisions) {
      expect((await get(`/v1/users/fay/features/${key}`)).body).toEqual(decision);
    }
    const swapped = await service.receive(user.switchesTo(PRO).body);
    await service.entitlements('fay', swapped.position);
    expect((await get('/v1/users/fay/features/api')).body).toMatchObject({ reason: 'pending_payment' });
    const overdue = await service.receive(user.becomes('past_due').body);
    await service.entitlements('fay', overdue.position);
    expect((await get('/v1/users/fay/features/export')).body).toMatchObject({
      allowed: true,
      reason: 'grace',
    });
    const unpaid = await service.receive(user.becomes('unpaid').body);
    await service.entitlements('fay', unpaid.position);
    expect((await get('/v1/users/fay/features/export')).body).toMatchObject({
      allowed: true, // it was paid for, and is not used up
      reason: 'grace',
    });
    const paused = await service.receive(user.becomes('paused').body);
    await service.entitlements('fay', paused.position);
    expect((await get('/v1/users/fay/features/export')).body).toMatchObject({ reason: 'suspended' });
  });

  it.each([
    ['members?amount=1.5', 'invalid_request'],
    ['members?amount=-1', 'invalid_request'],
    ['members?amount=', 'invalid_request'],
    ['members?amount=0x10', 'invalid_request'],
    ['members?amount=1e2', 'invalid_request'],
    ['members?amount=99999999999', 'invalid_request'],
    ['members?amount=1&amount=2', 'invalid_request'],
    ['members?count=1', 'unsupported_parameter'],
  ])('refuses the question %s', async (question, code) => {
    expect(problemCode(await get(`/v1/users/ann/features/${question}`))).toBe(code);
  });
});
