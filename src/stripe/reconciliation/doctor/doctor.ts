import type { PlanCatalog } from '../../../events/catalog.events.js';
import { readProducts } from '../../gateway/products.js';
import type { StripeGateway } from '../../gateway/stripe.gateway.js';
import { allListed, pageOf, StripeUnansweredError } from '../../gateway/stripe-lists.js';
import { HANDLED_TYPES } from '../../translate/stripe-event.translator.js';
import { checkDunning, checkPendingItems, checkPortal } from './billing-checks.js';
import { checkEndpoints, type Endpoint, eventDestination, webhookEndpoint } from './endpoint-checks.js';
import type { Finding } from './finding.js';
import { checkPrices } from './price-checks.js';

/** Clocks that are further apart make signatures and trial ends doubtful (DESIGN 8 "Time"), in seconds. */
const MOST_SKEW_S = 30;
/** What the address of the webhook route ends with. */
const WEBHOOK_PATH = '/webhooks/stripe';

export interface Examined {
  readonly gateway: Pick<StripeGateway, 'page'>;
  readonly catalog: PlanCatalog;
  readonly livemode: boolean;
  /** Unix seconds of this machine. */
  readonly now: () => number;
  /** What is read next, for whoever waits. */
  readonly onProgress: (what: string) => void;
}

/**
 * Asks Stripe, and says what will hurt. Nothing is changed, at Stripe or here; where the key may not read something, that
 * is a finding and the rest is looked at.
 * @throws StripeUnansweredError where Stripe does not answer, or does not know the key
 */
export async function examine(examined: Examined): Promise<readonly Finding[]> {
  const { gateway, catalog, livemode, onProgress } = examined;
  const { policy } = catalog;
  const findings: Finding[] = [];
  const look = async (what: string, check: () => Promise<readonly Finding[]>): Promise<void> => {
    onProgress(what);
    findings.push(...(await check().catch((error: unknown) => [notAllowed(what, error)])));
  };

  findings.push(...(await skew(examined)));
  await look('webhook endpoints', async () =>
    checkEndpoints(await endpoints(gateway), {
      path: WEBHOOK_PATH,
      livemode,
      handledTypes: HANDLED_TYPES,
      readsEvents: await mayRead(gateway, '/v1/events'),
    }),
  );
  await look('products and prices', async () => checkPrices(await readProducts(gateway), catalog));
  await look('portal configurations', async () =>
    checkPortal(await allListed(gateway, '/v1/billing_portal/configurations', { active: 'true' }), policy),
  );
  await look('invoice items', async () =>
    checkPendingItems((await pageOf(gateway, '/v1/invoiceitems', { pending: 'true' })).objects, policy),
  );
  await look('subscriptions that are past due', async () => {
    const query = { status: 'past_due', 'expand[]': 'data.latest_invoice' };
    return checkDunning((await pageOf(gateway, '/v1/subscriptions', query)).objects, policy);
  });
  for (const [what, path, query] of READ_BY_IMPORTS) {
    await look(what, async () => {
      await pageOf(gateway, path, { limit: '1', ...query });
      return [];
    });
  }
  return findings;
}

/** What an import and a reconciliation read besides (`import-pages.ts`), with what they have expanded. */
const READ_BY_IMPORTS = [
  ['subscriptions with their customers', '/v1/subscriptions', { 'expand[]': 'data.customer' }],
  ['checkout sessions', '/v1/checkout/sessions', { 'expand[]': 'data.line_items' }],
  ['invoices', '/v1/invoices', {}],
  ['disputes', '/v1/disputes', {}],
  ['refunds', '/v1/refunds', { 'expand[]': 'data.charge' }],
  ['early fraud warnings', '/v1/radar/early_fraud_warnings', { 'expand[]': 'data.charge' }],
  ['invoice payments', '/v1/invoice_payments', {}],
  ['events', '/v1/events', {}],
] as const satisfies readonly (readonly [string, string, Readonly<Record<string, string>>])[];

/** The first request: a key that Stripe does not know ends it here. */
async function skew({ gateway, now }: Examined): Promise<readonly Finding[]> {
  const answer = await gateway.page('/v1/prices', { limit: '1' });
  if (answer.outcome !== 'answered') {
    if (answer.status === 403) return [];
    throw new StripeUnansweredError('/v1/prices', answer);
  }
  const ahead = now() - answer.answeredAt;
  if (Math.abs(ahead) <= MOST_SKEW_S) return [];
  return [
    {
      code: 'clock_skew',
      says: `This machine's clock is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} Stripe's.`,
      remedy:
        'Set the clock by NTP: an instance whose clock differs from the database by 30 s writes nothing.',
    },
  ];
}

/** Endpoints of both kinds that Stripe has: those of version 1, and destinations of version 2 that are none of them. */
async function endpoints(gateway: Pick<StripeGateway, 'page'>): Promise<readonly Endpoint[]> {
  const webhooks = (await allListed(gateway, '/v1/webhook_endpoints')).map(webhookEndpoint);
  const { objects } = await pageOf(gateway, '/v2/core/event_destinations', {
    'include[0]': 'webhook_endpoint.url',
  });
  const known = new Set(webhooks.map(({ url }) => url));
  const destinations = objects.map(eventDestination).filter((destination) => destination !== null);
  return [...webhooks, ...destinations.filter(({ isThin, url }) => isThin || !known.has(url))];
}

async function mayRead(gateway: Pick<StripeGateway, 'page'>, path: string): Promise<boolean> {
  const answer = await gateway.page(path, { limit: '1' });
  return answer.outcome === 'answered' || answer.status !== 403;
}

/** @throws what is no refusal of Stripe's */
function notAllowed(what: string, error: unknown): Finding {
  if (!(error instanceof StripeUnansweredError) || error.answer.status !== 403) throw error;
  return {
    code: 'not_allowed',
    says: `STRIPE_SECRET_KEY may not read ${what}, so nothing is said of them.`,
    remedy: 'Allow it to the restricted key, for reading alone.',
  };
}
