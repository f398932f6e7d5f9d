import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import supertest from 'supertest';
import { z } from 'zod';
import { createTenure, type Tenure, type TenureHooks } from '../../src/bootstrap.js';
import { loadSettings } from '../../src/config/settings.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { PSEUDONYMS, type Pseudonyms } from '../../src/pseudonyms/pseudonyms.js';
import type { StripeIds } from '../../src/pseudonyms/stripe-ids.js';
import { STRIPE_IDS } from '../../src/stripe/gateway/gateway.module.js';
import { ADMIN_KEY } from './admin-key.js';
import { type Answer, answerOf, type Call, call, whenLevel } from './http-call.js';
import { wholeLog } from './log.js';
import { pseudonymSettings } from './pseudonyms.js';
import { type TestStores, testStores } from './stores.js';
import { SECOND_SECRET, SECRET, type StripeEvent, signatureOf } from './stripe-events.js';

export { ADMIN_KEY };
export const AUTHORIZED = { authorization: `Bearer ${ADMIN_KEY}` };

export const PLANS = `default: free
plans:
  free: { rank: 0, role: free, features: [reports], limits: { members: 50 } }
  plus: { rank: 1, role: paid, features: [reports, export], limits: { members: 500 }, prices: { m: price_plus } }
  pro: { rank: 2, role: paid, features: [reports, export, api], limits: { members: 5000 }, prices: { m: price_pro } }
addons:
  seats: { prices: [price_seat], limits: { members: 10 } }
`;

/** Each request of a test has a connection of its own: a service may close one that is idle. */
const ONE_CALL = new Agent({ keepAlive: false });

/** Settings under which a service sells what the plan file that is shipped says. */
export const SHIPPED_PLANS = { PLANS_FILE: 'plans.yaml' };

const receiptSchema = z.strictObject({
  received: z.literal(true),
  outcome: z.enum(['applied', 'duplicate', 'ignored']),
  event: z.string().optional(),
  reason: z.string().optional(),
  position: z.string().optional(),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** What a test may set otherwise. */
export interface ServiceOverrides {
  /** Over the settings of the tests, by the names of DESIGN 14. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Text of the plan file. */
  readonly plans?: string;
  /** Stores that the test has made, and drops; without them the service has its own. */
  readonly stores?: TestStores;
  /** Puts something between the service and its database. */
  readonly through?: (databaseUrl: string) => Promise<string>;
  readonly hooks?: TenureHooks;
}

/** The settings of a service of the tests on the database at `databaseUrl`, as an environment. */
export function testEnvironment(databaseUrl: string, plansFile: string): Record<string, string> {
  return {
    PORT: '0',
    LOG_LEVEL: 'silent',
    STRIPE_WEBHOOK_SECRET: `${SECRET},${SECOND_SECRET}`,
    STRIPE_LIVEMODE: 'false',
    TENURE_ADMIN_KEY: ADMIN_KEY,
    DATABASE_URL: databaseUrl,
    PLANS_FILE: plansFile,
    ...pseudonymSettings(),
  };
}

/**
 * Starts the application in this process, on a free port and a fresh database. It folds in this thread, as each of its own
 * loads the whole code again, and looks anew whenever it is asked how it does, unless the hooks say otherwise. Call `close` in `afterAll`.
 */
export function startService(overrides: ServiceOverrides = {}): Promise<TestService> {
  return TestService.start(overrides);
}

/** The running application on a database of its own, reached over HTTP alone. */
export class TestService {
  private constructor(
    readonly tenure: Tenure,
    readonly stores: TestStores,
    /** Its settings: another instance with the same ones shares its database and its log. */
    readonly environment: Readonly<Record<string, string>>,
    readonly plansFile: string,
    private readonly cleanUp: () => Promise<void>,
  ) {}

  static async start(overrides: ServiceOverrides = {}): Promise<TestService> {
    const { environment = {}, plans = PLANS, hooks = {} } = overrides;
    const own = overrides.stores === undefined ? await testStores() : null;
    const stores = overrides.stores ?? own;
    if (stores === null) throw new Error('a service without stores');
    const folder = await mkdtemp(join(tmpdir(), 'tenure-e2e-'));
    const cleanUp = async (): Promise<void> => {
      await own?.drop();
      await rm(folder, { recursive: true });
    };
    try {
      const plansFile = join(folder, 'plans.yaml');
      await writeFile(plansFile, plans);
      const { url } = stores.database;
      const all = {
        ...testEnvironment(url, plansFile),
        ...stores.environment,
        DATABASE_URL: overrides.through === undefined ? url : await overrides.through(url),
        ...environment,
      };
      const tenure = await createTenure(loadSettings(all), {
        threads: 'none',
        openAnswersKeptMs: 0,
        ...hooks,
      });
      return new TestService(tenure, stores, all, plansFile, async () => {
        await tenure.close();
        await cleanUp();
      });
    } catch (error) {
      await cleanUp();
      throw error;
    }
  }

  get url(): string {
    return this.tenure.url;
  }

  /** What the names of its streams begin with. */
  get prefix(): string {
    return this.environment.STREAM_PREFIX ?? this.stores.prefix;
  }

  /** Without a key. */
  call(request: Call): Promise<Answer> {
    return call(this.url, request);
  }

  /** With the admin key, unless the headers hold another one; a value becomes a JSON body. Asks again where `whenLevel` does. */
  ask(
    method: string,
    path: string,
    value?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const content = value === undefined ? {} : { 'content-type': 'application/json' };
    const body = value === undefined ? {} : { body: JSON.stringify(value) };
    const asked = { method, path, headers: { ...AUTHORIZED, ...content, ...headers }, ...body };
    return whenLevel(() => this.call(asked));
  }

  /** Asks with the admin key, unless the headers hold another one; again where `whenLevel` does. */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return whenLevel(async () => {
      const asked = supertest(this.url)
        .get(path)
        .set({ ...AUTHORIZED, ...headers });
      const answer = await asked.agent(ONE_CALL).buffer(true);
      return answerOf(answer.status, answer.headers, answer.text ?? '');
    });
  }

  /** The snapshot of a user, as of `minPosition` or later when one is given. */
  async entitlements(userId: string, minPosition?: string): Promise<Answer['body']> {
    const query = minPosition === undefined ? '' : `?minPosition=${minPosition}`;
    const { status, body, text } = await this.get(
      `/v1/users/${encodeURIComponent(userId)}/entitlements${query}`,
    );
    if (status !== 200) throw new Error(`no snapshot: ${status} ${text}`);
    return body;
  }

  /** Posts a body with a signature, both as they are. */
  post(body: string | Uint8Array, signature: string | null): Promise<Answer> {
    const signed = signature === null ? {} : { 'stripe-signature': signature };
    const headers = { 'content-type': 'application/json; charset=utf-8', ...signed };
    return this.call({ method: 'POST', path: '/webhooks/stripe', headers, body });
  }

  /** Delivers an event, or a text as it is, properly signed now. */
  deliver(event: StripeEvent | string | Buffer): Promise<Answer> {
    const body = typeof event === 'string' || Buffer.isBuffer(event) ? event : JSON.stringify(event);
    return this.post(body, signatureOf(body));
  }

  /** Delivers what must be received. */
  async receive(event: StripeEvent | string): Promise<Receipt> {
    const { status, body, text } = await this.deliver(event);
    if (status !== 200) throw new Error(`not received: ${status} ${text}`);
    return receiptSchema.parse(body);
  }

  /** Delivers events one after the other and reads the user's snapshot once the last is in the read model. */
  async after(userId: string, ...events: readonly StripeEvent[]): Promise<Answer['body']> {
    let last = '0';
    for (const event of events) {
      const { position } = await this.receive(event);
      last = position ?? last;
    }
    return this.entitlements(userId, last);
  }

  /** How many events the log holds; of one type where it is named. */
  async logged(type?: string): Promise<number> {
    const all = await wholeLog(this.tenure.app.get<EventStore>(EVENT_STORE));
    return all.filter((event) => type === undefined || event.type === type).length;
  }

  /** A user id as it stands in log, tables and Redis of this service: itself, unless user ids are kept as pseudonyms. */
  async storedId(userId: string): Promise<string> {
    const pseudonyms = this.tenure.app.get<Pseudonyms | null>(PSEUDONYMS);
    return pseudonyms === null ? userId : pseudonyms.storedOfOne(userId);
  }

  /** User ids as they stand in the log, by user id. */
  async storedIds(userIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const stored = await Promise.all(userIds.map((userId) => this.storedId(userId)));
    return new Map(userIds.map((userId, n) => [userId, stored[n] ?? userId]));
  }

  /** User ids in the order of lists: by what stands for them in the tables. */
  async inStoredOrder(...userIds: readonly string[]): Promise<readonly string[]> {
    const stored = await this.storedIds(userIds);
    const bytes = (userId: string): Buffer => Buffer.from(stored.get(userId) ?? userId);
    return [...userIds].sort((a, b) => Buffer.compare(bytes(a), bytes(b)));
  }

  /** A body as Stripe sends it, with what stands for user ids in the log of this service. */
  async inwards(body: unknown): Promise<unknown> {
    return (await this.tenure.app.get<StripeIds | null>(STRIPE_IDS)?.inwards(body)) ?? body;
  }

  /** A text of log or tables, with user ids in place of what stands for them there. */
  async revealed(text: string): Promise<string> {
    const pseudonyms = this.tenure.app.get<Pseudonyms | null>(PSEUDONYMS);
    return pseudonyms === null ? text : pseudonyms.reveal(text);
  }

  close(): Promise<void> {
    return this.cleanUp();
  }
}
