import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { createTenure, type Tenure } from '../../src/bootstrap.js';
import { loadSettings } from '../../src/config/settings.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { EventStreams } from '../../src/http/event-stream.js';
import { buyer, PLUS } from '../support/buyer.js';
import { type Answer, call, problemCode } from '../support/http-call.js';
import { wholeLog } from '../support/log.js';
import { AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';
import { readEvents } from './support/event-reader.js';

const OPS = '/v1/ops/projections/entitlements';
const WHY = { reason: 'a test' };

describe('The projections, over HTTP', () => {
  let service: TestService;
  /** Where the live generation is. */
  let position: string | undefined;
  const releases: (() => void)[] = [];
  beforeEach(async () => {
    service = await startService({ environment: SHIPPED_PLANS });
    ({ position } = await service.receive(buyer('ann').started('active').body));
    await service.entitlements('ann', position);
  });
  afterEach(async () => {
    for (const release of releases.splice(0)) release();
    await service.close();
  });

  async function get(path = ''): Promise<Answer['body']> {
    const answer = await service.ask('GET', `${OPS}${path}`);
    expect(answer.status).toBe(200);
    return answer.body;
  }

  /** The code of a refusal, which must have the status. */
  async function refused(status: number, method: string, path: string, value?: unknown): Promise<string> {
    const answer = await service.ask(method, `${OPS}${path}`, value);
    expect(answer.status).toBe(status);
    return problemCode(answer);
  }

  async function rebuilds(afterwards: 'swap' | 'keep' | 'drop', phase: string): Promise<void> {
    const answer = await service.ask('POST', `${OPS}/rebuild`, { ...WHY, afterwards });
    expect(answer.status).toBe(202);
    await until(`a rebuild to be ${phase}`, async () => (await get('/rebuild')).phase === phase);
  }

  /** Makes what is read of ann another thing than what the log gives. */
  async function tamper(): Promise<void> {
    const { rowCount } = await service.tenure.pool.query(
      `update tenure.user_role set status = 'past_due', snapshot = replace(snapshot, '"active"', '"past_due"')
       where user_id = $1 and generation = (select generation from tenure.live_generation)`,
      [await service.storedId('ann')],
    );
    expect(rowCount).toBe(1);
  }

  /** What is read of ann in the database, not from memory. */
  async function ann(): Promise<unknown> {
    const answer = await service.ask('POST', '/v1/entitlements/batch', { userIds: ['ann'] });
    return z.object({ entitlements: z.array(z.unknown()) }).parse(answer.body).entitlements[0];
  }

  /** Holds something in the database for as long as the answer is not called, by a session of the test: the service's own end a transaction that stands idle. */
  async function holding(statement: string): Promise<() => Promise<void>> {
    const client = await service.stores.database.pool.connect();
    await client.query('begin');
    await client.query(statement);
    let held = true;
    const release = (): void => {
      if (held) client.release(true);
      held = false;
    };
    releases.push(release);
    return async () => {
      await client.query('rollback');
      release();
    };
  }

  it('show state, positions, every generation, and the last swaps', async () => {
    const status = await get();
    expect(status).toMatchObject({
      name: 'entitlements',
      state: 'leading',
      generation: 1,
      handled: position,
      lagEvents: 0,
      fault: null,
      generations: [
        {
          generation: 1,
          role: 'live',
          startedBy: 'service',
          reason: 'the first generation',
          afterwards: null,
          fold: { handled: position, builtBy: expect.any(String), mixedAfter: null, fault: null },
        },
      ],
      swaps: [],
    });
    const list = await service.ask('GET', '/v1/ops/projections');
    expect(list.body).toMatchObject({ projections: [{ ...status, lagSeconds: expect.any(Number) }] });
    await rebuilds('swap', 'swapped');
    expect(await get()).toMatchObject({
      generation: 2,
      generations: [
        { generation: 1, role: 'previous' },
        { generation: 2, role: 'live', startedBy: 'admin-key', ...WHY, afterwards: null },
      ],
      swaps: [
        { swap: 1, kind: 'swap', from: 1, to: 2, position, usersChanged: 0, actor: 'admin-key', ...WHY },
      ],
    });
  });

  it('are rebuilt and swapped on order, and what came of it stays to be read', async () => {
    await tamper();
    expect(await ann()).toMatchObject({
      status: 'past_due',
      revocationVersion: 1,
    });
    const ordered = await service.ask('POST', `${OPS}/rebuild`, WHY);
    expect(ordered.status).toBe(202);
    expect(ordered.headers.location).toBe(`${OPS}/rebuild`);
    expect(ordered.body).toMatchObject({ generation: 2, afterwards: 'swap', actor: 'admin-key', ...WHY });
    const done = await until('the swap', async () => {
      const seen = await get('/rebuild');
      return seen.phase === 'swapped' && seen;
    });
    expect(done).toMatchObject({
      generation: 2,
      finishedAt: expect.any(String),
      handled: position,
      live: position,
      eventsPerSecond: null,
      failure: null,
      report: {
        swap: 1,
        kind: 'swap',
        changed: 1,
        first: [{ userId: 'ann', kinds: ['status'], versionBefore: 1, versionAfter: 2 }],
      },
    });
    expect(await ann()).toMatchObject({ status: 'active', revocationVersion: 2 });
  });

  it('are rebuilt once by one key, also when a repeat comes after the reply is kept no more, and never with other contents', async () => {
    const order = async (body: object) => {
      const answer = await service.ask('POST', `${OPS}/rebuild`, body, { 'idempotency-key': 'rebuild-1' });
      await service.tenure.pool.query('delete from tenure.idempotency_key');
      return answer;
    };
    const asked = { ...WHY, afterwards: 'drop' };
    const first = await order(asked);
    expect([first.status, first.body.generation]).toEqual([202, 2]);
    expect((await order(asked)).body.generation).toBe(2);
    await until('it is over', async () => (await get('/rebuild')).phase === 'dropped');
    const late = await order(asked);
    expect([late.status, late.body]).toMatchObject([202, { generation: 2, phase: 'dropped' }]);
    expect(problemCode(await order({ ...asked, afterwards: 'keep' }))).toBe('idempotency_key_reused');
    expect(problemCode(await order({ ...asked, reason: 'another' }))).toBe('idempotency_key_reused');
    expect((await get('/rebuild')).generation).toBe(2);
  });

  it('are compared, swapped, rolled back and dropped one step at a time', async () => {
    expect(await refused(404, 'GET', '/rebuild')).toBe('not_found');
    expect(await refused(409, 'POST', '/rollback', WHY)).toBe('nothing_to_roll_back');
    await rebuilds('keep', 'kept');
    await tamper();
    expect(await refused(409, 'POST', '/rebuild', WHY)).toBe('rebuild_in_progress');
    expect(await get('/generations/2/comparison')).toMatchObject({
      from: { generation: 1 },
      to: { generation: 2 },
      changed: 1,
      byKind: { status: 1, plan: 0 },
    });
    const swap = (generation: number) => service.ask('POST', `${OPS}/swap`, { generation, ...WHY });
    expect((await swap(2)).body).toMatchObject({ swap: 1, kind: 'swap', changed: 1 });
    expect(problemCode(await swap(2))).toBe('generation_is_live');
    expect(problemCode(await swap(9))).toBe('unknown_generation');
    expect(await refused(409, 'DELETE', '/generations/2')).toBe('generation_is_live');

    const roll = (more: object) => service.ask('POST', `${OPS}/rollback`, { ...WHY, ...more });
    const dry = (await roll({ dryRun: true })).body;
    expect(dry).toMatchObject({ from: { generation: 2 }, to: { generation: 1 }, changed: 1 });
    expect(dry).not.toHaveProperty('swap');
    expect(await ann()).toMatchObject({ status: 'active', revocationVersion: 2 });
    expect((await roll({})).body).toMatchObject({ swap: 2, kind: 'rollback', changed: 1 });
    expect(await ann()).toMatchObject({ status: 'past_due', revocationVersion: 3 });

    const dropped = await service.ask('DELETE', `${OPS}/generations/2`);
    expect([dropped.status, dropped.text]).toEqual([204, '']);
    expect(await refused(404, 'DELETE', '/generations/2')).toBe('unknown_generation');
    expect(await refused(404, 'GET', '/generations/2/comparison')).toBe('unknown_generation');
  });

  it('are only compared on a dry run, and the report outlives the build', async () => {
    await tamper();
    await rebuilds('drop', 'dropped');
    expect(await get('/rebuild')).toMatchObject({ handled: null, events: null, report: { changed: 1 } });
    expect((await get()).generations).toMatchObject([{ generation: 1, role: 'live' }]);
    expect(await ann()).toMatchObject({ status: 'past_due', revocationVersion: 1 });
  });

  it('tell how far a rebuild is, event by event, until its end', async () => {
    const release = await holding('lock table tenure.generation_swap in exclusive mode');
    await service.ask('POST', `${OPS}/rebuild`, WHY);
    const reader = await readEvents(service.tenure.url, 'GET', `${OPS}/rebuild`);
    expect(reader.response.statusCode).toBe(200);
    expect(reader.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    await until('the build to be compared', () =>
      reader.events.some(({ data }) => JSON.stringify(data).includes('"phase":"comparing"')),
    );
    expect(reader.events.map(({ event }) => event)).not.toContain('done');
    await release();
    expect(await reader.first('done')).toMatchObject({
      generation: 2,
      phase: 'swapped',
      report: { swap: 1 },
    });
    expect(await reader.ended).toBe(true);
    const late = await readEvents(service.tenure.url, 'GET', `${OPS}/rebuild`);
    expect(await late.ended).toBe(true);
    expect(late.events).toMatchObject([{ event: 'done', data: { phase: 'swapped' } }]);
    expect(service.tenure.app.get(EventStreams).size).toBe(0);
  });

  it('forget a watcher that left, and let none hold up a stop', async () => {
    const release = await holding('lock table tenure.generation_swap in exclusive mode');
    await service.ask('POST', `${OPS}/rebuild`, WHY);
    const streams = service.tenure.app.get(EventStreams);
    const left = await readEvents(service.tenure.url, 'GET', `${OPS}/rebuild`);
    const other: Tenure = await createTenure(loadSettings(service.environment), { threads: 'none' });
    const stays = await readEvents(other.url, 'GET', `${OPS}/rebuild`);
    await Promise.all([left.first('progress'), stays.first('progress')]);
    expect(streams.size).toBe(1);
    left.leave();
    await until('the stream of who left to be gone', () => streams.size === 0);
    await other.close();
    expect(await stays.ended).toBe(true);
    await release();
    await until('the swap', async () => (await get('/rebuild')).phase === 'swapped');
  });

  it('are swapped to the end when the caller leaves in the middle', async () => {
    await rebuilds('keep', 'kept');
    const release = await holding('lock table tenure.generation_swap in exclusive mode');
    const caller = new AbortController();
    const calling = call(service.tenure.url, {
      method: 'POST',
      path: `${OPS}/swap`,
      headers: { ...AUTHORIZED, 'content-type': 'application/json' },
      body: JSON.stringify({ generation: 2, ...WHY }),
      leaves: caller.signal,
    });
    await until('the swap is under way', async () => {
      const { rowCount } = await service.stores.database.pool.query(
        `select from pg_locks where not granted and relation = 'tenure.generation_swap'::regclass
           and database = (select oid from pg_database where datname = current_database())`,
      );
      return rowCount !== 0;
    });
    caller.abort();
    await expect(calling).rejects.toThrow('aborted');
    await release();
    await until('the swap', async () => (await get()).generation === 2);
  });

  it('are verified: the report says what differs, and nothing changes', async () => {
    const verify = (value?: unknown): Promise<Answer> => service.ask('POST', `${OPS}/verify`, value);
    expect((await verify()).body).toMatchObject({ position, generation: 1, users: null, differences: 0 });
    await tamper();
    const found = (await verify({ users: 5 })).body;
    expect(found).toMatchObject({ users: 1, differences: 2, byTable: { user_role: 2 } });
    const reader = await readEvents(service.tenure.url, 'POST', `${OPS}/verify`, { users: 'all' });
    expect(await reader.first('done')).toMatchObject({ users: null, differences: 2 });
    expect(reader.events[0]).toMatchObject({ event: 'progress', data: { until: position, events: 0 } });
    expect(await reader.ended).toBe(true);
    expect((await get()).generations).toMatchObject([{ generation: 1, role: 'live' }]);
  });

  it('are verified once at a time, and no longer than somebody waits for it', async () => {
    const release = await holding('lock table tenure.user_role_g1 in access exclusive mode');
    const reader = await readEvents(service.tenure.url, 'POST', `${OPS}/verify`, {});
    await reader.first('progress');
    expect(await refused(409, 'POST', '/verify', {})).toBe('verification_in_progress');
    reader.leave();
    await release();
    await until('the verification to end', async () => {
      const { status } = await service.ask('POST', `${OPS}/verify`, {});
      return status === 200;
    });
    expect((await get()).generations).toMatchObject([{ generation: 1, role: 'live' }]);
  });

  it('are resumed, or go past an event that was looked at, by who says why', async () => {
    const store = service.tenure.app.get<EventStore>(EVENT_STORE);
    const strange = { id: randomUUID(), type: 'FromTheFuture', data: '{}', metadata: '{}' };
    const { position: at } = await store.append(`${service.prefix}strange`, 'no_stream', [strange]);
    const aside = (streams: number): Promise<boolean> =>
      until(`${streams} are set aside`, async () => (await get()).setAside.streams === streams);
    await aside(1);
    const resumed = await service.ask('POST', `${OPS}/resume`);
    expect(resumed.body).toMatchObject({ generation: 1, fault: null, streams: 1, users: 0 });
    expect(await refused(409, 'POST', '/skip', { ...WHY, position })).toBe('fault_elsewhere');
    expect(await refused(404, 'POST', '/resume', { generation: 7 })).toBe('unknown_generation');
    const skip = async () => (await service.ask('POST', `${OPS}/skip`, { ...WHY, position: at })).body;
    expect(await skip()).toMatchObject({
      outcome: 'skipped',
      skipped: { stream: `${service.prefix}strange` },
      ...WHY,
    });
    await aside(0);
    expect(await skip()).toMatchObject({ outcome: 'skipped_before' });
    expect(await refused(409, 'POST', '/resume', { generation: 'live' })).toBe('no_fault');
    const skips = (await wholeLog(store)).filter(({ type }) => type === 'EventSkipped');
    expect(skips.map(({ metadata }) => JSON.parse(metadata).actor)).toEqual(['admin-key']);
  });

  it('say who would gain and lose what by a plan file, and change nothing', async () => {
    const plans = {
      default: 'free',
      plans: {
        free: { rank: 0, role: 'free', features: ['reports'] },
        plus: { rank: 1, role: 'paid', features: ['export', 'extra'], prices: { m: PLUS.id } },
      },
    };
    const before = await service.logged();
    const answer = await service.ask('POST', '/v1/ops/plans/diff', plans);
    expect(answer.body).toMatchObject({
      judged: 1,
      changed: 1,
      first: [{ userId: 'ann' }],
      features: expect.arrayContaining([{ feature: 'extra', gained: 1, lost: 0 }]),
    });
    expect(await service.logged()).toBe(before);
    const bad = await service.ask('POST', '/v1/ops/plans/diff', { ...plans, default: 'none' });
    expect([bad.status, problemCode(bad)]).toEqual([400, 'invalid_request']);
    expect(bad.text).toContain('default');
  });

  it('refuse what is not understood, and name it', async () => {
    const cases: readonly [number, string, string, string, unknown?][] = [
      [404, 'not_found', 'GET', '/v1/ops/projections/others'],
      [404, 'not_found', 'POST', '/v1/ops/projections/others/rebuild', WHY],
      [404, 'not_found', 'DELETE', '/v1/ops/projections/others/generations/1'],
      [405, 'method_not_allowed', 'PUT', `${OPS}/rebuild`, WHY],
      [400, 'unsupported_parameter', 'GET', '/v1/ops/projections?all=1'],
      [400, 'unsupported_parameter', 'GET', `${OPS}?all=1`],
      [400, 'unsupported_parameter', 'GET', `${OPS}/rebuild?wait=1`],
      [400, 'unsupported_parameter', 'POST', `${OPS}/rebuild?dryRun=1`, WHY],
      [400, 'unsupported_parameter', 'DELETE', `${OPS}/generations/1?force=1`],
      [400, 'invalid_request', 'GET', `${OPS}/generations/0/comparison`],
      [400, 'invalid_request', 'DELETE', `${OPS}/generations/two`],
      [400, 'invalid_request', 'POST', `${OPS}/rebuild`, {}],
      [400, 'invalid_request', 'POST', `${OPS}/rebuild`, { reason: '' }],
      [400, 'invalid_request', 'POST', `${OPS}/rebuild`, { reason: 'nul \0' }],
      [400, 'invalid_request', 'POST', `${OPS}/rebuild`, { ...WHY, afterwards: 'swop' }],
      [400, 'invalid_request', 'POST', `${OPS}/rebuild`, { ...WHY, dryRun: true }],
      [400, 'invalid_request', 'POST', `${OPS}/swap`, WHY],
      [400, 'invalid_request', 'POST', `${OPS}/swap`, { ...WHY, generation: 2 ** 31 }],
      [400, 'invalid_request', 'POST', `${OPS}/rollback`, { reason: 'x', dryRun: 'yes' }],
      [400, 'invalid_request', 'POST', `${OPS}/verify`, { users: 0 }],
      [400, 'invalid_request', 'POST', `${OPS}/skip`, { ...WHY, position: 'x' }],
      [400, 'invalid_request', 'POST', `${OPS}/skip`, { position: '1' }],
      [400, 'invalid_request', 'POST', '/v1/ops/plans/diff', undefined],
      [409, 'generation_is_live', 'GET', `${OPS}/generations/1/comparison`],
    ];
    for (const [status, code, method, path, value] of cases) {
      const answer = await service.ask(method, path, value);
      expect([method, path, value, answer.status, problemCode(answer)]).toEqual([
        method,
        path,
        value,
        status,
        code,
      ]);
    }
    expect((await get()).generations).toHaveLength(1);
  });
});
