/**
 * `npm run demo`: opens a shop to try it on, a Stripe, the real service and an application with a page, and serves until it is
 * ended. `--story`: starts the service alone, sends it a story of signed webhooks over HTTP, checks every answer, and then keeps
 * serving; `--once` (or DEMO_ONCE=1) ends after the story. Exit code 1 when a line of the story is not true.
 */
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTenure, type Tenure } from '../src/bootstrap.js';
import { loadSettings } from '../src/config/settings.js';
import { painter } from './paint.js';
import { theStory } from './story/scenes.js';
import { StoryError, type StoryOutcome, StoryRunner } from './story/story-runner.js';
import { TenureApi } from './story/tenure-api.js';
import { SimulatedClock } from './stripe/simulated-clock.js';
import { openShop } from './web/open-shop.js';

const DATA_DIR = fileURLToPath(new URL('../.tenure/demo', import.meta.url));
const PLANS_FILE = fileURLToPath(new URL('./plans.yaml', import.meta.url));

const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, story: { type: 'boolean', default: false } },
});
const isOnce = values.once || process.env.DEMO_ONCE === '1';
const paint = painter();

/** The story takes about ten minutes of Stripe's time and ends about now. */
const STORY_SECONDS = 900;

/** Made for this run: the demo has no secret that anyone could know. */
const webhookSecret = `whsec_${randomBytes(24).toString('hex')}`;
const adminKey = randomBytes(24).toString('hex');

function median(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  return `${(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(1)} ms`;
}

async function start(): Promise<Tenure> {
  await rm(DATA_DIR, { recursive: true, force: true });
  const settings = loadSettings({
    PORT: process.env.PORT ?? '0',
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    STRIPE_LIVEMODE: 'false',
    TENURE_ADMIN_KEY: adminKey,
    DATA_DIR,
    PLANS_FILE,
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
  });
  console.log('Starting Tenure on an embedded PostgreSQL…');
  return createTenure(settings, { onProgress: (line) => console.log(paint.dim(`   ${line}`)) });
}

async function tell(tenure: Tenure): Promise<StoryOutcome> {
  const api = new TenureApi(tenure.url, webhookSecret, adminKey);
  return new StoryRunner(api, paint, (line) => console.log(line)).run(
    theStory(new SimulatedClock(Math.floor(Date.now() / 1000) - STORY_SECONDS)),
  );
}

function invite({ url }: Tenure): void {
  console.log(`
${paint.bold('Tenure goes on serving.')} Ctrl-C ends it.

   API      ${url}/v1/users/ada/entitlements
   Swagger  ${url}/docs
   Health   ${url}/health/ready
   Key      ${adminKey}

   curl -H 'Authorization: Bearer ${adminKey}' ${url}/v1/users/ada/entitlements
`);
}

async function serveShop(): Promise<void> {
  console.log('Opening the shop: a Stripe, Tenure on an embedded PostgreSQL, and an application that sells…');
  const shop = await openShop(DATA_DIR, { port: Number(process.env.PORT ?? '0') });
  console.log(`
${paint.bold('The shop is open.')} Ctrl-C closes it.

   ${paint.bold(shop.url)}   buy, open more tabs, cancel; any card of Stripe's tests pays

   Console  ${shop.tenureUrl}/console
   Swagger  ${shop.tenureUrl}/docs
   Key      ${shop.adminKey}

   The story in the terminal: npm run demo -- --story
`);
  endOnSignal(shop);
}

function endOnSignal(open: { close(): Promise<unknown> }): void {
  const stop = (): void => {
    void open.close().then(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

async function serveStory(): Promise<void> {
  const tenure = await start();
  try {
    const tale = await tell(tenure);
    console.log(
      `\n${tale.deliveries} deliveries, every answer as told. Median: answered in ${median(tale.replies)}, visible in ${median(tale.seen)}.`,
    );
  } catch (error) {
    if (!(error instanceof StoryError)) throw error;
    console.error(`\n${paint.red('The story is not true:')} ${error.message}`);
    await tenure.close();
    process.exit(1);
  }
  if (isOnce) {
    await tenure.close();
  } else {
    invite(tenure);
    endOnSignal(tenure);
  }
}

await (values.story || isOnce ? serveStory() : serveShop());
