import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTenure, type Tenure, type TenureHooks } from '../../src/bootstrap.js';
import { loadSettings } from '../../src/config/settings.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { wholeLog } from './log.js';
import { type TestStores, testStores } from './stores.js';
import { SECRET, type StripeEvent, signed } from './stripe-events.js';

export const ADMIN_KEY = 'admin-key-of-the-tests-0123456789abcdef';

export const PLANS = `default: free
plans:
  free: { rank: 0, role: free, features: [reports], limits: { members: 50 } }
  plus: { rank: 1, role: paid, features: [reports, export], limits: { members: 500 }, prices: { m: price_plus } }
  pro: { rank: 2, role: paid, features: [reports, export, api], limits: { members: 5000 }, prices: { m: price_pro } }
addons:
  seats: { prices: [price_seat], limits: { members: 10 } }
`;

/** Answer of the service: status, headers and parsed body (`null` when there is none). */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers by name, and fail when a name is not there
  readonly body: any;
  readonly text: string;
}

/** What a test may set otherwise. */
export interface ServiceOverrides {
  /** Over the settings of the tests, by the names of DESIGN 14. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Text of the plan file. */
  readonly plans?: string;
  /** Stores that the test has made, and drops; without them the service has its own. */
  readonly stores?: TestStores;
  readonly hooks?: TenureHooks;
}

/** The settings of a service of the tests on the database at `databaseUrl`, as an environment. */
export function testEnvironment(databaseUrl: string, plansFile: string): Record<string, string> {
  return {
    PORT: '0',
    LOG_LEVEL: 'silent',
    STRIPE_WEBHOOK_SECRET: SECRET,
    STRIPE_LIVEMODE: 'false',
    TENURE_ADMIN_KEY: ADMIN_KEY,
    DATABASE_URL: databaseUrl,
    PLANS_FILE: plansFile,
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
  readonly key = ADMIN_KEY;
  readonly secret = SECRET;

  private constructor(
    readonly tenure: Tenure,
    readonly stores: TestStores,
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
      const settings = loadSettings({
        ...testEnvironment(stores.database.url, plansFile),
        ...stores.environment,
        ...environment,
      });
      const tenure = await createTenure(settings, { threads: 'none', openAnswersKeptMs: 0, ...hooks });
      return new TestService(tenure, stores, plansFile, async () => {
        await tenure.close();
        await cleanUp();
      });
    } catch (error) {
      await cleanUp();
      throw error;
    }
  }

  get databaseUrl(): string {
    return this.stores.database.url;
  }

  get url(): string {
    return this.tenure.url;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.request(path, { headers });
  }

  /** The snapshot of a user, as of `minPosition` or later when one is given. */
  async entitlements(userId: string, minPosition?: string): Promise<Answer['body']> {
    const query = minPosition === undefined ? '' : `?minPosition=${minPosition}`;
    const { status, body } = await this.get(`/v1/users/${encodeURIComponent(userId)}/entitlements${query}`);
    expect(status).toBe(200);
    return body;
  }

  async request(path: string, init: RequestInit = {}): Promise<Answer> {
    return answerOf(
      await fetch(`${this.tenure.url}${path}`, {
        ...init,
        headers: {
          authorization: `Bearer ${ADMIN_KEY}`,
          ...(init.headers as Record<string, string> | undefined),
        },
      }),
    );
  }

  send(method: string, path: string, body: unknown): Promise<Answer> {
    return this.request(path, {
      method,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  }

  /** Posts a body with a signature, both as they are. */
  async post(body: string | Uint8Array<ArrayBuffer>, signature: string | null): Promise<Answer> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (signature !== null) headers['stripe-signature'] = signature;
    return answerOf(await fetch(`${this.tenure.url}/webhooks/stripe`, { method: 'POST', body, headers }));
  }

  /** Delivers a properly signed event. */
  deliver(event: StripeEvent): Promise<Answer> {
    const { body, signature } = signed(event);
    return this.post(body, signature);
  }

  /** Delivers events one after the other and reads the user's snapshot once the last is in the read model. */
  async after(userId: string, ...events: readonly StripeEvent[]): Promise<Answer['body']> {
    let position = '0';
    for (const event of events) {
      const { status, body } = await this.deliver(event);
      expect(status).toBe(200);
      position = body.position ?? position;
    }
    return this.entitlements(userId, position);
  }

  /** How many events the log holds; of one type where it is named. */
  async logged(type?: string): Promise<number> {
    const all = await wholeLog(this.tenure.app.get<EventStore>(EVENT_STORE));
    return all.filter((event) => type === undefined || event.type === type).length;
  }

  close(): Promise<void> {
    return this.cleanUp();
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null };
}
