import { runCli } from '../../src/cli/program.js';
import { VERSION } from '../../src/observability/version.js';
import { buyer } from '../support/buyer.js';
import { call } from '../support/http-call.js';
import { logInEventStoreDb } from '../support/log.js';
import { AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { customerEvent, signedHeaders } from '../support/stripe-events.js';
import { until } from '../support/until.js';

describe('Health and metrics', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ environment: SHIPPED_PLANS });
  });
  afterAll(() => service.close());

  it('say that all is well', async () => {
    expect((await service.call({ path: '/health/live' })).body).toEqual({
      status: 'live',
      version: VERSION,
    });
    const { position } = await service.receive(buyer('healthy').started('active').body);
    await service.entitlements('healthy', position);
    const ready = await service.call({ path: '/health/ready' });
    expect(ready.status).toBe(200);
    expect(ready.body).toMatchObject({
      status: 'ready',
      version: VERSION,
      problems: [],
      eventStore: logInEventStoreDb() ? 'eventstoredb' : 'postgresql',
      projection: { state: 'leading', position, lagEvents: 0, lagSeconds: 0, fault: null },
    });
  });

  it('count deliveries by type and outcome, with types from a closed set', async () => {
    const body = customerEvent();
    await service.receive(body);
    await service.receive(body);
    for (let n = 0; n < 30; n += 1) await service.receive(customerEvent({ type: `made.up.${n}` }));
    await service.deliver(customerEvent({ created: -1 }));
    await service.call({ method: 'POST', path: '/webhooks/stripe', body });
    await service.deliver('x'.repeat(2 * 1024 * 1024));
    const { text, headers } = await service.call({ path: '/metrics' });
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain(`tenure_build_info{version="${VERSION}",node="${process.versions.node}"} 1`);
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

  it('list the last deliveries with what came of each, the newest first, and stream them', async () => {
    const body = customerEvent();
    const { position } = await service.receive(body);
    await service.post(body, 't=1,v1=00');
    const path = '/v1/ops/deliveries';
    const { status, body: listed } = await service.call({ path, headers: AUTHORIZED });
    expect(status).toBe(200);
    const [refused, applied] = Object(listed).deliveries;
    expect(refused).toMatchObject({ outcome: 'invalid_signature', eventId: null, type: null });
    expect(applied).toMatchObject({
      number: refused.number - 1,
      outcome: 'applied',
      eventId: JSON.parse(body).id,
      position,
    });
    const leaves = new AbortController();
    const stream = await fetch(`${service.url}${path}/stream`, {
      headers: AUTHORIZED,
      signal: leaves.signal,
    });
    const told = { text: '' };
    const reading = (async () => {
      for await (const chunk of stream.body ?? []) told.text += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    const later = customerEvent();
    await service.receive(later);
    await until('the delivery is streamed', () => told.text.includes(`"eventId":"${JSON.parse(later).id}"`));
    expect(told.text).toContain(`"number":${refused.number},`);
    leaves.abort();
    await reading;
  });

  it('measure appends, requests by pattern, and the projection', async () => {
    await service.receive(customerEvent());
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
    expect(text).toMatch(/tenure_projection_generation 1\n/);
    expect(text).toMatch(/tenure_projection_lag_events \d/);
    expect(text).toMatch(/tenure_projection_batch_events_sum [1-9]/);
    expect(text).toMatch(/tenure_projection_batch_duration_seconds_count [1-9]/);
    expect(text).not.toMatch(/^tenure_(projection_fault_position|rebuild_\w+) /m);
    expect(text).not.toContain('secret');
    expect(text).toMatch(/process_resident_memory_bytes \d/);
  });
});

describe('A build', () => {
  it('is in the metrics as long as it is there', async () => {
    const service = await startService({ environment: SHIPPED_PLANS });
    const tenure = (...args: readonly string[]) =>
      runCli(['projections', ...args], {
        environment: service.environment,
        out: () => undefined,
        err: () => undefined,
      });
    const metrics = async () => (await service.call({ path: '/metrics' })).text;
    try {
      expect(await tenure('rebuild', '--keep', '--reason', 'a test')).toBe(0);
      const text = await metrics();
      expect(text).toMatch(/^tenure_rebuild_progress 1$/m);
      expect(text).toMatch(/^tenure_rebuild_events [1-9]\d*$/m);
      expect(text).toMatch(/^tenure_rebuild_events_per_second \d/m);
      expect(await tenure('drop', '2')).toBe(0);
      expect(await metrics()).not.toMatch(/^tenure_rebuild_\w+ /m);
    } finally {
      await service.close();
    }
  });
});

describe('A delivery of Stripe', () => {
  it('is noted for every instance when it counts, whatever comes of it', async () => {
    const service = await startService({ environment: SHIPPED_PLANS });
    const noted = async () =>
      (await service.tenure.pool.query('select from tenure.webhook_contact')).rows.length === 1;
    try {
      await service.deliver('no JSON');
      await service.receive(customerEvent({ livemode: true }));
      expect(await noted()).toBe(false);
      expect((await service.receive(customerEvent({ type: 'made.up' }))).outcome).toBe('ignored');
      await until('it is noted', noted);
    } finally {
      await service.close();
    }
  });
});

describe('Stopping', () => {
  it('finishes what is under way, takes nothing new, and does not wait for idle connections', async () => {
    const service = await startService({ environment: SHIPPED_PLANS });
    const { url } = service.tenure;
    const body = buyer('late').checksOut('late').body;
    const idle = fetch(`${url}/health/live`);
    expect((await idle).status).toBe(200);
    const held = call(url, { method: 'POST', path: '/webhooks/stripe', headers: signedHeaders(body), body });
    await until('the delivery is stored', async () => (await service.logged()) === 2);

    const start = performance.now();
    const closed = service.close();
    await expect(call(url, { path: '/health/live', headers: AUTHORIZED })).rejects.toThrow(
      /ECONNREFUSED|ECONNRESET/,
    );
    expect((await held).body).toMatchObject({ outcome: 'applied' });
    await closed;
    // `held` alone takes two seconds; a connection that is waited for is kept open for more than a minute.
    expect(performance.now() - start).toBeLessThan(50_000);
  });
});
