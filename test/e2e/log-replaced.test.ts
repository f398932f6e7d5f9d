import { Writable } from 'node:stream';
import { pino } from 'pino';
import { runCli } from '../../src/cli/program.js';
import type { Answer } from '../support/http-call.js';
import { type ReplaceableLog, replaceableLog } from '../support/replaceable-log.js';
import { startService, type TestService } from '../support/service.js';
import {
  customerObject,
  type StripeEvent,
  stripeEvent,
  subscriptionObject,
} from '../support/stripe-events.js';
import { until } from '../support/until.js';

const PROJECTION = '/v1/ops/projections/entitlements';
const NEVER_REACHED = '999999999999999999';

let log: ReplaceableLog;
let service: TestService | null = null;
/** Messages that the service logged from `warn` on. */
let said: string[];

beforeEach(async () => {
  log = await replaceableLog();
  said = [];
});
afterEach(async () => {
  await service?.close();
  service = null;
  await log.stores.drop();
});

async function start(): Promise<TestService> {
  const lines = new Writable({
    write: (chunk, _, done) => {
      said.push(JSON.parse(String(chunk)).msg);
      done();
    },
  });
  service = await startService({ stores: log.stores, hooks: { logger: pino({ level: 'warn' }, lines) } });
  return service;
}

function bought(user: string): StripeEvent {
  const subscription = subscriptionObject(`sub_${user}`, 'price_plus', { metadata: { user_id: user } });
  return stripeEvent('customer.subscription.created', subscription);
}

async function problems(running: TestService): Promise<readonly string[]> {
  return (await running.get('/health/ready')).body.problems;
}

function isReplaced(running: TestService): Promise<unknown> {
  return until('the log is known to be another one', async () =>
    (await problems(running)).includes('log_replaced'),
  );
}

function isReady(running: TestService): Promise<unknown> {
  return until('it is ready', async () => (await running.get('/health/ready')).body.status === 'ready');
}

function expectRefused({ status, body, headers }: Answer): void {
  expect([status, body.code, Number(headers['retry-after']) > 0]).toEqual([503, 'log_replaced', true]);
}

async function tenure(...args: readonly string[]) {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    environment: { ...log.stores.environment, USER: 'ada' },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

async function adopt(...args: readonly string[]) {
  const reason = 'the backup is all there is';
  const { code, out, err } = await tenure('log', 'adopt', '--reason', reason, '--json', ...args);
  return { code, report: out === '' ? null : JSON.parse(out), err };
}

describe('A log that was restored older', () => {
  it('under a running service takes no word and folds nothing, while reads go on, until the right one is back', async () => {
    const running = await start();
    const [ann, bob] = [bought('ann'), bought('bob')];
    await running.after('ann', ann);
    const restoreOlder = await log.backUp();
    const { position } = await running.after('bob', bob);
    const restore = await log.backUp();

    await restoreOlder();
    await isReplaced(running);
    const ready = await running.get('/health/ready');
    expect([ready.status, ready.body.status]).toEqual([200, 'degraded']);
    for (const event of [bought('cy'), bob, ann]) expectRefused(await running.deliver(event));
    expectRefused(await running.ask('PUT', '/v1/customers/cus_1/link', { userId: 'ann' }));
    expect(await running.entitlements('bob')).toMatchObject({ plan: 'plus', revocationVersion: 1 });
    expect((await running.get(`/v1/users/bob/entitlements?minPosition=${position}`)).status).toBe(200);
    const beyond = await running.get(`/v1/users/bob/entitlements?minPosition=${NEVER_REACHED}`);
    expect([beyond.status, beyond.body.code]).toEqual([412, 'position_unknown']);
    expect((await running.get('/metrics')).text).toMatch(/^tenure_log_replaced 1$/m);
    expect(said.filter((line) => line.startsWith('THE LOG IS NOT'))).toHaveLength(1);

    await restore();
    await isReady(running);
    expect(said.filter((line) => line.startsWith('the log is the known one again'))).toHaveLength(1);
    expect((await running.get('/metrics')).text).toMatch(/^tenure_log_replaced 0$/m);
    expect((await running.deliver(bob)).body.outcome).toBe('duplicate');
    expect(await running.after('cy', bought('cy'))).toMatchObject({ plan: 'plus' });
    expect(await running.logged('SubscriptionActivated')).toBe(3);
  });

  it('is started on, read from, told of and adopted, which running services hear of without a restart', async () => {
    let running = await start();
    await running.after('ann', bought('ann'));
    const restoreOlder = await log.backUp();
    const bob = bought('bob');
    await running.after('bob', bob);
    const override = { value: true, reason: 'asked for' };
    const { position } = (await running.ask('PUT', '/v1/users/bob/overrides/export', override)).body;
    await running.entitlements('bob', position);
    const build = { reason: 'kept for later', afterwards: 'keep' };
    await running.ask('POST', `${PROJECTION}/rebuild`, build);
    await until('a build is kept', async () => {
      return (await running.get(`${PROJECTION}/rebuild`)).body.phase === 'kept';
    });
    await running.close();
    await restoreOlder();

    running = await start();
    await until('it has started', async () => (await problems(running)).join() === 'log_replaced');
    expect(await running.entitlements('bob')).toMatchObject({ plan: 'plus', revocationVersion: 1 });
    expectRefused(await running.deliver(bob));
    expect(await tenure('customers', 'link', 'cus_1', 'ann')).toMatchObject({ code: 69, out: '' });

    const told = await adopt();
    expect(told).toMatchObject({
      code: 1,
      report: {
        swap: null,
        changed: 1,
        first: [{ userId: 'bob', before: { plan: 'plus' }, after: { plan: 'free' } }],
        known: { position, at: expect.any(String) },
        catalog: 'in the log',
        lost: {
          stripe: [{ id: bob.id, type: bob.type, created: bob.created }],
          own: [{ type: '', created: expect.any(Number) }],
        },
      },
      err: expect.stringContaining('nothing was changed'),
    });
    expect(BigInt(told.report.log.position)).toBeLessThan(BigInt(position));
    expect(told.report.common).toMatchObject({ position: told.report.log.position });
    expect(await running.entitlements('bob')).toMatchObject({ plan: 'plus' });

    const { cursor } = (await running.get('/v1/revocations')).body;
    const { code, report } = await adopt('--yes');
    expect([code, report.swap, report.changed]).toEqual([0, 1, 1]);
    await isReady(running);
    await until('bob is free', async () => (await running.entitlements('bob')).plan === 'free');
    expect(await running.entitlements('bob')).toMatchObject({ revocationVersion: 2 });
    expect(await running.entitlements('ann')).toMatchObject({ plan: 'plus', revocationVersion: 1 });
    const feed = await log.stores.database.pool.query('select user_id, version from tenure.revocation_feed');
    expect(feed.rows.at(-1)).toEqual({ user_id: await running.storedId('bob'), version: 2 });
    expect((await running.get(`/v1/revocations?after=${cursor}`)).body).toMatchObject({ code: 'feed_reset' });

    expect((await running.deliver(bob)).body.outcome).toBe('applied');
    await until('bob has it again', async () => (await running.entitlements('bob')).plan === 'plus');
    expect(await running.entitlements('bob')).toMatchObject({ revocationVersion: 3 });
    const rollback = await running.ask('POST', `${PROJECTION}/rollback`, { reason: 'no' });
    expect([rollback.status, rollback.body.code]).toEqual([409, 'nothing_to_roll_back']);
    const swap = await running.ask('POST', `${PROJECTION}/swap`, { generation: 2, reason: 'no' });
    expect([swap.status, swap.body.code]).toEqual([404, 'unknown_generation']);
    const { generations, swaps } = (await running.get(PROJECTION)).body;
    expect(generations.map(({ role }: { role: string }) => role)).toEqual(['replaced', 'replaced', 'live']);
    expect(swaps[0]).toMatchObject({ kind: 'adoption', actor: 'cli:ada' });
    expect(await adopt('--yes')).toMatchObject({ code: 1, err: expect.stringContaining('log_is_known') });
  });
});

describe('A log that was wiped', () => {
  it('and refilled beyond its old end is not folded, and adopted with the catalogue that it lacks', async () => {
    const running = await start();
    const ann = bought('ann');
    const { position } = await running.after('ann', ann);
    await log.wipe();
    await log.refill(20);
    await isReplaced(running);
    expectRefused(await running.deliver(bought('bob')));
    expect((await running.get('/health/ready')).body.projection.position).toBe(position);
    expect((await running.get('/v1/ops/unlinked')).body.items).toEqual([]);

    expect(await adopt()).toMatchObject({
      code: 1,
      report: { changed: 1, catalog: 'published again', lost: { stripe: [{ id: ann.id }] } },
    });
    expect((await adopt('--yes')).code).toBe(0);
    await isReady(running);
    await until('ann is free', async () => (await running.entitlements('ann')).plan === 'free');
    expect(await running.entitlements('ann')).toMatchObject({ revocationVersion: 2 });
    expect((await running.get('/v1/ops/unlinked')).body.items).toHaveLength(20);
    expect(await running.after('ann', ann)).toMatchObject({ plan: 'plus', revocationVersion: 3 });
    expect(await running.logged('PlanCatalogPublished')).toBe(1);
  });

  it('answers no delivery as if it were kept, however soon it comes', async () => {
    const running = await start();
    await running.after('ann', bought('ann'));
    // More than others write to a shared log meanwhile: what is appended after the wipe stands below what was folded.
    for (let n = 0; n < 60; n += 1) {
      await running.deliver(stripeEvent('customer.created', customerObject(`cus_before_${n}`)));
    }
    await running.after('bob', bought('bob'));
    const restore = await log.backUp();
    await log.wipe();
    const events = Array.from({ length: 8 }, (_, n) =>
      stripeEvent('customer.created', customerObject(`cus_soon_${n}`)),
    );
    const [first] = events;
    if (first === undefined) throw new Error('no event');
    expect((await running.deliver(first)).status).toBe(503);
    await isReplaced(running);
    await restore();
    await isReady(running);
    for (const event of events) expect((await running.deliver(event)).body.outcome).toBe('applied');
  });
});
