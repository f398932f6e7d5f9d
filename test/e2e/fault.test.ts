import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../src/cli/program.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { PLANS, startService, type TestService, testEnvironment } from '../support/service.js';
import { customerObject, stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { until } from '../support/until.js';
import { freePort, ServiceProcess } from './service-process.js';

describe('An event that no code here understands', () => {
  let service: TestService;
  let folder: string;
  beforeAll(async () => {
    service = await startService();
    folder = await mkdtemp(join(tmpdir(), 'tenure-fault-'));
    await writeFile(join(folder, 'plans.yaml'), PLANS);
  });
  afterAll(async () => {
    await service.close();
    await rm(folder, { recursive: true });
  });

  it('stops the projection there: health, metrics and log say where and at what; nothing is lost', async () => {
    const bought = subscriptionObject('sub_before', 'price_plus', { metadata: { user_id: 'before' } });
    const snapshot = await service.after('before', stripeEvent('customer.subscription.created', bought));
    const store = service.tenure.app.get<EventStore>(EVENT_STORE);
    const strange = { id: randomUUID(), type: 'FromTheFuture', data: '{}', metadata: '{}' };
    const { position } = await store.append(`${service.stores.prefix}strange`, 'no_stream', [strange]);

    const ready = await until('it says so', async () => {
      const answer = await service.get('/health/ready');
      return answer.body.problems.includes('projection_faulted') && answer;
    });
    expect(ready.status).toBe(200);
    const fault = { position, type: 'FromTheFuture' };
    expect(ready.body).toMatchObject({
      status: 'degraded',
      problems: ['projection_faulted'],
      projection: { state: 'faulted', fault, position: snapshot.position },
    });
    const { text } = await service.get('/metrics');
    expect(text).toMatch(/^tenure_projection_faulted 1$/m);
    expect(text).toMatch(/^tenure_projection_faults 1$/m);
    expect(text).toMatch(new RegExp(`^tenure_projection_fault_position ${position}$`, 'm'));
    expect(text).toMatch(new RegExp(`^tenure_projection_position ${snapshot.position}$`, 'm'));

    const late = await service.deliver(stripeEvent('customer.created', customerObject('cus_late')));
    expect([late.status, late.body.outcome]).toEqual([200, 'applied']);
    expect((await service.get('/v1/users/before/entitlements')).body).toMatchObject({ plan: 'plus' });

    const port = String(await freePort());
    const environment = testEnvironment(service.databaseUrl, join(folder, 'plans.yaml'));
    const other = new ServiceProcess({
      ...environment,
      ...service.stores.environment,
      PORT: port,
      LOG_LEVEL: 'error',
    });
    await until('another tries and stops', async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => null);
      return answer !== null && /^tenure_projection_faults 1$/m.test(await answer.text());
    });
    const { stdout } = await other.kill('SIGTERM');
    const lines = stdout.split('\n').filter((line) => line.includes('stopped at a fault'));
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ fault: expect.objectContaining(fault) }),
    ]);
  });

  it('is skipped from the command line, and everything goes on, now and in a rebuild', async () => {
    const environment = { ...service.stores.environment, USER: 'eva' };
    const tenure = async (...args: readonly string[]) => {
      let [out, err] = ['', ''];
      const code = await runCli(['projections', ...args], {
        environment,
        out: (text) => {
          out += text;
        },
        err: (text) => {
          err += text;
        },
      });
      return { code, out, err };
    };
    const { position } = (await service.get('/health/ready')).body.projection.fault;
    expect(await tenure('skip', '1', '--reason', 'a test')).toMatchObject({
      code: 1,
      err: expect.stringContaining('(fault_elsewhere)'),
    });
    expect(await tenure('skip', position, '--reason', 'a test')).toMatchObject({
      code: 0,
      out: `FromTheFuture at ${position} (${service.stores.prefix}strange) is skipped\n`,
    });
    await until('it is ready', async () => (await service.get('/health/ready')).body.status === 'ready');
    expect(JSON.parse((await tenure('skip', position, '--reason', 'again', '--json')).out)).toMatchObject({
      outcome: 'skipped_before',
      skipped: { stream: `${service.stores.prefix}strange`, revision: 0, type: 'FromTheFuture' },
      reason: 'a test',
    });
    expect(await service.logged('EventSkipped')).toBe(1);
    expect(await tenure('resume')).toMatchObject({ code: 1, err: expect.stringContaining('(no_fault)') });

    const after = subscriptionObject('sub_after', 'price_plus', { metadata: { user_id: 'after' } });
    expect(await service.after('after', stripeEvent('customer.subscription.created', after))).toMatchObject({
      plan: 'plus',
    });
    const rebuilt = await tenure('rebuild', '--reason', 'a test', '--json');
    expect(JSON.parse(rebuilt.out)).toMatchObject({ kind: 'swap', changed: 0, detailsOnly: 0 });
    expect(await tenure('verify')).toMatchObject({ code: 0, out: expect.stringContaining('no difference') });
    const { text } = await service.get('/metrics');
    expect(text).toMatch(/^tenure_projection_faulted 0$/m);
    expect(text).toMatch(/^tenure_projection_generation 2$/m);
    expect(text).not.toMatch(/^tenure_projection_fault_position /m);
  });
});
