import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import Stripe from 'stripe';
import { Simulator } from '../../packages/stripe-simulator/src/index.js';
import { HANDLED_TYPES } from '../../src/stripe/translate/stripe-event.translator.js';
import { limitRow, quantile, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { benchFolder } from '../support/end-of-bench.js';
import { startService } from '../support/service-process.js';

/** Milliseconds that Stripe takes to answer, and after which a webhook comes. */
const STRIPE_MS = 150;
/** Purchases under way at once. */
const AT_ONCE = 8;
/** Purchases before those that are measured: a process that has just started compiles its code meanwhile. */
const WARMING = 3 * AT_ONCE;
const APP = 'https://app.example.com';
const KEY = 'sk_test_of_the_bench';
/** What must be kept at p99, in milliseconds: a session is made, a webhook answered, a paid plan is seen. */
const LIMITS = { session: 2_000, webhook: 5_000, visible: 5_000 };

type Figures = Record<keyof typeof LIMITS, number[]>;

/**
 * Purchases through Tenure's own checkout, at the simulated Stripe: how long a session takes to make, a webhook to answer,
 * and from the payment until the plan is seen. The first read comes when Stripe has its reply to `checkout.session.completed`,
 * as it holds the buyer's redirect until then. @throws when such a read does not show the plan
 */
export async function benchCheckout({
  database,
  effort,
  say,
}: Pick<BenchContext, 'database' | 'effort' | 'say'>): Promise<WorkReport> {
  const folder = await benchFolder(join(tmpdir(), 'tenure-bench-checkout-'));
  const simulator = await Simulator.start({ start: Math.floor(Date.now() / 1_000), seed: 16 });
  const secret = `whsec_${randomBytes(24).toString('hex')}`;
  const adminKey = randomBytes(32).toString('hex');
  try {
    const plansFile = join(folder, 'plans.yaml');
    await writeFile(plansFile, await planFile(simulator));
    const service = await startService({
      databaseUrl: await database.create('checkout'),
      secret,
      adminKey,
      log: {},
      environment: {
        PLANS_FILE: plansFile,
        STRIPE_SECRET_KEY: KEY,
        STRIPE_API_BASE: simulator.url,
        STRIPE_REQUESTS_PER_SECOND: '1000',
        CHECKOUT_URL_ORIGINS: APP,
      },
      logFile: join(tmpdir(), `tenure-bench-${process.pid}-checkout.log`),
    });
    const url = `http://127.0.0.1:${service.port}`;
    let figures: Figures = { session: [], webhook: [], visible: [] };
    const relay = await WebhookRelay.start(url, (ms) => figures.webhook.push(ms));
    const scene = { simulator, relay, url, adminKey };
    try {
      await simulator.control('POST', '/_simulator/settings', { answer_ms: STRIPE_MS });
      await simulator.goWithRealTime();
      await subscribe(simulator, relay.url, secret);
      await purchases(WARMING, (n) => buy({ ...scene, figures }, `first-${n}`));
      figures = { session: [], webhook: [], visible: [] };
      const ownDelay = monitorEventLoopDelay();
      ownDelay.enable();
      await purchases(effort.purchases, (n) => buy({ ...scene, figures }, `buyer-${n}`));
      ownDelay.disable();
      return reportOf(figures, ownDelay.percentile(99) / 1e6, say);
    } finally {
      await relay.close();
      await service.stop();
    }
  } finally {
    await simulator.close();
  }
}

/** `ownDelayMs`: how long the buyers, Stripe and its network, which are of one process, kept each other waiting at p99. */
function reportOf(figures: Figures, ownDelayMs: number, say: (line: string) => void): WorkReport {
  const row = (kind: keyof Figures, work: string) => {
    const p99 = quantile(figures[kind], 0.99);
    say(`  ${work}: p50 ${quantile(figures[kind], 0.5).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`);
    const against = `limit, Stripe answering in ${STRIPE_MS} ms`;
    return limitRow({ work: `${work}, p99`, ours: p99, against, theirs: LIMITS[kind] });
  };
  return {
    rows: [
      row('session', 'checkout session made'),
      row('webhook', 'webhook of a checkout answered'),
      row('visible', 'from payment to plan seen'),
    ],
    notes: [
      { what: 'purchases, none told the plan of before', value: String(figures.visible.length) },
      {
        what: 'delay of the event loop of the buyers and of Stripe, p99',
        value: `${ownDelayMs.toFixed(0)} ms`,
      },
    ],
  };
}

async function purchases(count: number, buyOne: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const buyer = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) await buyOne(n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, buyer));
}

interface Scene {
  readonly simulator: Simulator;
  readonly relay: WebhookRelay;
  readonly url: string;
  readonly adminKey: string;
  readonly figures: Figures;
}

async function buy({ simulator, relay, url, adminKey, figures }: Scene, userId: string): Promise<void> {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const asked = { userId, plan: 'plus', interval: 'monthly', successUrl: `${APP}/a`, cancelUrl: `${APP}/b` };
  const began = performance.now();
  const made = await fetch(`${url}/v1/checkout/sessions`, {
    method: 'POST',
    headers,
    body: JSON.stringify(asked),
  });
  const { sessionId } = (await made.json()) as { sessionId?: string };
  if (sessionId === undefined) throw new Error(`no session for ${userId}: ${made.status}`);
  figures.session.push(performance.now() - began);
  const redirected = relay.answered(sessionId);
  const paid = performance.now();
  await simulator.control('POST', `/_simulator/checkout/sessions/${sessionId}/complete`);
  await redirected;
  const seen = await fetch(`${url}/v1/users/${userId}/entitlements`, { headers });
  const { plan } = (await seen.json()) as { plan?: string };
  if (plan !== 'plus') throw new Error(`${userId} has paid and is told ${plan}`);
  figures.visible.push(performance.now() - paid);
}

/** Passes webhooks on as Stripe's network does, some time later, and tells how long each took to be answered. */
class WebhookRelay {
  readonly #waiting = new Map<string, () => void>();

  private constructor(
    private readonly server: Server,
    private readonly target: string,
    private readonly onAnswer: (ms: number) => void,
  ) {}

  static async start(target: string, onAnswer: (ms: number) => void): Promise<WebhookRelay> {
    const server = createServer();
    const relay = new WebhookRelay(server, target, onAnswer);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const signature = String(request.headers['stripe-signature']);
        relay.#pass(Buffer.concat(chunks).toString('utf8'), signature).then(
          (status) => response.writeHead(status).end(),
          () => response.destroy(), // the service is ending
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resolves when the completion of this session has been answered. */
  answered(sessionId: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(sessionId, resolve));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #pass(body: string, signature: string): Promise<number> {
    await pause(STRIPE_MS);
    const began = performance.now();
    const { status } = await fetch(`${this.target}/webhooks/stripe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': signature },
      body,
    });
    this.onAnswer(performance.now() - began);
    const { type, data } = JSON.parse(body) as { type: string; data: { object: { id: string } } };
    if (type === 'checkout.session.completed' && status === 200) this.#waiting.get(data.object.id)?.();
    return status;
  }
}

async function subscribe(simulator: Simulator, url: string, secret: string): Promise<void> {
  simulator.webhooks.destinations.set('we_1', {
    id: 'we_1',
    url,
    secret,
    payload: 'snapshot',
    enabledEvents: [...HANDLED_TYPES],
    enabled: 'enabled',
    shown: { id: 'we_1', object: 'webhook_endpoint' } as Stripe.WebhookEndpoint,
  });
}

async function planFile(simulator: Simulator): Promise<string> {
  const stripe = new Stripe(KEY, { ...simulator.sdkConfig, telemetry: false });
  const { id: product } = await stripe.products.create({ name: 'Plus' });
  const price = await stripe.prices.create({
    product,
    currency: 'usd',
    unit_amount: 1_000,
    recurring: { interval: 'month' },
  });
  return `default: free
plans:
  free: { rank: 0, role: free }
  plus: { rank: 1, role: paid, prices: { monthly: ${price.id} } }
`;
}
