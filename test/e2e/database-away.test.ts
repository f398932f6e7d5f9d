import { type CuttingProxy, cuttingProxy } from '../contract/cutting-proxy.js';
import { buyer } from '../support/buyer.js';
import { problemCode } from '../support/http-call.js';
import { keptAsPseudonyms } from '../support/pseudonyms.js';
import { SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { customerEvent } from '../support/stripe-events.js';
import { until } from '../support/until.js';

/** What whoever names a user is told: of pairs of users and pseudonyms, where there are some, else of the log. */
const NAMING_A_USER = keptAsPseudonyms() ? 'database_unavailable' : 'event_store_unavailable';

describe('A database that holds the log', () => {
  let service: TestService;
  let proxy: CuttingProxy | null = null;
  const answers = (how: CuttingProxy['answers']): void => {
    if (proxy !== null) proxy.answers = how;
  };
  beforeAll(async () => {
    service = await startService({
      environment: SHIPPED_PLANS,
      through: async (url) => {
        proxy = await cuttingProxy(url);
        return proxy.url;
      },
    });
  });
  afterAll(async () => {
    answers('pass');
    await service.close();
    await proxy?.close();
  });

  it('and is too busy for a read makes it a 503 that may be repeated, and the lock costs nobody else anything', async () => {
    const holder = await service.stores.database.pool.connect();
    try {
      await holder.query('begin; lock table tenure.user_role in access exclusive mode');
      const waits = await service.ask('GET', '/v1/users/nobody-knows/entitlements');
      expect(waits.status).toBe(503);
      expect(problemCode(waits)).toBe('database_unavailable');
      expect(Number(waits.headers['retry-after'])).toBeGreaterThan(0);
    } finally {
      holder.release(true);
    }
    expect((await service.ask('GET', '/v1/users/nobody-knows/entitlements')).status).toBe(200);
  });

  it('and is away has nothing acknowledged, and everything well again when it is back', async () => {
    const body = customerEvent();
    answers('cut');
    const refused = await service.deliver(body);
    expect(refused.status).toBe(503);
    expect(problemCode(refused)).toBe('event_store_unavailable');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);

    const asked = await service.ask('GET', '/v1/users/not-in-memory/entitlements');
    expect(asked.status).toBe(503);
    expect(problemCode(asked)).toBe('database_unavailable');
    const claim = buyer('not-in-memory').started('active').body;
    for (const answer of [
      await service.deliver(claim),
      await service.ask('PUT', '/v1/customers/cus_away/link', { userId: 'u' }),
      await service.ask('GET', '/v1/audit/users/u/history'),
    ]) {
      expect([answer.status, problemCode(answer)]).toEqual([503, NAMING_A_USER]);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    for (const path of ['events', 'entitlements']) {
      const audit = await service.ask('GET', `/v1/audit/${path}`);
      expect([audit.status, problemCode(audit)]).toEqual([503, 'event_store_unavailable']);
    }

    expect((await service.call({ path: '/health/live' })).status).toBe(200);
    const ready = await service.call({ path: '/health/ready' });
    expect(ready.status).toBe(503);
    expect(ready.body).toMatchObject({
      status: 'not_ready',
      problems: expect.arrayContaining(['database_unavailable', 'event_store_unavailable']),
    });
    expect((await service.call({ path: '/metrics' })).status).toBe(200);

    answers('pass');
    await until('ready again', async () => (await service.call({ path: '/health/ready' })).status === 200);
    const again = await service.deliver(body);
    expect(again.status).toBe(200);
    expect((await service.receive(claim)).outcome).toBe('applied');
    const { position } = await service.receive(buyer('recovered').started('active').body);
    expect(await service.entitlements('recovered', position)).toMatchObject({ plan: 'plus' });
    expect((await service.receive(body)).outcome).toBe('duplicate');
  });
});
