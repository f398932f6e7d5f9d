import { Writable } from 'node:stream';
import { CommandBus } from '@nestjs/cqrs';
import { PublishPlanCatalog } from '../../src/commands/catalog/catalog.commands.js';
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
});
