import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { browserEnvironment, type Environment } from '../../packages/client/src/browser/environment.js';
import { toNodeHandler } from '../../packages/client/src/express/index.js';
import { createTenureClient } from '../../packages/client/src/index.js';
import {
  createGuard,
  type Guard,
  type GuardOptions,
  readSnapshot,
  tenureHandler,
} from '../../packages/client/src/server/index.js';
import { badHour } from '../../packages/client/test/bad-hour.js';
import { ManualClock } from '../../packages/client/test/manual-clock.js';
import { createTenure, type Tenure } from '../../src/bootstrap.js';
import { loadSettings } from '../../src/config/settings.js';
import { buyer } from '../support/buyer.js';
import { ADMIN_KEY, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';

/** Cancellations that are seen through; the soak has more. */
const RUNS = Number(process.env.GUARD_RUNS ?? 3);
/** Upgrades of a bad hour; the soak has a thousand. */
const UPGRADES = Number(process.env.BAD_HOUR_UPGRADES ?? 3);
/** Between the payments of two of them, in milliseconds. */
const APART_MS = 150;
const PAID = { role: 'paid' };

let service: TestService;
let second: Tenure;
let guards: Guard[];

beforeAll(async () => {
  service = await startService({ environment: SHIPPED_PLANS });
  second = await createTenure(loadSettings(service.environment), { threads: 'none' });
});
afterAll(async () => {
  await second.close();
  await service.close();
});
beforeEach(() => {
  guards = [];
});
afterEach(() => {
  for (const guard of guards) guard.close();
});

/** A guard that reads the other instance than the one that gets the webhooks. */
async function guardAt(url: string, options: Partial<GuardOptions> = {}): Promise<Guard> {
  const guard = createGuard({ url, key: ADMIN_KEY, ...options });
  guards.push(guard);
  await guard.ready();
  return guard;
}

async function tokenOf(userId: string): Promise<string> {
  const { status, body, text } = await service.ask('POST', `/v1/users/${userId}/token`);
  if (status !== 200) throw new Error(`no token: ${status} ${text}`);
  return body.token;
}

/** A user who has just paid, and what cancels that. */
async function payingUser(userId: string) {
  const subscription = buyer(userId);
  const { position } = await service.receive(subscription.started('active').body);
  await service.entitlements(userId, position);
  return { cancel: () => service.receive(subscription.ends().body) };
}

describe('A guard at a running service', () => {
  it('refuses the old token after each cancellation that another instance was told of', async () => {
    const guard = await guardAt(second.url);
    for (let run = 0; run < RUNS; run += 1) {
      const userId = `leaver-${run}`;
      const user = await payingUser(userId);
      const token = await tokenOf(userId);
      expect(await guard.decide(token, PAID)).toMatchObject({ allowed: true, claims: { sub: userId } });
      await user.cancel();
      await until('it is refused', async () => !(await guard.decide(token, PAID)).allowed);
      expect(await guard.check(token)).toMatchObject({ reason: 'stale' });
      expect(await guard.decideForUser(userId, PAID)).toMatchObject({ reason: 'other_role' });
    }
  });

  it('refuses once its feed is cut for longer than it may be', async () => {
    const third = await createTenure(loadSettings(service.environment), { threads: 'none' });
    const clock = new ManualClock(Date.now());
    const guard = await guardAt(third.url, { clock, maxStaleMs: 30_000 });
    await payingUser('cut-off');
    const token = await tokenOf('cut-off');
    expect(await guard.check(token)).toMatchObject({ valid: true });
    await third.close();
    const began = clock.now().steady;
    await until('it is refused', async () => {
      clock.advance(1_000);
      return !(await guard.check(token)).valid;
    });
    expect(await guard.check(token)).toMatchObject({ reason: 'feed_silent' });
    expect(clock.now().steady - began).toBe(31_000);
  });

  it('trusts no version from before the feed began anew, and what was issued since', async () => {
    await payingUser('restored');
    const clock = new ManualClock(Date.now());
    const guard = await guardAt(second.url, { clock, follow: 'checks' });
    const check = (token: string) => {
      clock.advance(5_001);
      return guard.check(token);
    };
    const before = await tokenOf('restored');
    expect(await check(before)).toMatchObject({ valid: true });
    const issuedIn = Math.floor(Date.now() / 1_000);
    await until('another second has begun', () => Math.floor(Date.now() / 1_000) > issuedIn);
    await service.stores.database.pool.query("update tenure.revocation_feed_head set epoch = 'f00d'");
    expect(await check(before)).toMatchObject({ reason: 'stale' });
    expect(await check(await tokenOf('restored'))).toMatchObject({ valid: true });
  });
});

describe('A browser that asks through the application', () => {
  const handle = (userId: string | null, path: string, headers: Record<string, string> = {}) =>
    tenureHandler({ url: second.url, key: ADMIN_KEY, basePath: '/api/tenure', user: () => userId })(
      new Request(`https://app.example.test/api/tenure${path}`, { headers }),
    );

  it('gets the snapshot of who is signed in, and 304 for the one that it has', async () => {
    await payingUser('visitor');
    await until('it is there', async () => {
      const { plan } = await readSnapshot({ url: second.url, key: ADMIN_KEY }, 'visitor');
      return plan === 'plus';
    });
    const response = await handle('visitor', '/v1/me/entitlements');
    expect(await response.json()).toMatchObject({ userId: 'visitor', role: 'paid' });
    const etag = response.headers.get('etag') ?? '';
    expect((await handle('visitor', '/v1/me/entitlements', { 'if-none-match': etag })).status).toBe(304);
    const other = await handle('other', '/v1/me/entitlements', { 'if-none-match': etag });
    expect(await other.json()).toMatchObject({ userId: 'other', role: 'free' });
    expect((await handle(null, '/v1/me/entitlements')).status).toBe(401);
  });

  it('sees a payment and its end as they come, by a stream', async () => {
    const options = { url: second.url, key: ADMIN_KEY, basePath: '/api/tenure' };
    const handler = toNodeHandler(tenureHandler({ ...options, user: () => 'watcher' }), 'https://app.test');
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push((request.url ?? '').replace(/\?.*/, ''));
      handler(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = createTenureClient({
      baseUrl: `http://127.0.0.1:${port}/api/tenure`,
      userId: 'watcher',
    });
    const stop = client.subscribe(() => undefined);
    const isLive = (role: string) => () => {
      const { status, snapshot } = client.getState();
      return status === 'live' && snapshot?.role === role;
    };
    try {
      await until('the user is known', isLive('free'));
      const user = await payingUser('watcher');
      await until('the payment is seen', isLive('paid'));
      await user.cancel();
      await until('its end is seen', isLive('free'));
      expect(asked).toContain('/api/tenure/v1/me/entitlements/stream');
    } finally {
      stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('sees by its waits the upgrades of a bad hour, with streams and waits cut', async () => {
    const refused = (status: number, code: string) => Response.json({ code }, { status });
    /** Milliseconds from a payment to the page that shows it; `timedOut` of one that its last poll did not see. */
    const seenAfter = async (delayMs: number, n: number): Promise<number | 'timedOut' | 'aborted'> => {
      const userId = `late-${n}`;
      const options = { url: second.url, key: ADMIN_KEY, basePath: '/api/tenure', user: () => userId };
      const handler = tenureHandler(options);
      const environment: Environment = {
        ...browserEnvironment(),
        fetch: async (url, init) => {
          if (url.includes('/stream')) return refused(404, 'not_found');
          return url.includes('wait=')
            ? refused(400, 'unsupported_parameter')
            : handler(new Request(url, init));
        },
      };
      await pause(n * APART_MS);
      const page = createTenureClient({ baseUrl: 'https://app.test/api/tenure', userId, environment });
      const begun = Date.now();
      const seen = page
        .waitForUpgrade({ plan: 'plus' })
        .then(({ outcome }) => (outcome === 'upgraded' ? Date.now() - begun : outcome));
      await pause(delayMs);
      await service.receive(buyer(userId).started('active').body);
      return seen;
    };
    const seen = await Promise.all(badHour(UPGRADES).map(seenAfter));
    const times = seen.filter((ms) => typeof ms === 'number');
    expect(times.length).toBeGreaterThanOrEqual(0.999 * UPGRADES);
    const soon = times.filter((ms) => ms <= 10_000).length;
    // What is seen how soon hangs on the machine, too; by a clock of its own `bad-hour.test.ts` holds it.
    if (UPGRADES > 3) process.stdout.write(`${soon} of ${UPGRADES} upgrades seen within 10 s\n`);
  });
});
