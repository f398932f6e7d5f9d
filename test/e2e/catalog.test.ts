import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { CommandBus } from '@nestjs/cqrs';
import { runCli } from '../../src/cli/program.js';
import { PublishPlanCatalog } from '../../src/commands/catalog.aggregate.js';
import { createLogger } from '../../src/observability/logger.js';
import { loadPlanFile } from '../../src/plans/plan-file.js';
import { PLANS, startService, type TestService } from '../support/service.js';
import { type TestStores, testStores } from '../support/stores.js';
import { stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { until } from '../support/until.js';

/** The plan file of a newer release: `plus` may do more. */
const NEWER_PLANS = PLANS.replace(
  '[reports, export], limits: { members: 500 }',
  '[reports, export, audit], limits: { members: 900 }',
);

const BY_OLDER = { plan: 'plus', features: ['export', 'reports'], limits: { members: 500 } };
const BY_NEWER = { plan: 'plus', features: ['audit', 'export', 'reports'], limits: { members: 900 } };

let stores: TestStores;
const running: TestService[] = [];
beforeAll(async () => {
  stores = await testStores();
});
afterAll(async () => {
  for (const service of running) await service.close();
  await stores.drop();
});

/** An instance on the stores of the test with a plan file of its own, and what it warned of at its start. */
async function instance(plans: string): Promise<{ readonly service: TestService; readonly warned: string }> {
  let warned = '';
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      warned += String(chunk);
      done();
    },
  });
  const hooks = { logger: createLogger('warn', sink) };
  const service = await startService({ stores, plans, hooks });
  running.push(service);
  return { service, warned };
}

/** A command on the stores of the test. */
async function tenure(...args: readonly string[]) {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    environment: stores.environment,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

/** How often a catalogue was published. */
async function published(): Promise<number> {
  const [service] = running;
  if (service === undefined) throw new Error('no instance runs');
  return service.logged('PlanCatalogPublished');
}

/** Waits until a user's snapshot has these fields; returns it. */
function becomes(service: TestService, userId: string, fields: object) {
  return until(`${userId} has ${JSON.stringify(fields)}`, async () => {
    const snapshot = await service.entitlements(userId);
    const said = Object.entries(fields).every(
      ([name, value]) => JSON.stringify(snapshot[name]) === JSON.stringify(value),
    );
    return said ? snapshot : undefined;
  });
}

/** Buys `plus` for a user; returns the snapshot after it. */
function buys(service: TestService, userId: string) {
  const metadata = { user_id: userId };
  const object = subscriptionObject(`sub_${userId}`, 'price_plus', { metadata });
  return service.after(userId, stripeEvent('customer.subscription.created', object));
}

describe('instances with different plan files, started in turn', () => {
  it('judge all users by the last catalogue published', async () => {
    const first = await instance(PLANS);
    expect(first.warned).toBe('');
    expect(await published()).toBe(1);
    const ada = await buys(first.service, 'ada');
    expect(ada).toMatchObject({ ...BY_OLDER, revocationVersion: 1 });

    const newer = await instance(NEWER_PLANS);
    expect(newer.warned).toBe('');
    expect(await published()).toBe(2);
    const adaNow = await becomes(newer.service, 'ada', BY_NEWER);
    expect(adaNow.revocationVersion).toBe(2);
    expect(BigInt(adaNow.position)).toBeGreaterThan(BigInt(ada.position));
    await becomes(first.service, 'ada', BY_NEWER);

    const again = await instance(NEWER_PLANS);
    expect(again.warned).toBe('');
    expect(await published()).toBe(2);

    const old = await instance(PLANS);
    expect(old.warned).toContain('the last published one stays in force');
    expect(await published()).toBe(2);
    for (const { service } of [first, again, old]) {
      const userId = `u${running.indexOf(service)}`;
      expect(await buys(service, userId)).toMatchObject(BY_NEWER);
    }
    expect(await old.service.entitlements('ada')).toEqual(adaNow);
  });

  it('go back to an old catalogue when it is published on purpose', async () => {
    const [service] = running;
    if (service === undefined) throw new Error('no instance runs');
    const { catalog, hash } = await loadPlanFile(service.plansFile);
    const origin = { actor: 'test', correlationId: 'test', causation: null, stripe: null };
    const bus = service.tenure.app.get(CommandBus);
    const answer = await bus.execute(new PublishPlanCatalog(catalog, hash, origin));
    expect(answer).toMatchObject({ outcome: 'published', hash });
    for (const one of running) await becomes(one, 'ada', { ...BY_OLDER, revocationVersion: 3 });
    expect(await bus.execute(new PublishPlanCatalog(catalog, hash, origin))).toMatchObject({
      outcome: 'current',
    });
  });

  it('do, from the command line, what the diff of a file said that its publication would', async () => {
    const [service] = running;
    if (service === undefined) throw new Error('no instance runs');
    const folder = dirname(service.plansFile);
    const file = join(folder, 'plans-new.yaml');
    await writeFile(file, NEWER_PLANS.replace('default: free', 'default: plus'));
    await buys(service, 'bert');
    const before = (await service.entitlements('ada')).revocationVersion;
    const logged = await service.logged();
    const told = await tenure('plans', 'diff', file, '--json');
    expect(told.code).toBe(1);
    const report = JSON.parse(told.out);
    expect(report).toMatchObject({ detailsOnly: 0, moves: [], defaultChanged: true });
    expect(report.changed).toBe(report.judged);
    expect(report.features).toEqual([{ feature: 'audit', gained: report.changed, lost: 0 }]);
    expect(report.limits).toEqual([{ limit: 'members', raised: report.changed, lowered: 0 }]);
    expect((await tenure('plans', 'diff', file)).out).toContain(`feature audit: ${report.changed} gain it`);
    expect(await service.logged()).toBe(logged);
    expect((await service.entitlements('ada')).revocationVersion).toBe(before);

    const { code, out } = await tenure('plans', 'publish', file, '--actor', 'eva', '--json');
    expect([code, JSON.parse(out)]).toEqual([
      0,
      { outcome: 'published', hash: report.hashAfter, position: expect.any(String) },
    ]);
    for (const { userId, after, versionAfter } of report.first) {
      const { features, limits } = after;
      await becomes(service, userId, { features, limits, revocationVersion: versionAfter });
    }
    expect(await service.entitlements('nobody')).toMatchObject({ plan: 'plus', revocationVersion: 0 });
    expect(await tenure('plans', 'diff', file)).toMatchObject({ code: 0 });
    expect(JSON.parse((await tenure('plans', 'publish', file, '--json')).out)).toMatchObject({
      outcome: 'current',
      position: null,
    });
    expect((await tenure('projections', 'verify')).out).toContain('no difference');

    // One that was published before, is not the last, and is published all the same.
    const again = await tenure('plans', 'publish', service.plansFile);
    expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/ is published at \d+, hash /) });
    await becomes(service, 'nobody', { plan: 'free' });
  });

  it('refuse a file with faults, by their lines', async () => {
    const [service] = running;
    if (service === undefined) throw new Error('no instance runs');
    const file = join(dirname(service.plansFile), 'plans-bad.yaml');
    await writeFile(file, 'default: gone\nplans:\n  free: { rank: 0, role: free }\n');
    const logged = await service.logged();
    for (const command of ['diff', 'publish']) {
      expect(await tenure('plans', command, file)).toEqual({
        code: 65,
        out: '',
        err: expect.stringMatching(/^plans-bad\.yaml:1: default: /),
      });
    }
    expect(await service.logged()).toBe(logged);
  });
});
