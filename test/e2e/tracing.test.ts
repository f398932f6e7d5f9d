import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { appendSpanOf, traceOf } from '../../src/observability/trace-parent.js';
import { compiled } from '../support/compiled.js';
import { wholeLog } from '../support/log.js';
import { requestIdFor } from '../support/pseudonyms.js';
import { startService, type TestService } from '../support/service.js';
import { signatureOf, stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { folding } from '../support/thread-flags.js';
import { type TraceReceiver, traceReceiver } from '../support/trace-receiver.js';

let receiver: TraceReceiver;
let service: TestService;
beforeAll(async () => {
  receiver = await traceReceiver();
  service = await startService({
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    hooks: { threads: folding() },
  });
});
afterAll(async () => {
  await service.close();
  await receiver.close();
});

describe('Tracing', () => {
  it('follows a delivery from its request to its row, which another thread writes, in one trace', async () => {
    const owned = { metadata: { user_id: 'ada' } };
    const bought = subscriptionObject('sub_traced', 'price_plus', owned);
    const body = JSON.stringify(stripeEvent('customer.subscription.created', bought));
    const headers = { 'stripe-signature': signatureOf(body), 'x-request-id': 'delivery-1' };
    const path = '/webhooks/stripe';
    const delivered = await service.call({ method: 'POST', path, body, headers });
    const requestId = String(delivered.headers['x-request-id']);
    expect([delivered.status, requestId]).toEqual([200, requestIdFor('delivery-1')]);

    const spans = await receiver.until(traceOf(requestId).traceId, 5);
    const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
    expect(spans.map(({ name, parentSpanId = '' }) => [name, names.get(parentSpanId)]).sort()).toEqual([
      ['POST /webhooks/stripe', undefined],
      ['RecordSubscriptionEvent', 'POST /webhooks/stripe'],
      ['append', 'RecordSubscriptionEvent'],
      ['fold', 'append'],
      ['write rows', 'fold'],
    ]);
    const log = await wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE));
    const [event] = log.filter(({ metadata }) => metadata.includes(`"${requestId}"`));
    expect(names.get(appendSpanOf(event?.id ?? ''))).toBe('append');
  });

  it('calls requests by the pattern of their route, hot or not', async () => {
    for (const [id, path, route] of [
      ['read-1', '/v1/users/ada/entitlements', '/v1/users/:userId/entitlements'],
      ['read-2', '/v1/users/ada/features/export', '/v1/users/:userId/features/:key'],
    ] as const) {
      const { headers } = await service.get(path, { 'x-request-id': id });
      const requestId = String(headers['x-request-id']);
      expect(requestId).toEqual(requestIdFor(id));
      expect(await receiver.until(traceOf(requestId).traceId, 1)).toMatchObject([{ name: `GET ${route}` }]);
    }
  });
});

describe('Without its setting, tracing', () => {
  it('is not even loaded by the service', async () => {
    const script = `
      import { createRequire } from 'node:module';
      await import(${JSON.stringify(pathToFileURL(compiled('src/bootstrap.ts')).href)});
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(JSON.stringify(loaded.filter((file) => /otlp|@opentelemetry.(?!api.)/.test(file))));
      console.log(loaded.length > 100);
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toBe('[]\ntrue\n');
  });
});
