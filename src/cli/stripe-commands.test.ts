import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { Simulator } from '../../packages/stripe-simulator/src/index.js';
import { parsePlanFile } from '../plans/plan-file.js';
import { RequestBudget } from '../stripe/gateway/request-pace.js';
import { StripeGateway } from '../stripe/gateway/stripe.gateway.js';
import { allListed } from '../stripe/gateway/stripe-lists.js';
import { runCli } from './program.js';

const KEY = 'sk_test_of_the_tests';
const START = Date.UTC(2026, 0, 1) / 1_000;

let simulator: Simulator;
let stripe: Stripe;
beforeEach(async () => {
  simulator = await Simulator.start({ start: START });
  stripe = new Stripe(KEY, { ...simulator.sdkConfig, maxNetworkRetries: 0, telemetry: false });
});
afterEach(() => simulator.close());

async function tenure(args: readonly string[], environment: Readonly<Record<string, string>>) {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    environment,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

async function sold(name: string, amount: number, lookup_key: string): Promise<string> {
  const product = await stripe.products.create({ name });
  await stripe.prices.create({
    product: product.id,
    currency: 'eur',
    unit_amount: amount,
    lookup_key,
    recurring: { interval: 'month' },
  });
  return product.id;
}

describe('tenure plans draft', () => {
  it('prints a plan file of the products, prices and features that Stripe has', async () => {
    await sold('Pro', 2_900, 'pro_monthly');
    const plus = await sold('Plus', 900, 'plus_monthly');
    const { id } = await stripe.entitlements.features.create({ lookup_key: 'export', name: 'Export' });
    await stripe.products.createFeature(plus, { entitlement_feature: id });

    const { code, out, err } = await tenure(['plans', 'draft'], {
      STRIPE_SECRET_KEY: KEY,
      STRIPE_API_BASE: simulator.url,
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(parsePlanFile(out, 'plans.yaml').catalog.plans).toMatchObject({
      free: { rank: 0 },
      plus: { rank: 1, features: ['export'], prices: { monthly: ['plus_monthly'] } },
      pro: { rank: 2, features: [], prices: { monthly: ['pro_monthly'] } },
    });
  });

  it.each([
    ['without a key', {}, 78, 'tenure: STRIPE_SECRET_KEY is missing: it is what Stripe is asked with\n'],
    [
      'with one that may not read prices',
      { STRIPE_SECRET_KEY: 'rk_test_of_the_tests' },
      69,
      expect.stringMatching(
        /^tenure: Stripe answered GET \/v1\/prices with 403 \(req_\w+\): STRIPE_SECRET_KEY may not read that; allow it to the restricted key\n$/,
      ),
    ],
  ])('%s says so in a line', async (_what, environment, code, err) => {
    await simulator.control('POST', '/_simulator/keys', {
      key: 'rk_test_of_the_tests',
      permissions: [{ resource: 'products', access: 'read' }],
    });
    expect(await tenure(['plans', 'draft'], { STRIPE_API_BASE: simulator.url, ...environment })).toEqual({
      code,
      out: '',
      err,
    });
  });
});

describe('tenure doctor', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-doctor-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('says what will hurt and ends with 1, and with 0 when that is mended', async () => {
    await simulator.goWithRealTime();
    await sold('Plus', 900, 'plus_monthly');
    const plans = join(folder, 'plans.yaml');
    await writeFile(plans, 'default: free\nplans: { free: { rank: 0, role: free } }\n');
    const doctor = (...args: readonly string[]) =>
      tenure(['doctor', '--plans', plans, ...args], {
        STRIPE_SECRET_KEY: KEY,
        STRIPE_API_BASE: simulator.url,
      });
    const { code, out } = await doctor('--json');
    expect(code).toBe(1);
    expect(JSON.parse(out).map((finding: { code: string }) => finding.code)).toEqual([
      'endpoint_missing',
      'price_unmapped',
    ]);

    const prices = '{ rank: 1, role: paid, prices: { monthly: plus_monthly } }';
    await writeFile(plans, `default: free\nplans: { free: { rank: 0, role: free }, plus: ${prices} }\n`);
    await stripe.webhookEndpoints.create({
      url: 'http://127.0.0.1:1/webhooks/stripe',
      enabled_events: ['*'],
    });
    expect(await doctor()).toMatchObject({ code: 0, out: 'Nothing found.\n' });
  });
});

it('A list of Stripe is read whole, page by page, in its order', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 203; n += 1) ids.unshift((await stripe.products.create({ name: `${n}` })).id);
  const gateway = new StripeGateway({
    secretKey: KEY,
    apiBase: simulator.url,
    budget: new RequestBudget({ perSecond: 25, livemode: false }),
    onRequest: () => undefined,
  });
  const listed = await allListed(gateway, '/v1/products');
  expect(listed.map(({ id }) => id)).toEqual(ids);
  gateway.close();
});
