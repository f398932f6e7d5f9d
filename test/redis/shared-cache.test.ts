import { buyer } from '../support/buyer.js';
import { RedisServer } from '../support/redis.js';
import { SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { type TestStores, testStores } from '../support/stores.js';
import { until } from '../support/until.js';

/** In the soak 10,000. */
const USERS = Number(process.env.SHARED_USERS ?? 600);
const namesOf = (prefix: string) => Array.from({ length: USERS }, (_, n) => `${prefix}-${n}`);

describe('Instances that share a Redis', () => {
  let redis: RedisServer;
  let stores: TestStores;
  let one: TestService;
  let two: TestService;
  let last = 0;
  const start = () => startService({ stores, environment: { ...SHIPPED_PLANS, REDIS_URL: redis.url } });
  beforeAll(async () => {
    redis = await RedisServer.start();
    stores = await testStores();
    one = await start();
    two = await start();
  });
  afterAll(async () => {
    await two.close();
    await one.close();
    await stores.drop();
    await redis.kill();
  });

  const version = async (service: TestService, userId: string, position?: string): Promise<number> =>
    (await service.entitlements(userId, position)).revocationVersion;

  it('answer what another has read, from the start and almost without the database', async () => {
    let names: readonly string[] = [];
    let attempt = 0;
    await until('what one reads is shared', async () => {
      attempt += 1; // what is in memory by now is not offered again
      names = namesOf(`reader-${attempt}`);
      for (const userId of names) await one.entitlements(userId);
      return (await redis.keys(`*:user:reader-${attempt}-*`)).length > 0.9 * USERS;
    });
    await until('a fresh one answers almost without the database', async () => {
      const fresh = await start();
      try {
        return (await statementsFor(fresh, names)) < 0.2 * USERS; // a machine that stands still has Redis left alone a while
      } finally {
        await fresh.close();
      }
    });
  });

  /** Reads everybody's snapshot of an instance that has none in memory; returns how many of these the database was asked. */
  async function statementsFor(fresh: TestService, names: readonly string[]): Promise<number> {
    let statements = 0;
    const { pool } = fresh.tenure;
    const query = pool.query.bind(pool);
    const isRead = (given: unknown) => Reflect.get(Object(given), 'name') === 'tenure-read-entitlements';
    Object.assign(pool, {
      query: (...given: readonly unknown[]) => {
        if (isRead(given[0])) statements += 1;
        return Reflect.apply(query, pool, given);
      },
    });
    await until(
      'the fresh one knows the checkpoint',
      async () => (await fresh.get('/health/ready')).status === 200,
    );
    const answers = new Map<string, unknown>();
    for (const userId of names) answers.set(userId, await fresh.entitlements(userId));
    expect(answers.get(names[7] ?? '')).toEqual(await one.entitlements(names[7] ?? ''));
    expect((await fresh.get('/metrics')).text).toMatch(
      /tenure_shared_cache_reads_total\{outcome="found"\} \d{3}/,
    );
    return statements;
  }

  it.each<[string, (server: RedisServer) => Promise<unknown>, (server: RedisServer) => Promise<unknown>]>([
    ['well', async () => undefined, async () => undefined],
    ['emptied', (server) => server.ask((client) => client.flushAll()), async () => undefined],
    [
      'full',
      (server) => server.ask((client) => client.configSet('maxmemory', '1')),
      (server) => server.ask((client) => client.configSet('maxmemory', '0')),
    ],
    ['frozen', async (server) => server.signal('SIGSTOP'), async (server) => server.signal('SIGCONT')],
    ['killed', (server) => server.kill(), (server) => server.begin()],
  ])('answer rightly while it is %s: no error, no plan of before, no version back', async (_, begin, end) => {
    last += 1;
    const userId = `changing-${last}`;
    const user = buyer(userId);
    const seen = new Map<TestService, number>();
    let isDone = false;
    const readAll = async (service: TestService): Promise<void> => {
      while (!isDone) {
        for (const each of [userId, ...namesOf('reader-1').slice(0, 5)]) {
          const now = await version(service, each);
          if (each !== userId) continue;
          expect(now).toBeGreaterThanOrEqual(seen.get(service) ?? 0);
          seen.set(service, now);
        }
      }
    };
    const reading = Promise.all([readAll(one), readAll(two)]);
    const change = async (body: string): Promise<void> => {
      const { position } = await one.receive(body);
      const [a, b] = [await one.entitlements(userId, position), await two.entitlements(userId, position)];
      expect(b).toEqual(a);
    };
    try {
      await change(user.started('active').body);
      await begin(redis);
      for (const status of ['unpaid', 'active', 'unpaid', 'active']) await change(user.becomes(status).body);
      expect((await two.entitlements(userId)).plan).toBe('plus');
      await end(redis);
      await change(user.ends().body);
      expect((await two.entitlements(userId)).plan).toBe('free');
      expect(await version(two, userId)).toBeGreaterThan(1);
    } finally {
      await end(redis).catch(() => undefined);
      isDone = true;
      await reading;
    }
  });
});
