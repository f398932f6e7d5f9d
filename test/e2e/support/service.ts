import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SimulatedClock } from '../../../demo/stripe/simulated-clock.js';
import { SimulatedSubscription } from '../../../demo/stripe/simulated-subscription.js';
import { createTenure, type Tenure } from '../../../src/bootstrap.js';
import { loadSettings } from '../../../src/config/settings.js';
import { EVENT_STORE, type EventStore } from '../../../src/event-store/event-store.js';
import { wholeLog } from '../../support/log.js';
import type { TestDatabase } from '../../support/postgres.js';
import { testStores } from '../../support/stores.js';
import { type Answer, type Call, call } from './http-call.js';

export const SECRET = 'whsec_of_the_tests_0001';
export const SECOND_SECRET = 'whsec_of_the_tests_0002';
export const ADMIN_KEY = 'the-admin-key-of-the-tests-0123456789';
export const AUTHORIZED = { authorization: `Bearer ${ADMIN_KEY}` };

export const PLUS = { id: 'price_plus_m', product: 'prod_plus', name: 'Plus', unitAmount: 1900 };
export const PRO = { id: 'price_pro_m', product: 'prod_pro', name: 'Pro', unitAmount: 4900 };

const receiptSchema = z.strictObject({
  received: z.literal(true),
  outcome: z.enum(['applied', 'duplicate', 'ignored']),
  event: z.string().optional(),
  reason: z.string().optional(),
  position: z.string().optional(),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** The real service on a database of its own, folding in this thread, and what one does with it over HTTP. */
export interface Service {
  readonly tenure: Tenure;
  /** Its database, past whatever stands before it. */
  readonly database: TestDatabase;
  /** Its settings: another instance with the same ones shares its database and its log. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the names of its streams begin with. */
  readonly prefix: string;
  /** Without a key. */
  call(request: Call): Promise<Answer>;
  /** With the admin key; a value becomes a JSON body. */
  ask(method: string, path: string, value?: unknown): Promise<Answer>;
  /** Posts a text as it is, signed now. */
  deliver(body: string | Buffer): Promise<Answer>;
  /** Posts a text signed now, which must be received. */
  receive(body: string): Promise<Receipt>;
  /** The snapshot of a user as of a position at least; fails unless it is a 200. */
  snapshot(userId: string, minPosition?: string): Promise<Record<string, unknown>>;
  /** How many events the log holds. */
  logged(): Promise<number>;
  close(): Promise<void>;
}

export interface ServiceOptions {
  /** Settings beside those that every test has. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Puts something between the service and its database. */
  readonly through?: (databaseUrl: string) => Promise<string>;
}

export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const stores = await testStores();
  const { url } = stores.database;
  const environment: Record<string, string> = {
    PORT: '0',
    LOG_LEVEL: 'silent',
    STRIPE_WEBHOOK_SECRET: `${SECRET},${SECOND_SECRET}`,
    STRIPE_LIVEMODE: 'false',
    TENURE_ADMIN_KEY: ADMIN_KEY,
    ...stores.environment,
    DATABASE_URL: options.through === undefined ? url : await options.through(url),
    ...options.environment,
  };
  const tenure = await createTenure(loadSettings(environment), {
    threads: 'none',
    openAnswersKeptMs: 0,
  });
  const send = (request: Call): Promise<Answer> => call(tenure.url, request);
  const ask = (method: string, path: string, value?: unknown): Promise<Answer> =>
    send({
      method,
      path,
      headers: { ...AUTHORIZED, ...(value === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(value === undefined ? {} : { body: JSON.stringify(value) }),
    });
  const deliver = (body: string | Buffer): Promise<Answer> =>
    send({ method: 'POST', path: '/webhooks/stripe', headers: signed(body), body });
  return {
    tenure,
    database: stores.database,
    environment,
    prefix: environment.STREAM_PREFIX ?? stores.prefix,
    call: send,
    ask,
    deliver,
    receive: async (body) => {
      const answer = await deliver(body);
      if (answer.status !== 200) throw new Error(`not received: ${answer.status} ${answer.text}`);
      return receiptSchema.parse(answer.json());
    },
    snapshot: async (userId, minPosition) => {
      const query = minPosition === undefined ? '' : `?minPosition=${minPosition}`;
      const answer = await ask('GET', `/v1/users/${encodeURIComponent(userId)}/entitlements${query}`);
      if (answer.status !== 200) throw new Error(`no snapshot: ${answer.status} ${answer.text}`);
      return z.record(z.string(), z.unknown()).parse(answer.json());
    },
    logged: async () => (await wholeLog(tenure.app.get<EventStore>(EVENT_STORE))).length,
    close: async () => {
      await tenure.close();
      await stores.drop();
    },
  };
}

/** Stripe: "Verify webhook signatures manually". `age` is in seconds; negative lies ahead. */
export function signed(body: string | Buffer, secret = SECRET, age = 0): Record<string, string> {
  const second = Math.floor(Date.now() / 1000) - age;
  const mac = createHmac('sha256', secret).update(`${second}.`).update(body).digest('hex');
  return { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': `t=${second},v1=${mac}` };
}

/** A buyer with a subscription at a make-believe Stripe; ids are made from a name that nobody else has. */
export function buyer(
  userId: string | null,
  price = PLUS,
): SimulatedSubscription & { readonly name: string } {
  const name = randomBytes(6).toString('hex');
  const clock = new SimulatedClock(Math.floor(Date.now() / 1000) - 3_600);
  return Object.assign(new SimulatedSubscription(clock, { name, userId, price }), { name });
}

/** A Stripe event as text, to be bent. */
export function event(changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    id: `evt_${randomBytes(8).toString('hex')}`,
    object: 'event',
    type: 'customer.created',
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    api_version: '2026-10-28.endive',
    data: { object: { id: `cus_${randomBytes(8).toString('hex')}`, object: 'customer', metadata: {} } },
    ...changes,
  });
}

const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
});

/** The code of an answer that must be a problem in every respect (RFC 9457). */
export function problemCode(answer: Answer): string {
  const problem = problemSchema.parse(answer.json());
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(problem.status).toBe(answer.status);
  expect(problem.type).toBe(`urn:tenure:problem:${problem.code}`);
  expect(answer.text).not.toMatch(/\bat .*\.(?:js|ts):\d+|node_modules/);
  return problem.code;
}
