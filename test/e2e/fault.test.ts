import { randomUUID } from 'node:crypto';
import { runCli } from '../../src/cli/program.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { createLogger } from '../../src/observability/logger.js';
import { startService, type TestService } from '../support/service.js';
import { customerObject, stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { folding } from '../support/thread-flags.js';
import { until } from '../support/until.js';

describe('An event that no code here understands', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ hooks: { threads: folding() } });
  });
  afterAll(async () => {
    await service.close();
  });

  /** Appends an event that no code here can read, on a stream of its own; returns its position. */
  async function appendStrange(name: string): Promise<string> {
    const store = service.tenure.app.get<EventStore>(EVENT_STORE);
    const data = JSON.stringify({ userId: await service.storedId(`${name}-dora`) });
    const strange = { id: randomUUID(), type: 'FromTheFuture', data, metadata: '{}' };
    return (await store.append(`${service.stores.prefix}${name}`, 'no_stream', [strange])).position;
  }

  async function readySays(problem: string) {
    const ready = await until(`it says ${problem}`, async () => {
      const answer = await service.get('/health/ready');
      return answer.body.problems.includes(problem) && answer;
    });
    expect([ready.status, ready.body.status]).toEqual([200, 'degraded']);
    return ready.body;
  }

  it('is set aside with its stream: health, metrics and lists say so, its user is marked, everybody else goes on', async () => {
    const position = await appendStrange('strange');
    const bought = subscriptionObject('sub_after', 'price_plus', { metadata: { user_id: 'after' } });
    const after = await service.after('after', stripeEvent('customer.subscription.created', bought));
    expect(after).toMatchObject({ plan: 'plus' });
    expect(after).not.toHaveProperty('faulted');

    const { projection, problems } = await readySays('events_set_aside');
    expect(problems).toEqual(['events_set_aside']);
    expect(projection).toMatchObject({ state: 'leading', fault: null, setAside: { streams: 1, users: 1 } });
    const { text } = await service.get('/metrics');
    expect(text).toMatch(/^tenure_projection_faulted 0$/m);
    expect(text).toMatch(/^tenure_projection_set_aside_streams 1$/m);
    expect(text).toMatch(/^tenure_projection_faulted_users 1$/m);
    const { body: listed } = await service.get('/v1/ops/faults');
    expect(listed).toEqual({
      items: [
        {
          kind: 'stream',
          id: `${service.stores.prefix}strange`,
          position,
          type: 'FromTheFuture',
          code: 'unknown_event_type',
          message: expect.stringContaining('unknown event type'),
          since: expect.any(String),
          waiting: 1,
          users: ['strange-dora'],
        },
      ],
      next: null,
    });

    const faulted = { since: listed.items[0].since, position };
    // Twice on the hot route, the second time from memory, and once through the controller.
    for (const id of ['strange-dora', 'strange-dora', 'strange%2Ddora']) {
      const answer = await service.get(`/v1/users/${id}/entitlements`);
      expect(answer.body).toMatchObject({ plan: 'free', faulted });
    }
    const batch = await service.ask('POST', '/v1/entitlements/batch', {
      userIds: ['after', 'strange-dora'],
    });
    expect(batch.body.entitlements.map((each: { faulted?: unknown }) => each.faulted)).toEqual([
      undefined,
      faulted,
    ]);
    const feature = await service.get('/v1/users/strange-dora/features/reports');
    expect(feature.body).toMatchObject({ allowed: true, faulted });
  });

  it('stops the projection when there are too many of it, and no instance is taken away for that', async () => {
    const positions: string[] = [];
    for (let n = 0; n < 20; n += 1) positions.push(await appendStrange(`strange-${n}`));
    const { projection } = await readySays('projection_faulted');
    const fault = { position: positions.at(-1), type: 'FromTheFuture', code: 'fault_limit' };
    expect(projection).toMatchObject({ state: 'faulted', fault });
    const { text } = await service.get('/metrics');
    expect(text).toMatch(/^tenure_projection_faulted 1$/m);
    expect(text).toMatch(/^tenure_projection_faults 1$/m);
    expect(text).toMatch(new RegExp(`^tenure_projection_fault_position ${fault.position}$`, 'm'));
    expect(text).toMatch(/^tenure_projection_set_aside_streams 20$/m);

    const late = await service.deliver(stripeEvent('customer.created', customerObject('cus_late')));
    expect([late.status, late.body.outcome]).toEqual([200, 'applied']);
    expect((await service.get('/v1/users/after/entitlements')).body).toMatchObject({ plan: 'plus' });

    const lines: string[] = [];
    const logger = createLogger('error', { write: (line) => lines.push(line) });
    const other = await startService({ stores: service.stores, hooks: { logger } });
    await until('another tries and stops', async () => {
      return /^tenure_projection_faults 1$/m.test((await other.get('/metrics')).text);
    });
    await other.close();
    const stops = lines.filter((line) => line.includes('stopped at a fault'));
    expect(stops.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ fault: expect.objectContaining(fault) }),
    ]);
  });

  it('is tried again and skipped from the command line, and everything goes on, now and in a rebuild', async () => {
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
    expect(await tenure('resume')).toMatchObject({ code: 0, out: expect.stringContaining('20 streams') });
    await until('it goes on', async () => {
      const { projection } = (await service.get('/health/ready')).body;
      return projection.fault === null && projection.setAside.streams === 21;
    });
    const { position } = (await service.get('/v1/ops/faults')).body.items[0];
    expect(await tenure('skip', '1', '--reason', 'a test')).toMatchObject({
      code: 1,
      err: expect.stringContaining('(fault_elsewhere)'),
    });
    expect(await tenure('skip', position, '--reason', 'a test')).toMatchObject({
      code: 0,
      out: `FromTheFuture at ${position} (${service.stores.prefix}strange) is skipped\n`,
    });
    await until('it is not set aside any more', async () => {
      return (await service.get('/health/ready')).body.projection.setAside.streams === 20;
    });
    expect(JSON.parse((await tenure('skip', position, '--reason', 'again', '--json')).out)).toMatchObject({
      outcome: 'skipped_before',
      skipped: { stream: `${service.stores.prefix}strange`, revision: 0, type: 'FromTheFuture' },
      reason: 'a test',
    });
    expect(await service.logged('EventSkipped')).toBe(1);
    expect((await tenure('status')).out).toContain('20 streams SET ASIDE, 20 users marked');

    const later = subscriptionObject('sub_later', 'price_plus', { metadata: { user_id: 'later' } });
    expect(await service.after('later', stripeEvent('customer.subscription.created', later))).toMatchObject({
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
