import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CuttingProxy, cuttingProxy } from '../contract/cutting-proxy.js';
import { until } from '../support/until.js';
import { call } from './support/http-call.js';
import {
  AUTHORIZED,
  buyer,
  event,
  problemCode,
  type Service,
  signed,
  startService,
} from './support/service.js';

describe('Health and metrics', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  it('say that all is well', async () => {
    expect((await service.call({ path: '/health/live' })).json()).toEqual({ status: 'live' });
    const { position } = await service.receive(buyer('healthy').started('active').body);
    await service.snapshot('healthy', position);
    const ready = await service.call({ path: '/health/ready' });
    expect(ready.status).toBe(200);
    expect(ready.json()).toMatchObject({
      status: 'ready',
      problems: [],
      projection: { state: 'leading', position, lagEvents: 0, lagSeconds: 0, fault: null },
    });
  });

  it('count deliveries by type and outcome, with types from a closed set', async () => {
    const body = event();
    await service.receive(body);
    await service.receive(body);
    for (let n = 0; n < 30; n += 1) await service.receive(event({ type: `made.up.${n}` }));
    await service.deliver(event({ created: -1 }));
    await service.call({ method: 'POST', path: '/webhooks/stripe', body });
    await service.deliver('x'.repeat(2 * 1024 * 1024));
    const { text, headers } = await service.call({ path: '/metrics' });
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const line of [
      'tenure_webhooks_total{type="customer.created",outcome="applied"} 1',
      'tenure_webhooks_total{type="customer.created",outcome="duplicate"} 1',
      'tenure_webhooks_total{type="customer.created",outcome="malformed"} 1',
      'tenure_webhooks_total{type="other",outcome="ignored"} 30',
      'tenure_webhooks_total{type="unread",outcome="invalid_signature"} 1',
      'tenure_webhooks_total{type="unread",outcome="too_large"} 1',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toContain('made.up');
  });

  it('measure appends, requests by pattern, and the projection', async () => {
    await service.receive(event());
    await service.ask('GET', '/v1/users/secret-user-id/entitlements');
    await service.ask('GET', '/v1/users/secret-user-id/features/export');
    await service.call({ path: '/secret/path' });
    await service.call({ path: '/v1/ops/unlinked' });
    const { text } = await service.call({ path: '/metrics' });
    expect(text).toMatch(/tenure_append_duration_seconds_count\{outcome="appended"\} [1-9]/);
    expect(text).toMatch(
      /tenure_http_request_duration_seconds_count\{route="\/v1\/users\/:userId\/features\/:key",method="GET",status="200"\} 1\n/,
    );
    expect(text).toMatch(
      /tenure_http_request_duration_seconds_count\{route="none",method="GET",status="404"\} 1\n/,
    );
    expect(text).toMatch(/tenure_auth_failures_total\{code="unauthorized"\} 1\n/);
    expect(text).toMatch(/tenure_projection_position [1-9]\d*\n/);
    expect(text).toMatch(/tenure_projection_lag_seconds \d/);
    expect(text).toMatch(/tenure_projection_faults 0\n/);
    expect(text).toMatch(/tenure_projection_running 1\n/);
    expect(text).not.toContain('secret');
    expect(text).toMatch(/process_resident_memory_bytes \d/);
  });
});

describe('A database that goes away', () => {
  let service: Service;
  let proxy: CuttingProxy | null = null;
  const answers = (how: CuttingProxy['answers']): void => {
    if (proxy !== null) proxy.answers = how;
  };
  beforeAll(async () => {
    service = await startService({
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

  it('makes nothing be acknowledged, and everything be well again when it is back', async () => {
    const body = event();
    answers('cut');
    const refused = await service.deliver(body);
    expect(refused.status).toBe(503);
    expect(problemCode(refused)).toBe('event_store_unavailable');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);

    const asked = await service.ask('GET', '/v1/users/not-in-memory/entitlements');
    expect(asked.status).toBe(503);
    expect(problemCode(asked)).toBe('database_unavailable');
    const linked = await service.ask('PUT', '/v1/customers/cus_away/link', { userId: 'u' });
    expect(problemCode(linked)).toBe('event_store_unavailable');

    expect((await service.call({ path: '/health/live' })).status).toBe(200);
    const ready = await service.call({ path: '/health/ready' });
    expect(ready.status).toBe(503);
    expect(ready.json()).toMatchObject({
      status: 'not_ready',
      problems: expect.arrayContaining(['database_unavailable', 'event_store_unavailable']),
    });
    expect((await service.call({ path: '/metrics' })).status).toBe(200);

    answers('pass');
    await until('ready again', async () => (await service.call({ path: '/health/ready' })).status === 200);
    const again = await service.deliver(body);
    expect(again.status).toBe(200);
    const { position } = await service.receive(buyer('recovered').started('active').body);
    expect(await service.snapshot('recovered', position)).toMatchObject({ plan: 'plus' });
    expect((await service.receive(body)).outcome).toBe('duplicate');
  });
});

describe('Stopping', () => {
  it('finishes what is under way, takes nothing new, and does not wait for idle connections', async () => {
    const service = await startService();
    const { url } = service.tenure;
    const body = buyer('late').checksOut('late').body;
    const idle = fetch(`${url}/health/live`);
    expect((await idle).status).toBe(200);
    const held = call(url, { method: 'POST', path: '/webhooks/stripe', headers: signed(body), body });
    await until('the delivery is stored', async () => (await service.logged()) === 2);

    const start = performance.now();
    const closed = service.close();
    await expect(call(url, { path: '/health/live', headers: AUTHORIZED })).rejects.toThrow(
      /ECONNREFUSED|ECONNRESET/,
    );
    expect((await held).json()).toMatchObject({ outcome: 'applied' });
    await closed;
    expect(performance.now() - start).toBeLessThan(6_000);
  });
});
