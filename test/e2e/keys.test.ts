import { sealAnew } from '../../src/auth/seal-anew.js';
import { SealedSecrets } from '../../src/auth/sealed-secrets.js';
import { createTenure, type Tenure } from '../../src/bootstrap.js';
import { runCli } from '../../src/cli/program.js';
import { loadSettings } from '../../src/config/settings.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { makePseudonymKey } from '../../src/pseudonyms/keyed-hashes.js';
import { SEALED_COLUMNS } from '../../src/start/kept-secrets.js';
import { type Answer, type Call, call, problemCode } from '../support/http-call.js';
import { wholeLog } from '../support/log.js';
import { ADMIN_KEY, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';

describe('Keys made at the command line', () => {
  let service: TestService;
  let second: Tenure;
  beforeAll(async () => {
    service = await startService({ environment: SHIPPED_PLANS });
    second = await createTenure(loadSettings(service.environment), { threads: 'none' });
  });
  afterAll(async () => {
    await second.close();
    await service.close();
  });

  async function tenure(...args: readonly string[]): Promise<string> {
    let out = '';
    const code = await runCli(args, {
      environment: service.environment,
      out: (text) => {
        out += text;
      },
      err: () => undefined,
    });
    expect(code).toBe(0);
    return out.trim();
  }

  function made(...scopes: readonly string[]): Promise<string> {
    return tenure('keys', 'create', '-n', 'test', '-s', ...scopes);
  }

  /** A request with a key at one of the instances. */
  function ask(
    key: string,
    path: string,
    at: Tenure = service.tenure,
    more: Partial<Call> = {},
  ): Promise<Answer> {
    return call(at.url, { path, ...more, headers: { authorization: `Bearer ${key}`, ...more.headers } });
  }

  const SNAPSHOT = '/v1/users/anyone/entitlements';

  it('open what their scopes name, on every instance, on hot routes and controllers, and nothing else', async () => {
    const reader = await made('entitlements:read');
    const ops = await made('ops', 'audit');
    for (const instance of [service.tenure, second]) {
      expect((await ask(reader, SNAPSHOT, instance)).status).toBe(200);
      expect((await ask(reader, `${SNAPSHOT}?minPosition=0`, instance)).status).toBe(200);
      expect((await ask(ops, '/v1/ops/unlinked', instance)).status).toBe(200);
      expect((await ask(reader, '/v1/users', instance)).status).toBe(200);
      expect((await ask(ops, '/v1/ops/projections', instance)).status).toBe(200);
      const refused = [
        await ask(ops, SNAPSHOT, instance),
        await ask(ops, `${SNAPSHOT}?minPosition=0`, instance),
        await ask(ops, '/v1/users', instance),
        await ask(reader, '/v1/ops/unlinked', instance),
        await ask(reader, '/v1/audit/events', instance),
        await ask(reader, '/v1/audit/users/u/history', instance),
      ];
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '/entitlements'],
        ['GET', '/entitlements/rebuild'],
        ['POST', '/entitlements/rebuild'],
        ['POST', '/entitlements/swap'],
        ['POST', '/entitlements/rollback'],
        ['POST', '/entitlements/verify'],
        ['POST', '/entitlements/resume'],
        ['POST', '/entitlements/skip'],
        ['DELETE', '/entitlements/generations/1'],
        ['GET', '/entitlements/generations/1/comparison'],
      ] as const) {
        refused.push(await ask(reader, `/v1/ops/projections${path}`, instance, { method }));
      }
      refused.push(await ask(reader, '/v1/ops/plans/diff', instance, { method: 'POST' }));
      expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([403]));
      expect(new Set(refused.map(problemCode))).toEqual(new Set(['forbidden']));
    }
  });

  it('are no longer let in once they are revoked, on an instance that just let them in', async () => {
    const { id, key } = JSON.parse(
      await tenure('keys', 'create', '-n', 'x', '-s', 'entitlements:read', '--json'),
    );
    for (const instance of [service.tenure, second]) {
      for (let n = 0; n < 3; n += 1) expect((await ask(key, SNAPSHOT, instance)).status).toBe(200);
    }
    await tenure('keys', 'revoke', id);
    for (const instance of [service.tenure, second]) {
      // Asked all the time, so that each use could keep it alive if uses did.
      const refused = await until('it to be refused', async () => {
        const answer = await ask(key, SNAPSHOT, instance);
        return answer.status === 401 && answer;
      });
      expect(problemCode(refused)).toBe('unauthorized');
      expect((await ask(key, '/v1/ops/unlinked', instance)).status).toBe(401);
    }
  });

  it('are named in the events they cause, and never shown', async () => {
    const { id, key } = JSON.parse(await tenure('keys', 'create', '-n', 'linker', '-s', 'ops', '--json'));
    const linked = await ask(key, '/v1/customers/cus_by_key/link', second, {
      method: 'PUT',
      body: JSON.stringify({ userId: 'u' }),
      headers: { 'content-type': 'application/json' },
    });
    expect(linked.status).toBe(200);
    const log = JSON.stringify(await wholeLog(second.app.get<EventStore>(EVENT_STORE)));
    expect(log).toContain(`key:${id}`);
    expect(log).not.toContain(key);
  });

  it('do not change who is told to wait: guesses are counted, a valid key is never affected', async () => {
    const key = await made('entitlements:read');
    const from = '127.0.0.77';
    const guess = `tenure_${'A'.repeat(43)}`;
    const codes = [];
    for (let n = 0; n < 21; n += 1) codes.push((await ask(guess, SNAPSHOT, service.tenure, { from })).status);
    expect(codes).toEqual([...Array.from({ length: 20 }, () => 401), 429]);
    expect((await ask(key, SNAPSHOT, service.tenure, { from })).status).toBe(200);
    expect((await ask(ADMIN_KEY, SNAPSHOT, service.tenure, { from })).status).toBe(200);
  });

  it('say when they were last used, once the instance that saw them ends', async () => {
    const { id, key } = JSON.parse(
      await tenure('keys', 'create', '-n', 'y', '-s', 'entitlements:read', '--json'),
    );
    const third = await createTenure(loadSettings(service.environment), { threads: 'none' });
    expect((await ask(key, SNAPSHOT, third)).status).toBe(200);
    await third.close();
    const listed: { id: string; lastUsedAt: string | null; createdAt: string }[] = JSON.parse(
      await tenure('keys', 'list', '--json'),
    );
    const used = listed.find((each) => each.id === id);
    expect(Date.parse(used?.lastUsedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(used?.createdAt ?? ''));
  });

  it('that are admin keys rotate: all open, and at a start what the old one sealed is sealed by the new one', async () => {
    const path = '/v1/ops/webhook-endpoints';
    const create = (key: string, at: Tenure, idempotencyKey: string): Promise<Answer> =>
      ask(key, path, at, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify({ url: 'https://93.184.216.34/hook', types: ['access.changed'] }),
      });
    const first = await create(ADMIN_KEY, service.tenure, 'first');
    expect(first.status).toBe(201);
    await ask(ADMIN_KEY, `${path}/${first.body.id}/rotate`, service.tenure, { method: 'POST' });

    expect((await ask(ADMIN_KEY, '/v1/users/u/token', service.tenure, { method: 'POST' })).status).toBe(200);
    await tenure('audit', 'key', '--rotate');
    await makePseudonymKey(service.tenure.pool, new SealedSecrets([ADMIN_KEY]));

    const next = 'the-next-admin-key-of-the-tests-0123456789';
    const sealedBy = (key: string): SealedSecrets => new SealedSecrets([key]);
    const rotated = loadSettings({ ...service.environment, TENURE_ADMIN_KEY: `${next}, ${ADMIN_KEY}` });
    const third = await createTenure(rotated, { threads: 'none' });
    try {
      expect((await ask(next, SNAPSHOT, third)).status).toBe(200);
      expect((await ask(ADMIN_KEY, SNAPSHOT, third)).status).toBe(200);
      expect((await create(next, third, 'first')).body).toEqual(first.body);
      for (const { table, key, column, purposeOf } of SEALED_COLUMNS) {
        const { rows } = await third.pool.query(
          `select ${key} as key, ${column} as sealed from ${table} where ${column} like 'v1.%'`,
        );
        expect(rows.length).toBeGreaterThan(0);
        for (const row of rows) sealedBy(next).open(row.sealed, purposeOf(row.key));
      }
      expect(await sealAnew(third.pool, sealedBy(ADMIN_KEY), SEALED_COLUMNS)).toMatchObject({ sealed: 0 });
    } finally {
      await third.close();
    }
  });
});
