import { planCatalogSchema } from '../../../events/catalog.events.js';
import type { NoAnswer, PageAnswer } from '../../gateway/stripe-answers.js';
import { HANDLED_TYPES } from '../../translate/stripe-event.translator.js';
import { type Examined, examine } from './doctor.js';

const NOW = 1_800_000_000;
const catalog = planCatalogSchema.parse({
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free' },
    plus: { rank: 1, role: 'paid', prices: { monthly: 'price_plus' } },
  },
});

function page(objects: readonly { readonly id: string }[], answeredAt = NOW): PageAnswer {
  return { outcome: 'answered', objects, hasMore: false, answeredAt, apiVersion: null };
}

function refusal(status: number | null, outcome: NoAnswer['outcome'] = 'failed'): NoAnswer {
  return { outcome, status, requestId: 'req_1', againInMs: 0 };
}

/** A Stripe at which nothing is wrong, but for what is said to be otherwise. */
async function said(
  pages: Readonly<Record<string, PageAnswer | NoAnswer>> = {},
  more: Partial<Examined> = {},
) {
  const right: Readonly<Record<string, PageAnswer | NoAnswer>> = {
    '/v1/webhook_endpoints': page([
      {
        id: 'we_1',
        url: 'https://app.example/webhooks/stripe',
        status: 'enabled',
        livemode: false,
        enabled_events: [...HANDLED_TYPES],
      } as { id: string },
    ]),
    ...pages,
  };
  const findings = await examine({
    gateway: { page: async (path) => right[path] ?? page([]) },
    catalog,
    livemode: false,
    now: () => NOW,
    onProgress: () => undefined,
    ...more,
  });
  return findings.map(({ code }) => code);
}

describe('tenure doctor', () => {
  it('finds nothing where nothing is wrong', async () => {
    expect(await said()).toEqual([]);
  });

  it('says of clocks that are more than 30 s apart', async () => {
    expect(await said({}, { now: () => NOW + 30 })).toEqual([]);
    expect(await said({}, { now: () => NOW + 31 })).toEqual(['clock_skew']);
    expect(await said({}, { now: () => NOW - 31 })).toEqual(['clock_skew']);
  });

  it('looks at event destinations beside endpoints, and counts none of them twice', async () => {
    const destination = (more: object) =>
      page([
        {
          id: 'ed_1',
          type: 'webhook_endpoint',
          status: 'enabled',
          livemode: false,
          event_payload: 'thin',
          enabled_events: ['v1.customer.subscription.updated'],
          webhook_endpoint: { url: 'https://app.example/webhooks/stripe' },
          ...more,
        } as { id: string },
      ]);
    const at = '/v2/core/event_destinations';
    expect(await said({ [at]: destination({}) })).toEqual(['endpoint_lacks_types']);
    expect(await said({ [at]: destination({ event_payload: 'snapshot' }) })).toEqual([]);
    expect(await said({ [at]: destination({}), '/v1/events': refusal(403) })).toEqual([
      'endpoint_lacks_types',
      'thin_events_unreadable',
      'not_allowed',
    ]);
  });

  it('goes on past what the key may not read, and says so', async () => {
    expect(
      await said({
        '/v1/prices': refusal(403),
        '/v1/billing_portal/configurations': refusal(403),
        '/v1/webhook_endpoints': page([]),
      }),
    ).toEqual(['endpoint_missing', 'not_allowed', 'not_allowed']);
  });

  it.each([
    '/v1/subscriptions',
    '/v1/checkout/sessions',
    '/v1/invoices',
    '/v1/disputes',
    '/v1/refunds',
    '/v1/radar/early_fraud_warnings',
    '/v1/invoice_payments',
    '/v1/events',
  ])('says before an import that the key may not read %s', async (path) => {
    const codes = await said({ [path]: refusal(403) });
    expect(new Set(codes)).toEqual(new Set(['not_allowed']));
  });

  it.each([
    ['a key that Stripe does not know', refusal(401), 'Stripe answered GET /v1/prices with 401 (req_1)'],
    [
      'a Stripe that does not answer',
      refusal(null, 'timed_out'),
      'Stripe did not answer GET /v1/prices: timed_out',
    ],
  ])('ends at %s', async (_what, answer, words) => {
    await expect(said({ '/v1/prices': answer })).rejects.toThrow(words);
  });
});
