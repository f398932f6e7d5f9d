import { planCatalogSchema } from '../../../events/catalog.events.js';
import { HANDLED_TYPES } from '../../translate/stripe-event.translator.js';
import { checkDunning, checkPendingItems, checkPortal } from './billing-checks.js';
import { checkEndpoints, eventDestination, webhookEndpoint } from './endpoint-checks.js';
import { checkPrices } from './price-checks.js';

const catalog = planCatalogSchema.parse({
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free' },
    plus: { rank: 1, role: 'paid', prices: { monthly: 'price_plus', yearly: 'plus_yearly' } },
    pro: { rank: 2, role: 'paid', prices: { monthly: 'prod_pro' } },
  },
  addons: { seats: { prices: ['price_seat'] } },
});
const { policy } = catalog;
const codes = (findings: readonly { readonly code: string }[]) => findings.map(({ code }) => code);

describe('What the doctor says of endpoints', () => {
  const made = {
    id: 'we_1',
    url: 'https://app.example/webhooks/stripe',
    status: 'enabled',
    livemode: false,
    enabled_events: ['*'],
  };
  const destination = {
    id: 'ed_1',
    type: 'webhook_endpoint',
    status: 'enabled',
    livemode: false,
    event_payload: 'thin',
    enabled_events: [...HANDLED_TYPES].map((type) => `v1.${type}`),
    webhook_endpoint: { url: 'https://app.example/webhooks/stripe' },
  };
  const expected = {
    path: '/webhooks/stripe',
    livemode: false,
    handledTypes: HANDLED_TYPES,
    readsEvents: true,
  };
  const check = (endpoints: readonly (object | null)[], more: Partial<typeof expected> = {}) =>
    checkEndpoints(endpoints.flatMap((each) => each ?? []) as Parameters<typeof checkEndpoints>[0], {
      ...expected,
      ...more,
    });

  it.each([
    ['one for all types', [webhookEndpoint(made)], {}, []],
    ['one of thin events', [eventDestination(destination)], {}, []],
    ['none', [], {}, ['endpoint_missing']],
    [
      'one of another service alone',
      [webhookEndpoint({ ...made, url: 'https://app.example/stripe' })],
      {},
      ['endpoint_missing'],
    ],
    [
      'a destination that is no endpoint',
      [eventDestination({ ...destination, type: 'amazon_eventbridge' })],
      {},
      ['endpoint_missing'],
    ],
    ['one that is disabled', [webhookEndpoint({ ...made, status: 'disabled' })], {}, ['endpoint_disabled']],
    ['one of the other mode', [webhookEndpoint(made)], { livemode: true }, ['endpoint_other_mode']],
    [
      'one without a type that is handled',
      [webhookEndpoint({ ...made, enabled_events: [...HANDLED_TYPES].slice(1) })],
      {},
      ['endpoint_lacks_types'],
    ],
    [
      'a thin one without a type that is handled',
      [eventDestination({ ...destination, enabled_events: destination.enabled_events.slice(1) })],
      {},
      ['endpoint_lacks_types'],
    ],
    [
      'a thin one whose events the key may not read',
      [eventDestination(destination)],
      { readsEvents: false },
      ['thin_events_unreadable'],
    ],
  ])('%s', (_what, endpoints, more, found) => {
    expect(codes(check(endpoints, more))).toEqual(found);
  });

  it('names the first types that are not sent', () => {
    const [finding] = check([webhookEndpoint({ ...made, enabled_events: ['charge.succeeded'] })]);
    expect(finding?.says).toMatch(/^The endpoint we_1 does not send (?:\S+, ){4}\S+ and \d+ more\.$/);
  });
});

describe('What the doctor says of prices', () => {
  const recurring = { interval: 'month', interval_count: 1, usage_type: 'licensed' } as const;
  const price = (id: string, more: object = {}) => ({
    id,
    active: true,
    product: 'prod_1',
    currency: 'eur',
    lookup_key: null,
    unit_amount: 900,
    recurring,
    ...more,
  });
  const sold = (id: string, prices: readonly ReturnType<typeof price>[], active = true) => [
    { id, name: id, active, defaultPrice: null, prices, features: [] },
  ];

  it.each([
    ['one in a plan', sold('prod_1', [price('price_plus')]), []],
    [
      'one in a plan by its lookup key',
      sold('prod_1', [price('price_9', { lookup_key: 'plus_yearly' })]),
      [],
    ],
    ['one in a plan by its product', sold('prod_pro', [price('price_9')]), []],
    ['one of an add-on', sold('prod_1', [price('price_seat')]), []],
    ['one in no plan', sold('prod_1', [price('price_9')]), ['price_unmapped']],
    ['an archived one in no plan', sold('prod_1', [price('price_9', { active: false })]), []],
    ['one of an archived product in no plan', sold('prod_1', [price('price_9')], false), []],
    ['one that is sold once', sold('prod_1', [price('price_9', { recurring: null })]), []],
    ['one in two plans', sold('prod_pro', [price('price_plus')]), ['price_in_two_places']],
  ])('%s', (_what, products, found) => {
    expect(codes(checkPrices(products, catalog))).toEqual(found);
  });

  it('says which place counts', () => {
    expect(checkPrices(sold('prod_pro', [price('price_plus')]), catalog)[0]?.says).toBe(
      'price_plus is named by plans.plus and plans.pro; plans.plus counts.',
    );
  });
});

describe('What the doctor says of billing', () => {
  const portal = (enabled: boolean, proration_behavior: string) => [
    { id: 'bpc_1', features: { subscription_update: { enabled, proration_behavior } } },
  ];
  const allows = { ...policy, upgradeWithoutInvoice: 'allow' as const };
  const trusts = { ...policy, requirePaymentForUpgrade: false };
  const item = (amount: number, proration: boolean) => ({ id: 'ii_1', amount, proration });
  const overdue = (days: number) => [
    { id: 'sub_1', latest_invoice: { created: 1_000, next_payment_attempt: 1_000 + days * 86_400 } },
  ];

  it.each([
    ['a portal that invoices at once', checkPortal(portal(true, 'always_invoice'), policy), []],
    ['a portal without updates', checkPortal(portal(false, 'create_prorations'), policy), []],
    [
      'a portal that leaves prorations for later',
      checkPortal(portal(true, 'create_prorations'), policy),
      ['portal_leaves_upgrades_unbilled'],
    ],
    ['such a portal where that is allowed', checkPortal(portal(true, 'none'), allows), []],
    ['such a portal where upgrades need no payment', checkPortal(portal(true, 'none'), trusts), []],
    ['prorations that wait', checkPendingItems([item(500, true)], policy), ['updates_left_unbilled']],
    ['credit that waits', checkPendingItems([item(-500, true)], policy), []],
    ['a charge by hand that waits', checkPendingItems([item(500, false)], policy), []],
    ['prorations that wait where that is allowed', checkPendingItems([item(500, true)], allows), []],
    ['a last try after the grace', checkDunning(overdue(8), policy), ['dunning_outlasts_grace']],
    ['a last try within the grace', checkDunning(overdue(7), policy), []],
    [
      'nothing that is tried again',
      checkDunning(
        [
          { id: 'sub_1', latest_invoice: null },
          { id: 'sub_2', latest_invoice: 'in_1' },
        ],
        policy,
      ),
      [],
    ],
  ])('%s', (_what, findings, found) => {
    expect(codes(findings)).toEqual(found);
  });
});
