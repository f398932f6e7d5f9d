import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Stripe from 'stripe';
import { build } from 'vite';
import { Simulator } from '../../packages/stripe-simulator/src/index.js';
import { createTenure, type TenureHooks } from '../../src/bootstrap.js';
import { loadSettings } from '../../src/config/settings.js';
import { DemoSite } from './site.js';

const PAGE = fileURLToPath(new URL('./vite.config.ts', import.meta.url));
const CONSOLE = fileURLToPath(new URL('../../console/vite.config.ts', import.meta.url));
const STRIPE_KEY = 'sk_test_of_the_demo';

export interface ShopOptions {
  /** Port of the application; any that is free unless it is said. */
  readonly port?: number;
  /** Settings that replace the service's, by their names. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly hooks?: TenureHooks;
}

export interface DemoShop {
  /** The application's own address, for browsers. */
  readonly url: string;
  readonly tenureUrl: string;
  readonly adminKey: string;
  close(): Promise<void>;
}

/**
 * Opens everything that a purchase needs: a Stripe to pay at, the real service on an embedded PostgreSQL, and an application
 * that sells. All it keeps is in `folder`, which is emptied first.
 */
export async function openShop(
  folder: string,
  { port = 0, environment = {}, hooks = {} }: ShopOptions = {},
): Promise<DemoShop> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const page = join(folder, 'page');
  await build({ configFile: PAGE, logLevel: 'error', build: { outDir: page } });
  await build({ configFile: CONSOLE, logLevel: 'error' });
  const simulator = await Simulator.start();
  const site = await DemoSite.open(page, port);
  const webhookSecret = `whsec_${randomBytes(24).toString('hex')}`;
  const adminKey = randomBytes(24).toString('hex');
  const plansFile = join(folder, 'plans.yaml');
  await writeFile(plansFile, await plansOf(simulator));
  const tenure = await createTenure(
    loadSettings({
      PORT: '0',
      LOG_LEVEL: 'warn',
      DATA_DIR: join(folder, 'data'),
      ...environment,
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      STRIPE_SECRET_KEY: STRIPE_KEY,
      STRIPE_API_BASE: simulator.url,
      TENURE_ADMIN_KEY: adminKey,
      PLANS_FILE: plansFile,
      CHECKOUT_URL_ORIGINS: site.url,
    }),
    hooks,
  );
  site.ask({ url: tenure.url, key: adminKey });
  simulator.webhooks.destinations.set('we_demo', {
    id: 'we_demo',
    url: `${site.url}/webhooks`,
    secret: webhookSecret,
    payload: 'snapshot',
    enabledEvents: ['*'],
    enabled: 'enabled',
    shown: { id: 'we_demo', object: 'webhook_endpoint' } as Stripe.WebhookEndpoint,
  });
  return {
    url: site.url,
    tenureUrl: tenure.url,
    adminKey,
    close: async () => {
      await site.close();
      await tenure.close();
      await simulator.close();
    },
  };
}

/** Makes what is sold at Stripe, and says the plan file that names it. */
async function plansOf(simulator: Simulator): Promise<string> {
  const stripe = new Stripe(STRIPE_KEY, { ...simulator.sdkConfig, telemetry: false });
  const price = async (name: string, unit_amount: number): Promise<string> => {
    const product = (await stripe.products.create({ name })).id;
    const recurring = { interval: 'month' } as const;
    return (await stripe.prices.create({ product, currency: 'usd', unit_amount, recurring })).id;
  };
  const [plus, pro] = [await price('Plus', 1_900), await price('Pro', 4_900)];
  return `default: free
plans:
  free: { rank: 0, role: free, features: [reports], limits: { members: 50 } }
  plus: { rank: 1, role: paid, features: [reports, export], limits: { members: 500 }, prices: { monthly: ${plus} } }
  pro: { rank: 2, role: paid, features: [reports, export, api], limits: { members: 5000 }, prices: { monthly: ${pro} } }
`;
}
