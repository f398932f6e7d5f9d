import type { Pool } from 'pg';
import { runCli } from '../../src/cli/program.js';
import { POOL } from '../../src/database/database.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { AdvancingClock } from '../support/advancing-clock.js';
import { buyer } from '../support/buyer.js';
import { problemCode } from '../support/http-call.js';
import { wholeLog } from '../support/log.js';
import { AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';

describe('What is given and set by hand', () => {
  const clock = new AdvancingClock();
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ environment: SHIPPED_PLANS, hooks: { now: clock.now } });
  });
  afterAll(() => service.close());

  async function issue(user: string, grant: object, headers: Readonly<Record<string, string>> = {}) {
    const body = { reason: 'a prize', ...grant };
    return service.ask('POST', `/v1/users/${user}/grants`, body, { ...AUTHORIZED, ...headers });
  }

  async function feature(user: string, key: string, amount = 1): Promise<unknown> {
    const answer = await service.ask('GET', `/v1/users/${user}/features/${key}?amount=${amount}`);
    expect(answer.status).toBe(200);
    return answer.body;
  }

  it('is a grant: it holds at once, is listed and explained with who gave it, and is revoked once', async () => {
    const grant = { plan: 'pro', addons: { seats: 2 }, actor: 'mira' };
    const { status, body } = await issue('gina', grant);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      userId: 'gina',
      plan: 'pro',
      actor: 'mira',
      startsAt: null,
      outcome: 'applied',
    });
    const { grantId, position } = body;
    expect(await service.entitlements('gina', position)).toMatchObject({
      plan: 'pro',
      status: 'granted',
      limits: { members: 5020 },
      subscriptionActive: false,
      source: { type: 'grant', grantId },
    });
    expect(await feature('gina', 'api')).toMatchObject({ allowed: true, reason: 'granted', plan: 'pro' });
    expect(await feature('gina', 'reports')).toMatchObject({ allowed: true, reason: 'in_plan' });
    expect(await feature('gina', 'members', 5_010)).toMatchObject({ allowed: true, reason: 'addon' });

    const path = `/v1/users/gina/grants`;
    const listed = (await service.ask('GET', path)).body.grants;
    expect(listed).toMatchObject([{ grantId, state: 'holds', missing: [], revoked: null, actor: 'mira' }]);
    const { reasons } = (await service.ask('GET', '/v1/users/gina/entitlements?explain=true')).body;
    expect(reasons).toContainEqual(
      expect.objectContaining({
        of: `grant:${grantId}`,
        code: 'grant_holds',
        events: [expect.objectContaining({ type: 'GrantIssued', position })],
      }),
    );

    // Nobody revokes what another user has.
    expect(problemCode(await service.ask('DELETE', `/v1/users/gus/grants/${grantId}`))).toBe('not_found');
    const revoked = await service.ask('DELETE', `${path}/${grantId}?reason=a%20mistake`);
    expect(revoked.body).toMatchObject({ outcome: 'applied', event: 'GrantRevoked' });
    expect(await service.entitlements('gina', revoked.body.position)).toMatchObject({
      plan: 'free',
      status: 'none',
    });
    expect((await service.ask('DELETE', `${path}/${grantId}`)).body).toMatchObject({ outcome: 'duplicate' });
    const after = (await service.ask('GET', path)).body.grants;
    expect(after).toMatchObject([{ state: 'revoked', revoked: { reason: 'a mistake', actor: 'admin-key' } }]);

    const history = (await service.ask('GET', '/v1/audit/users/gina/history')).body;
    expect(JSON.stringify(history)).toContain('"actor":"mira"');
    const begun = new Date(Date.parse(listed[0].issuedAt)).toISOString();
    const then = await service.ask('GET', `/v1/users/gina/entitlements?at=${begun}&explain=true`);
    expect(then.body).toMatchObject({ plan: 'pro', status: 'granted' });
  });

  it('is issued once for one Idempotency-Key, also once its reply is forgotten', async () => {
    const headers = { 'idempotency-key': 'autumn-contest' };
    const first = await issue('ida', { plan: 'plus' }, headers);
    await service.tenure.app.get<Pool>(POOL).query('delete from tenure.idempotency_key');
    const again = await issue('ida', { plan: 'plus' }, headers);
    expect(again.body).toMatchObject({ grantId: first.body.grantId, outcome: 'duplicate' });
    await service.tenure.app.get<Pool>(POOL).query('delete from tenure.idempotency_key');
    expect(problemCode(await issue('ida', { plan: 'pro' }, headers))).toBe('idempotency_key_reused');
    await service.entitlements('ida', first.body.position);
    expect((await service.ask('GET', '/v1/users/ida/grants')).body.grants).toHaveLength(1);
  });

  it('ends by itself for a user who never bought anything', async () => {
    const expiresAt = new Date(clock.end).toISOString();
    const { body } = await issue('otto', { features: ['sso'], limits: { members: 70 }, expiresAt });
    expect(await service.entitlements('otto', body.position)).toMatchObject({
      features: ['reports', 'sso'],
      limits: { members: 70 },
      validUntil: expiresAt,
    });
    clock.advance();
    const stored = await service.storedId('otto');
    await until('the clock ends it', async () => {
      const log = await wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE));
      return log.some(({ type, data }) => type === 'AccessDeadlineReached' && data.includes(`"${stored}"`));
    });
    expect(await service.entitlements('otto')).toMatchObject({ features: ['reports'], validUntil: null });
  });

  it('is an override: it stands whatever Stripe says, shows what holds without it, and is removed', async () => {
    const user = buyer('oda');
    await service.receive(user.started('active').body);
    const path = '/v1/users/oda/overrides';
    await service.ask('PUT', `${path}/export`, { value: false, reason: 'asked for' });
    const set = await service.ask('PUT', `${path}/members`, { add: -20, reason: 'agreed', actor: 'mira' });
    expect(set.body).toMatchObject({ outcome: 'applied', event: 'OverrideSet' });
    const again = await service.ask('PUT', `${path}/members`, { add: -20, reason: 'agreed', actor: 'mira' });
    expect(again.body).toMatchObject({ outcome: 'duplicate' });
    expect(await service.entitlements('oda', set.body.position)).toMatchObject({
      plan: 'plus',
      status: 'active',
      features: ['reports'],
      limits: { members: 480 },
    });
    expect((await service.ask('GET', path)).body.overrides).toMatchObject([
      {
        key: 'export',
        kind: 'feature',
        value: false,
        planValue: true,
        overrideValue: false,
        actor: 'admin-key',
      },
      {
        key: 'members',
        kind: 'limit',
        value: 480,
        planValue: 500,
        overrideValue: 480,
        add: -20,
        actor: 'mira',
      },
    ]);
    expect(await feature('oda', 'export')).toMatchObject({ allowed: false, reason: 'override' });
    expect(await feature('oda', 'members', 490)).toMatchObject({ allowed: false, reason: 'override' });
    expect(await feature('oda', 'members', 470)).toMatchObject({ allowed: true, reason: 'in_plan' });
    const explained = await service.ask('GET', '/v1/users/oda/features/export?explain=true');
    expect(explained.body.reasons[0]).toMatchObject({ of: 'feature:export', code: 'override_feature_off' });

    // What ops set is not undone by what Stripe says next.
    const { position } = await service.receive(user.renews().body);
    expect(await service.entitlements('oda', position)).toMatchObject({ features: ['reports'] });
    const removed = await service.ask('DELETE', `${path}/members?reason=over&actor=mira`);
    expect(removed.body).toMatchObject({ outcome: 'applied', event: 'OverrideRemoved' });
    expect(await service.entitlements('oda', removed.body.position)).toMatchObject({
      limits: { members: 500 },
    });
    expect((await service.ask('DELETE', `${path}/members`)).body).toMatchObject({ outcome: 'duplicate' });
    expect((await service.ask('GET', path)).body.overrides).toHaveLength(1);
  });

  it.each<[string, string, string, object | undefined]>([
    ['unknown_plan', 'POST', 'grants', { plan: 'gold', reason: 'x' }],
    ['unknown_plan', 'POST', 'grants', { plan: 'constructor', reason: 'x' }],
    ['unknown_addon', 'POST', 'grants', { addons: { boxes: 1 }, reason: 'x' }],
    ['unknown_key', 'POST', 'grants', { features: ['members'], reason: 'x' }],
    ['unknown_key', 'POST', 'grants', { limits: { export: 1 }, reason: 'x' }],
    ['invalid_request', 'POST', 'grants', { reason: 'gives nothing' }],
    ['invalid_request', 'POST', 'grants', { plan: 'plus' }],
    ['invalid_request', 'POST', 'grants', { plan: 'plus', reason: 'a\u0007bell' }],
    ['invalid_request', 'POST', 'grants', { addons: { seats: 0 }, reason: 'x' }],
    ['ends_before_start', 'POST', 'grants', { plan: 'plus', reason: 'x', expiresAt: '2020-01-01T00:00:00Z' }],
    ['invalid_user_id', 'POST', '%07/grants', { plan: 'plus', reason: 'x' }],
    ['invalid_request', 'DELETE', 'grants/a%07', undefined],
    ['not_found', 'DELETE', 'grants/6f0c1c2e-5b0f-4e5a-9c39-0d5e3a6f7b21', undefined],
    ['unknown_key', 'PUT', 'overrides/crates', { value: 1, reason: 'x' }],
    ['unknown_key', 'PUT', 'overrides/export', { value: 1, reason: 'x' }],
    ['unknown_key', 'PUT', 'overrides/members', { value: true, reason: 'x' }],
    ['invalid_request', 'PUT', 'overrides/members', { reason: 'says nothing' }],
    ['invalid_request', 'PUT', 'overrides/members', { value: 1, add: 1, reason: 'says two things' }],
    ['invalid_request', 'PUT', 'overrides/mem%07bers', { value: 1, reason: 'x' }],
    [
      'ends_before_start',
      'PUT',
      'overrides/members',
      { value: 1, reason: 'x', expiresAt: '2020-01-01T00:00:00Z' },
    ],
    ['invalid_request', 'DELETE', 'overrides/members?reason=%07', undefined],
  ])('is refused as %s: %s %s %j', async (code, method, rest, body) => {
    const path = rest.startsWith('%') ? `/v1/users/${rest}` : `/v1/users/nora/${rest}`;
    expect(problemCode(await service.ask(method, path, body))).toBe(code);
  });

  it('is done on the command line as over HTTP, under the name of who does it', async () => {
    const tenure = async (...args: readonly string[]) => {
      const said: string[] = [];
      const code = await runCli(args, {
        environment: { ...service.environment, USER: 'ada' },
        out: (text) => said.push(text),
        err: (text) => said.push(text),
      });
      return { code, out: said.join('') };
    };
    const why = ['--reason', 'agreed'];
    const issued = await tenure(
      'grants',
      'issue',
      'cleo',
      '--plan',
      'plus',
      '--addon',
      'seats=2',
      ...why,
      '--json',
    );
    const { grantId, actor } = JSON.parse(issued.out);
    expect(actor).toBe('cli:ada');
    const set = await tenure('overrides', 'set', 'cleo', 'members', '--add', '-5', ...why, '--json');
    await service.entitlements('cleo', JSON.parse(set.out).position);
    expect(await service.entitlements('cleo')).toMatchObject({ plan: 'plus', limits: { members: 515 } });
    expect((await tenure('grants', 'list', 'cleo')).out).toContain(grantId);
    expect((await tenure('overrides', 'list', 'cleo')).out).toMatch(/members +limit +in_force +515 +520/);
    expect(await tenure('grants', 'issue', 'cleo', '--plan', 'gold', ...why)).toEqual({
      code: 1,
      out: 'tenure: The catalogue has no plan "gold".\n',
    });
    expect((await tenure('overrides', 'remove', 'cleo', 'members', ...why)).code).toBe(0);
    const revoked = await tenure('grants', 'revoke', 'cleo', grantId, ...why, '--json');
    expect(await service.entitlements('cleo', JSON.parse(revoked.out).position)).toMatchObject({
      plan: 'free',
    });
    expect((await tenure('grants', 'revoke', 'cleo', grantId, ...why)).out).toBe(
      `${grantId} was over before\n`,
    );
  });
});
