import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../../../src/config/settings.js';
import { openEventStore } from '../../../src/event-store/open-event-store.js';
import { recordCopies } from '../../support/copied-lives.js';
import { call } from '../../support/http-call.js';
import { AUTHORIZED, PLANS, testEnvironment } from '../../support/service.js';
import { freePort, ServiceProcess } from '../../support/service-process.js';
import { type TestStores, testStores } from '../../support/stores.js';
import { until } from '../../support/until.js';

const EVENTS_OF_A_USER = 5;
/** On a machine that has other things to do. */
const FOLDED_WITHIN_MS = 600_000;

/** A service process whose log, in PostgreSQL, is long. */
export class LongLog {
  private constructor(
    readonly url: string,
    readonly process: ServiceProcess,
    private readonly stores: TestStores,
    private readonly folder: string,
  ) {}

  /** Starts a service, and fills its log with so many events of lives of the users `u0`, `u1` and so on. */
  static async start(events: number): Promise<LongLog> {
    const stores = await testStores();
    const folder = await mkdtemp(join(tmpdir(), 'tenure-long-'));
    const plansFile = join(folder, 'plans.yaml');
    await writeFile(plansFile, PLANS);
    const port = String(await freePort());
    const { url: databaseUrl, pool } = stores.database;
    const environment = { ...testEnvironment(databaseUrl, plansFile), ...stores.environment, PORT: port };
    const long = new LongLog(`http://127.0.0.1:${port}`, new ServiceProcess(environment), stores, folder);
    try {
      await long.process.isReady(long.url);
      const settings = loadSettings(environment);
      const store = await openEventStore(settings, { pool, databaseUrl, onFault: () => undefined });
      const users = Math.ceil(events / EVENTS_OF_A_USER);
      const prices = { plus: 'price_plus', pro: 'price_pro' };
      const filling = { users, prices, events: EVENTS_OF_A_USER, begin: 'earlier' } as const;
      await recordCopies(store, settings.streamPrefix, filling);
      await store.close();
      // The first events of a tenth of all users: what is folded meanwhile is one more thing that nobody may wait for.
      const position = String(Math.ceil(users / 10));
      await until('the first are folded', () => long.shows('u0', position), FOLDED_WITHIN_MS);
      return long;
    } catch (error) {
      await long.end();
      throw error;
    }
  }

  /** Whether the snapshot of a user is as of a position or later. */
  async shows(userId: string, position: string): Promise<boolean> {
    const path = `/v1/users/${userId}/entitlements?minPosition=${position}`;
    const { status } = await call(this.url, { path, headers: AUTHORIZED });
    return status === 200;
  }

  /** Reads the whole log as fast as it comes; how many lines it has. */
  read(): Promise<number> {
    return new Promise((resolve, reject) => {
      get(`${this.url}/v1/audit/events`, { headers: AUTHORIZED, agent: false }, (answer) => {
        let lines = 0;
        answer.on('data', (chunk: Buffer) => {
          for (const byte of chunk) if (byte === 10) lines += 1;
        });
        answer.on('error', reject);
        answer.on('end', () => resolve(lines));
      }).on('error', reject);
    });
  }

  async end(): Promise<void> {
    await this.process.kill('SIGKILL');
    await this.stores.drop();
    await rm(this.folder, { recursive: true });
  }
}

const ASKED = 1_000;

/** Milliseconds in which each of a thousand users was answered, one after the other, said for a person. */
export async function timesOf({ url }: LongLog): Promise<string> {
  const took: number[] = [];
  for (let user = 0; user < ASKED; user += 1) {
    const began = performance.now();
    const { status } = await call(url, { path: `/v1/users/u${user}/entitlements`, headers: AUTHORIZED });
    if (status !== 200) throw new Error(`u${user} was answered ${status}`);
    took.push(performance.now() - began);
  }
  const sorted = took.sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(ASKED * share)] ?? Number.NaN).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(0.999)} ms`;
}
