import { createTenure, type Tenure } from '../../src/bootstrap.js';
import { loadSettings } from '../../src/config/settings.js';
import { type CuttingProxy, cuttingProxy } from '../contract/cutting-proxy.js';
import { buyer } from '../support/buyer.js';
import { type Answer, call } from '../support/http-call.js';
import { ADMIN_KEY, AUTHORIZED } from '../support/service.js';
import { type TestStores, testStores } from '../support/stores.js';
import { SECRET, signedHeaders } from '../support/stripe-events.js';
import { THREAD_FLAGS } from '../support/thread-flags.js';
import { until } from '../support/until.js';

const IS_FULL = process.env.FAULT_MATRIX === 'full';
/** The network is given this long to be found out and to heal; it is promised in 15 s, on a machine that is not busy. */
const HEALS_WITHIN_MS = 60_000;
/** Promised is 20 s for a whole process; here others share the machine. */
const STOPS_WITHIN_MS = 25_000;

/** What an instance does when its network fails. */
type Role = 'leads' | 'follows' | 'leads and builds';

/** What happens to its connections, and whether it can do its work meanwhile. */
interface Fault {
  readonly name: string;
  readonly begin: (proxy: CuttingProxy) => void;
  readonly isFatal: boolean;
}

const SILENT: Fault = {
  name: 'falls silent both ways',
  begin: (proxy) => Object.assign(proxy, { answers: 'hold', requests: 'hold' }),
  isFatal: true,
};
const NO_ANSWERS: Fault = {
  name: 'loses every answer',
  begin: (proxy) => Object.assign(proxy, { answers: 'hold' }),
  isFatal: true,
};
const NO_REQUESTS: Fault = {
  name: 'loses every request',
  begin: (proxy) => Object.assign(proxy, { requests: 'hold' }),
  isFatal: true,
};
const CUT: Fault = {
  name: 'is cut again and again',
  begin: (proxy) => {
    proxy.answers = 'cut';
    proxy.cutAll();
  },
  isFatal: true,
};
const SLOW: Fault = {
  name: 'is slow',
  begin: (proxy) => Object.assign(proxy, { slowMs: 200 }),
  isFatal: false,
};

/** Whose connections fail: those to one of the two, or all. With the log in PostgreSQL they are the same. */
type Where = 'database' | 'log' | 'everywhere';

interface Case {
  readonly role: Role;
  readonly where: Where;
  readonly faults: readonly Fault[];
}

const ROLES: readonly Role[] = ['leads', 'follows', 'leads and builds'];
const PLACES: readonly Where[] =
  process.env.TEST_STORE === 'eventstoredb' ? ['database', 'log', 'everywhere'] : ['everywhere'];
/**
 * Who it happens to, and what, one after the other. All of it takes many minutes: otherwise each kind is tried once, on one
 * of the two stores, and a silent EventStoreDB in a contract test of its own.
 */
const MATRIX: readonly Case[] = IS_FULL
  ? ROLES.flatMap((role) =>
      PLACES.flatMap((where) =>
        [SILENT, NO_ANSWERS, NO_REQUESTS, CUT, SLOW].map((fault) => ({ role, where, faults: [fault] })),
      ),
    )
  : [
      process.env.TEST_STORE === 'eventstoredb'
        ? { role: 'follows', where: 'everywhere', faults: [NO_ANSWERS] }
        : { role: 'leads and builds', where: 'everywhere', faults: [SILENT, NO_REQUESTS, CUT, SLOW] },
    ];

/** An instance with a network of its own to the database and the log. */
class Instance {
  private constructor(
    readonly tenure: Tenure,
    readonly database: CuttingProxy,
    /** That of the database where the log is there. */
    readonly log: CuttingProxy,
  ) {}

  static async start(stores: TestStores): Promise<Instance> {
    const { EVENTSTORE_URL: logUrl, ...others } = stores.environment;
    const database = await cuttingProxy(stores.database.url);
    const log = logUrl === undefined ? database : await cuttingProxy(logUrl);
    const through = {
      ...others,
      DATABASE_URL: database.url,
      ...(logUrl === undefined ? {} : { EVENTSTORE_URL: log.url }),
    };
    const settings = loadSettings({
      PORT: '0',
      LOG_LEVEL: 'silent',
      STRIPE_WEBHOOK_SECRET: SECRET,
      STRIPE_LIVEMODE: 'false',
      TENURE_ADMIN_KEY: ADMIN_KEY,
      ...through,
    });
    const tenure = await createTenure(settings, { threads: IS_FULL ? THREAD_FLAGS : 'none' });
    return new Instance(tenure, database, log);
  }

  get state(): string {
    return this.tenure.projections.engine.status().state;
  }

  get proxies(): readonly CuttingProxy[] {
    return [...new Set([this.database, this.log])];
  }

  fail(fault: Fault, where: Where): void {
    for (const proxy of where === 'everywhere' ? this.proxies : [this[where]]) fault.begin(proxy);
  }

  heal(): void {
    for (const proxy of this.proxies) Object.assign(proxy, { answers: 'pass', requests: 'pass', slowMs: 0 });
  }

  async isReady(): Promise<boolean> {
    return (await call(this.tenure.url, { path: '/health/ready' })).status === 200;
  }

  /** Someone buys; comes back with what the delivery was answered. */
  deliver(userId: string): Promise<Answer> {
    const { body } = buyer(userId).started('active');
    return call(this.tenure.url, {
      method: 'POST',
      path: '/webhooks/stripe',
      headers: signedHeaders(body),
      body,
    });
  }

  async planOf(userId: string): Promise<unknown> {
    const path = `/v1/users/${userId}/entitlements`;
    const answer = await call(this.tenure.url, { path, headers: AUTHORIZED });
    return answer.status === 200 ? Reflect.get(Object(answer.body), 'plan') : answer.status;
  }

  async order(reason: string): Promise<void> {
    const answer = await call(this.tenure.url, {
      method: 'POST',
      path: '/v1/ops/projections/entitlements/rebuild',
      headers: { ...AUTHORIZED, 'content-type': 'application/json' },
      body: JSON.stringify({ reason, afterwards: 'swap' }),
    });
    expect(answer.status).toBeLessThan(300);
  }

  async generation(): Promise<number | null> {
    return this.tenure.projections.engine.status().generation;
  }
}

describe('An instance whose network fails', () => {
  let stores: TestStores;
  let running: Instance[];
  let buyers: string[];
  beforeEach(async () => {
    stores = await testStores();
    running = [];
    buyers = [];
  });
  afterEach(async () => {
    for (const each of running) each.heal();
    await Promise.all(running.map(({ tenure }) => tenure.close()));
    for (const { proxies } of running) for (const proxy of proxies) await proxy.close();
    await stores.drop();
  });

  /** Two instances, of which the first leads. */
  async function two(): Promise<readonly [Instance, Instance]> {
    const leader = await Instance.start(stores);
    running.push(leader);
    await until('it leads', () => leader.state === 'leading');
    const follower = await Instance.start(stores);
    running.push(follower);
    return [leader, follower];
  }

  /** So many buy through an instance; whoever was acknowledged is to be found later. */
  async function buy(through: Instance, count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const userId = `buyer-${buyers.length}-${n}`;
      if ((await through.deliver(userId)).status === 200) buyers.push(userId);
    }
  }

  async function everyBuyerHasPaid(...instances: readonly Instance[]): Promise<void> {
    for (const instance of instances) {
      for (const userId of buyers) {
        await until(
          `${userId} is shown`,
          async () => (await instance.planOf(userId)) === 'plus',
          HEALS_WITHIN_MS,
        );
      }
    }
  }

  it.each(MATRIX.map((each) => ({ ...each, kinds: each.faults.map(({ name }) => name).join(', ') })))(
    'that $role, $where: $kinds; the other one serves, all heals by itself, nothing is lost, and it stops in time',
    async ({ role, where, faults }) => {
      const [leader, follower] = await two();
      const [faulty, sound] = role === 'follows' ? [follower, leader] : [leader, follower];
      await buy(faulty, 5);
      if (role === 'leads and builds') await faulty.order('a network that fails');

      for (const fault of faults) {
        faulty.fail(fault, where);
        const userId = `in-between-${buyers.length}`;
        const under = faulty.deliver(userId);
        await buy(sound, 5);
        await until(
          'the other one folds',
          async () => (await sound.planOf(buyers.at(-1) ?? '')) === 'plus',
          HEALS_WITHIN_MS,
        );
        if (fault.isFatal) await until('it says so', async () => !(await faulty.isReady()));
        if ((await under).status === 200) buyers.push(userId);

        faulty.heal();
        const healing = performance.now();
        await until('it is ready again', () => faulty.isReady(), HEALS_WITHIN_MS);
        await buy(faulty, 5);
        await everyBuyerHasPaid(faulty, sound);
        tell(`${role}, ${where}, ${fault.name}: whole again after`, performance.now() - healing);
      }
      if (role === 'leads and builds') {
        const isSwapped = async (): Promise<boolean> => (await sound.generation()) === 2;
        await until('the build is read', isSwapped, HEALS_WITHIN_MS);
        await everyBuyerHasPaid(faulty, sound);
      }

      for (const fault of faults.slice(0, 1)) faulty.fail(fault, where);
      const began = performance.now();
      await faulty.tenure.close();
      const took = performance.now() - began;
      tell(`${role}, ${where}, ${faults[0]?.name}: stopped meanwhile in`, took);
      expect(took).toBeLessThan(STOPS_WITHIN_MS);
      running = running.filter((each) => each !== faulty);
      for (const proxy of faulty.proxies) await proxy.close();
    },
    300_000,
  );
});

function tell(what: string, ms: number): void {
  process.stdout.write(`${what} ${(ms / 1_000).toFixed(1)} s\n`);
}
