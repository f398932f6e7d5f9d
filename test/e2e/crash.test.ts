import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimulatedClock } from '../../demo/stripe/simulated-clock.js';
import { SimulatedSubscription, type StripeEvent } from '../../demo/stripe/simulated-subscription.js';
import { loadSettings } from '../../src/config/settings.js';
import { openEventStore } from '../../src/event-store/open-event-store.js';
import type { StoredEvent } from '../../src/events/stored-event.js';
import { wholeLog } from '../support/log.js';
import { ADMIN_KEY, PLANS, startService, type TestService, testEnvironment } from '../support/service.js';
import { freePort, ServiceProcess } from '../support/service-process.js';
import { type TestStores, testStores } from '../support/stores.js';
import { now, signed } from '../support/stripe-events.js';
import { until } from '../support/until.js';

const EVENTS = Number(process.env.CRASH_EVENTS ?? 80);
const SUBSCRIPTIONS = Math.max(18, Math.ceil(EVENTS / 20));
/** How often each event is delivered. */
const TIMES = process.env.CRASH_EVENTS === undefined ? 2 : 5;
const CONNECTIONS = 32;

const PLUS = { id: 'price_plus', product: 'prod_plus', name: 'Plus', unitAmount: 1_000 };
const PRO = { id: 'price_pro', product: 'prod_pro', name: 'Pro', unitAmount: 2_900 };

/** What happens to every subscription, over and over; where it stops depends on the subscription. */
const COURSE: readonly ((sub: SimulatedSubscription) => StripeEvent)[] = [
  (sub) => sub.started('incomplete'),
  (sub) => sub.becomes('active'),
  (sub) => sub.pays('subscription_create'),
  (sub) => sub.switchesTo(PRO),
  (sub) => sub.pays('subscription_update'),
  (sub) => sub.becomes('past_due'),
  (sub) => sub.becomes('active'),
  (sub) => sub.switchesTo(PLUS),
  (sub) => sub.cancelsAtPeriodEnd(),
];

/** About `EVENTS` events of lives that end at different places; two subscriptions of some users. */
function makeLives() {
  const clock = new SimulatedClock(now() - 6 * 3_600);
  const lives = Array.from({ length: SUBSCRIPTIONS }, (_, index) => {
    const userId = `user${index % Math.ceil(SUBSCRIPTIONS * 0.8)}`;
    const buyer = { name: `C${String(index).padStart(4, '0')}C`, userId, price: PLUS };
    return { userId, sub: new SimulatedSubscription(clock, buyer), told: 0 };
  });
  const events: StripeEvent[] = [];
  while (events.length < EVENTS) {
    // Each lags behind the one before it, so that the lives stop at different steps.
    for (const [index, life] of lives.entries()) {
      if (events.length >= EVENTS) break;
      if (life.told > 0 && (index + events.length) % 3 === 0) continue;
      const happens = COURSE[life.told < COURSE.length ? life.told : 1 + (life.told % (COURSE.length - 1))];
      if (happens === undefined) throw new Error('the course has no such step');
      events.push(happens(life.sub));
      life.told += 1;
    }
    clock.pass(2);
  }
  return { events, userIds: [...new Set(lives.map(({ userId }) => userId))] };
}

interface Delivery {
  readonly event: StripeEvent;
  readonly to: string;
}

let stores: TestStores;
let folder: string;
let reference: TestService;
/** The service that lives on, in this process; the other one is a process of its own, which is killed. */
let survivor: TestService;
let victim: ServiceProcess | null = null;

beforeAll(async () => {
  stores = await testStores();
  reference = await startService();
  survivor = await startService({ stores });
  folder = await mkdtemp(join(tmpdir(), 'tenure-crash-'));
  await writeFile(join(folder, 'plans.yaml'), PLANS);
});
afterAll(async () => {
  await victim?.kill('SIGKILL');
  await survivor.close();
  await reference.close();
  await stores.drop();
  await rm(folder, { recursive: true });
});

function environmentOfAll(): Record<string, string> {
  const { url } = stores.database;
  return { ...testEnvironment(url, join(folder, 'plans.yaml')), ...stores.environment };
}

/** Every event in the log that the services share. */
async function loggedEvents(): Promise<readonly StoredEvent[]> {
  const store = await openEventStore(loadSettings(environmentOfAll()), {
    pool: stores.database.pool,
    databaseUrl: stores.database.url,
    onFault: (fault) => {
      throw fault;
    },
  });
  try {
    return await wholeLog(store);
  } finally {
    await store.close();
  }
}

async function start(url: string): Promise<void> {
  victim = new ServiceProcess({ ...environmentOfAll(), PORT: new URL(url).port });
  await victim.isReady(url);
}

/** The outcome a service acknowledged, or `null` when there was no reply with 200. */
async function deliver({ event, to }: Delivery): Promise<{ outcome: string; position?: string } | null> {
  const { body, signature } = signed(event.body);
  const headers = { 'stripe-signature': signature };
  try {
    const response = await fetch(`${to}/webhooks/stripe`, { method: 'POST', body, headers });
    const text = await response.text();
    if (response.status === 200) return JSON.parse(text);
    if (response.status >= 500) return null;
    throw new Error(`refused with ${response.status}: ${text}`);
  } catch (error) {
    // fetch's word for a connection that broke: a TypeError, of another realm than that of Jest's tests.
    if (typeof error === 'object' && error !== null && 'name' in error && error.name === 'TypeError')
      return null;
    throw error;
  }
}

describe('two services on one log, one of them killed in the middle', () => {
  it('keep every acknowledged event exactly once and end where an orderly delivery ends', async () => {
    const { events, userIds } = makeLives();
    const urls = [`http://127.0.0.1:${await freePort()}`, survivor.url] as const;
    await start(urls[0]);

    let waiting: readonly Delivery[] = shuffled<Delivery>(
      events.flatMap((event) =>
        Array.from({ length: TIMES }, (_, time) => ({ event, to: urls[time % 2 === 0 ? 0 : 1] })),
      ),
    );
    const half = waiting.length / 2;
    const applied = new Map<string, number>();
    const acknowledged = new Set<string>();
    let acknowledgements = 0;
    let last = 0n;
    let restarted: Promise<void> | null = null;
    let failures = 0;
    while (waiting.length > 0) {
      const failed: Delivery[] = [];
      const work = waiting.values();
      const connection = async (): Promise<void> => {
        for (const delivery of work) {
          const receipt = await deliver(delivery);
          if (receipt === null) {
            failed.push(delivery);
            continue;
          }
          const { id } = delivery.event;
          acknowledgements += 1;
          acknowledged.add(id);
          if (receipt.outcome === 'applied') applied.set(id, (applied.get(id) ?? 0) + 1);
          const position = BigInt(receipt.position ?? '0');
          if (position > last) last = position;
          if (restarted === null && acknowledgements >= half) {
            restarted = (async () => {
              await victim?.kill('SIGKILL');
              await start(urls[0]);
            })();
          }
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, connection));
      await restarted;
      failures += failed.length;
      waiting = failed;
    }

    expect(failures).toBeGreaterThan(0); // else nothing was under way when it died
    expect([...acknowledged].sort()).toEqual(events.map(({ id }) => id).sort());
    expect([...applied.values()].filter((times) => times > 1)).toEqual([]);
    const logged = await loggedEvents();
    const times = new Map<string, number>();
    for (const { metadata } of logged) {
      const { stripeEventId: id } = JSON.parse(metadata);
      if (id !== null) times.set(id, (times.get(id) ?? 0) + 1);
    }
    expect(Object.fromEntries(times)).toEqual(Object.fromEntries(events.map(({ id }) => [id, 1])));
    const lengths = new Map<string, number>();
    for (const { stream, revision } of logged) {
      expect([stream, revision]).toEqual([stream, lengths.get(stream) ?? 0]);
      lengths.set(stream, revision + 1);
    }

    // The position of the last event itself: what the health check says of the head may be a moment old.
    let head = '0';
    for (const event of events) {
      const { body, signature } = signed(event.body);
      const receipt = (await reference.post(body, signature)).body;
      expect(receipt.outcome).toBe('applied');
      head = String(receipt.position);
    }
    const expected = await factsOf(reference.url, userIds, head);
    for (const url of urls) expect(await factsOf(url, userIds, String(last))).toEqual(expected);
    expect(new Set(expected.map(({ plan, status }) => `${plan} ${status}`)).size).toBeGreaterThan(2);
  }, 600_000);
});

interface Facts {
  readonly plan: string;
  readonly status: string;
}

/** The snapshots without what tells the order in which Tenure learned. */
async function factsOf(url: string, userIds: readonly string[], minPosition: string): Promise<Facts[]> {
  return Promise.all(
    userIds.map(async (userId) => {
      const path = `${url}/v1/users/${userId}/entitlements?minPosition=${minPosition}`;
      const response = await until(`${path} is read`, async () => {
        const answer = await fetch(path, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
        return answer.status !== 412 && answer;
      });
      expect(response.status).toBe(200);
      const { revocationVersion, position, changedAt, ...facts } = JSON.parse(await response.text());
      return facts;
    }),
  );
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}
