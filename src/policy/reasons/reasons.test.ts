import { byHand, type GrantStory, type OverrideStory } from '../../../test/support/by-hand-stories.js';
import {
  at,
  attached,
  checkout,
  day,
  dispute,
  invoice,
  item,
  line,
  type PurchaseStory,
  purchase,
  refunded,
  type SubscriptionStory,
  sale,
  seen,
  storyCatalog,
  subscription,
} from '../../../test/support/policy-stories.js';
import { type PlanCatalog, planCatalogSchema } from '../../events/catalog.events.js';
import type { CheckoutObservationData } from '../../events/checkout.events.js';
import type { SubscriptionFacts } from '../facts.js';
import { judge } from '../judge.js';
import {
  type CustomerClaims,
  type CustomerWord,
  NO_CUSTOMER,
  type SubscriptionClaims,
} from '../ownership.js';
import { rfc3339 } from '../time.js';
import { explain, explainKey } from './explain.js';
import type { OwnedThing } from './owner-reasons.js';
import { POLICY_RULES, type ReasonCode } from './rules.js';

/** The plans of the examples: those of the stories, one below the default, and a limit that pro alone has. */
function exampleCatalog(policy: Record<string, unknown>): PlanCatalog {
  const { plans, ...others } = storyCatalog(policy);
  return planCatalogSchema.parse({
    ...others,
    plans: {
      ...plans,
      free: { ...plans.free, rank: 0 },
      plus: { ...plans.plus, prices: { ...plans.plus?.prices, key: 'plus_key', any: 'prod_all' } },
      basic: { rank: -1, role: 'paid', prices: { m: 'basic_m' } },
      pro: { ...plans.pro, limits: { members: 5000, projects: 10 } },
    },
  });
}

const plus = item('plus_m');
const pro = item('pro_m');
const seats = (quantity: number) => ({ ...item('seat_m'), quantity });
const usage = { ...item('pro_usage'), usageType: 'metered', unitAmount: '2' };
const yearly = { ...item('plus_y'), currentPeriodEnd: day(365) };

const created = (items: ReturnType<typeof item>[], more = {}) => seen('created', day(0), { items, ...more });
const paid = (price: string, end = day(30), more = {}) =>
  invoice('paid', day(0), {
    lines: [line(price, 1000, day(0), end)],
    billingReason: 'subscription_create',
    ...more,
  });
const updated = (second: number, items: ReturnType<typeof item>[], previous: object, more = {}) =>
  seen('updated', second, { items, previous, ...more });
const boughtPlus: SubscriptionStory = [created([plus]), paid('plus_m')];
const toPro = updated(day(3), [pro], { items: [plus] });
const upgradeInvoice = (what: 'open' | 'paid' | 'failed') =>
  invoice(what, day(3), {
    id: 'in_2',
    billingReason: 'subscription_update',
    lines: [line('pro_m', 1900, day(3), day(30))],
  });
const pastDue = (second: number, items = [plus], more = {}) =>
  updated(second, items, { status: 'active' }, { status: 'past_due', ...more });
const sentInvoice = { collectionMethod: 'send_invoice' };
const unpaidYear: SubscriptionStory = [
  created([yearly]),
  paid('plus_y', day(365)),
  updated(day(30), [yearly], { status: 'active' }, { status: 'unpaid' }),
];
const trial = created([plus], { status: 'trialing', trialEnd: day(14) });

const cut = { items: [plus, item('meter_m')], itemsTruncated: true };
const keyed = { ...item('plus_2025'), lookupKey: 'plus_key' };
const ofProduct = { ...item('plus_2025'), product: 'prod_all' };
const successor = item('plus_2027');

/** What is said of sub_1 of cus_1, whose words are `word` and hang on `customer`. */
function owned(
  claims: Partial<SubscriptionClaims>,
  word: Partial<CustomerWord> = {},
  customer: Partial<CustomerClaims> = {},
): readonly OwnedThing[] {
  const nothing = { link: null, observations: [], checkouts: [], subscriptions: [] };
  return [
    {
      kind: 'subscription',
      id: 'sub_1',
      claims: { ...nothing, ...claims },
      customer: { id: 'cus_1', word: { ...NO_CUSTOMER, ...word }, claims: { ...nothing, ...customer } },
    },
  ];
}
const namedBy = (userId: string, second = day(0)) =>
  subscription([seen('updated', second, { userId })]).observations;
const session = (data: Partial<CheckoutObservationData>) =>
  subscription([checkout('CheckoutCompleted', day(0), 'paid')]).checkouts.map((each) => ({
    ...each,
    data: { ...each.data, ...data },
  }));
const OWNER = { of: 'owner:sub_1', given: [], when: day(4) };

/** What is asked: a life, when, and for which part of the snapshot, or which key, the rule decides. */
interface Case {
  readonly of: string;
  readonly given: readonly SubscriptionStory[];
  readonly when: number;
  readonly policy?: Record<string, unknown>;
  readonly key?: string;
  readonly purchases?: readonly PurchaseStory[];
  readonly grants?: readonly GrantStory[];
  readonly overrides?: readonly OverrideStory[];
  readonly things?: readonly OwnedThing[];
  /** The customer was seen deleted. */
  readonly deleted?: true;
}

const SUB = 'subscription:sub_1';
const INVOICE = 'invoice:in_1';
const SALE = 'purchase:cs_1';
const boughtPro = sale('CheckoutCompleted', day(0), { pro_once: 1 });

const GIFT = 'grant:gr_1';
const NOTHING = { given: [], when: day(4) };
const proUntilTenth = { plan: 'pro', recorded: day(0), until: day(10) };
const proFromFifth = { plan: 'pro', recorded: day(0), from: day(5) };
const seventy = { key: 'members', value: 70, recorded: day(0) };

const CASES: Readonly<Record<ReasonCode, Case>> = {
  first_period: { of: SUB, given: [boughtPlus], when: day(1) },
  price_by_lookup_key: { of: 'price:sub_1:plus_2025', given: [[created([keyed])]], when: day(1) },
  price_by_product: { of: 'price:sub_1:plus_2025', given: [[created([ofProduct])]], when: day(1) },
  price_adopted: {
    of: 'price:sub_1:plus_2027',
    given: [[created([plus]), updated(day(3), [successor], { items: [plus] })]],
    when: day(4),
  },
  price_unmapped: { of: 'price:sub_1:meter_m', given: [[created([item('meter_m')])]], when: day(1) },
  items_cut: {
    of: 'items:sub_1',
    given: [[created([plus]), updated(day(3), [], {}, cut)]],
    when: day(4),
  },
  items_never_whole: { of: 'items:sub_1', given: [[created([], cut)]], when: day(1) },
  owner_by_link: { ...OWNER, things: owned({ link: 'bob', observations: namedBy('ann') }) },
  owner_by_metadata: {
    ...OWNER,
    things: owned({ observations: [...namedBy('bob', day(3)), ...namedBy('ann')] }, { link: 'rob' }),
  },
  owner_by_customer_link: { ...OWNER, things: owned({}, { link: 'bob', owner: 'bob' }) },
  owner_by_session: {
    ...OWNER,
    things: owned({ checkouts: session({ metadataUserId: 'ann', clientReferenceId: 'rob' }) }),
  },
  owner_by_customer_metadata: {
    ...OWNER,
    things: owned(
      { checkouts: session({ clientReferenceId: 'rob' }) },
      { metadata: 'ann', owner: 'ann' },
      {
        observations: [{ eventId: 'evt_c', stripeType: 'customer.created', created: day(0), userId: 'ann' }],
      },
    ),
  },
  owner_by_client_reference: {
    ...OWNER,
    things: owned({ checkouts: session({ clientReferenceId: 'ann' }) }),
  },
  owner_by_customer: { ...OWNER, things: owned({}, { owner: 'ann' }, { subscriptions: namedBy('ann') }) },
  owner_unknown: { ...OWNER, things: owned({}) },
  purchase_paid: { of: SALE, given: [], purchases: [[boughtPro]], when: day(1) },
  purchase_awaits_payment: {
    of: SALE,
    given: [],
    purchases: [[sale('CheckoutCompleted', day(0), { pro_once: 1 }, { paymentStatus: 'unpaid' })]],
    when: day(1),
  },
  purchase_unknown: {
    of: SALE,
    given: [],
    purchases: [[sale('CheckoutCompleted', day(0), null)]],
    when: day(1),
  },
  purchase_without_plan: {
    of: SALE,
    given: [],
    purchases: [[sale('CheckoutCompleted', day(0), { mug: 1 })]],
    when: day(1),
  },
  purchase_disputed: {
    of: SALE,
    given: [],
    purchases: [[boughtPro, dispute('created', 'needs_response', day(2))]],
    when: day(3),
  },
  purchase_refunded: {
    of: SALE,
    given: [],
    purchases: [[boughtPro, refunded(1000, day(2))]],
    when: day(3),
  },
  grant_holds: { ...NOTHING, of: GIFT, grants: [proUntilTenth] },
  grant_to_come: { ...NOTHING, of: GIFT, grants: [proFromFifth] },
  grant_ended: { ...NOTHING, of: GIFT, grants: [proUntilTenth], when: day(10) },
  grant_revoked: { ...NOTHING, of: GIFT, grants: [{ plan: 'pro', recorded: day(0), revoked: day(2) }] },
  grant_without_effect: { ...NOTHING, of: GIFT, grants: [{ plan: 'gold', recorded: day(0) }] },
  override_feature_on: {
    ...NOTHING,
    of: 'feature:export',
    overrides: [{ key: 'export', value: true, recorded: day(0) }],
  },
  override_feature_off: {
    of: 'override:feature:export',
    given: [boughtPlus],
    when: day(4),
    overrides: [{ key: 'export', value: false, recorded: day(0) }],
  },
  override_limit_value: {
    of: 'limit:members',
    given: [boughtPlus],
    when: day(4),
    overrides: [seventy],
  },
  override_limit_add: {
    of: 'override:limit:members',
    given: [boughtPlus],
    when: day(4),
    overrides: [{ key: 'members', add: -20, recorded: day(0) }],
  },
  override_ended: {
    ...NOTHING,
    of: 'override:limit:members',
    overrides: [{ ...seventy, until: day(10) }],
    when: day(10),
  },
  override_removed: {
    ...NOTHING,
    of: 'override:limit:members',
    overrides: [{ ...seventy, removed: day(2) }],
  },
  override_without_effect: {
    ...NOTHING,
    of: 'override:limit:crates',
    overrides: [{ key: 'crates', value: 70, recorded: day(0) }],
  },
  feature_of_grant: {
    ...NOTHING,
    of: 'feature:export',
    grants: [{ features: ['export'], recorded: day(0) }],
  },
  limit_of_grant: {
    ...NOTHING,
    of: 'limit:members',
    grants: [{ limits: { members: 60 }, recorded: day(0) }],
  },
  end_of_grant: { ...NOTHING, of: 'expiresAt', grants: [proUntilTenth] },
  grant_ends: { ...NOTHING, of: 'validUntil', grants: [proUntilTenth] },
  grant_starts: { ...NOTHING, of: 'validUntil', grants: [proFromFifth] },
  override_ends: { ...NOTHING, of: 'validUntil', overrides: [{ ...seventy, until: day(10) }] },
  first_asks_nothing: {
    of: SUB,
    given: [[created([usage], sentInvoice)]],
    when: day(1),
    policy: { sendInvoice: 'onPaid' },
  },
  first_delayed_payment_came: {
    of: SUB,
    given: [
      [
        created([plus]),
        checkout('CheckoutCompleted', day(0), 'unpaid'),
        checkout('CheckoutPaymentSucceeded', day(3), 'paid'),
      ],
    ],
    when: day(4),
    policy: { delayedPayment: 'onPaid' },
  },
  first_paid_for: {
    of: SUB,
    given: [[created([plus], sentInvoice), paid('plus_m')]],
    when: day(4),
    policy: { sendInvoice: 'onPaid' },
  },
  first_period_in_trial: {
    of: SUB,
    given: [[created([plus], { ...sentInvoice, status: 'trialing', trialEnd: day(14) })]],
    when: day(1),
    policy: { sendInvoice: 'onPaid' },
  },
  first_payment_awaited: {
    of: SUB,
    given: [[created([plus]), checkout('CheckoutCompleted', day(0), 'unpaid')]],
    when: day(1),
    policy: { delayedPayment: 'onPaid' },
  },
  paid_for: { of: SUB, given: [[...boughtPlus, toPro, upgradeInvoice('paid')]], when: day(4) },
  still_paid_for: {
    of: SUB,
    given: [
      [
        created([pro]),
        paid('pro_m'),
        updated(day(3), [plus], { items: [pro] }),
        updated(day(4), [pro], { items: [plus] }),
      ],
    ],
    when: day(5),
  },
  payment_not_required: {
    of: SUB,
    given: [[...boughtPlus, toPro]],
    when: day(4),
    policy: { requirePaymentForUpgrade: false },
  },
  in_trial: {
    of: SUB,
    given: [[trial, updated(day(3), [pro], { items: [plus] }, { status: 'trialing', trialEnd: day(14) })]],
    when: day(4),
  },
  asks_nothing_in_advance: {
    of: SUB,
    given: [[...boughtPlus, updated(day(3), [usage], { items: [plus] })]],
    when: day(4),
  },
  ranks_no_higher: {
    of: SUB,
    given: [[created([pro]), paid('pro_m'), updated(day(3), [plus], { items: [pro] })]],
    when: day(4),
  },
  not_invoiced: {
    of: SUB,
    given: [[...boughtPlus, toPro]],
    when: day(4),
    policy: { upgradeWithoutInvoice: 'allow' },
  },
  no_plan_item: { of: SUB, given: [[created([seats(1), item('other_m')])]], when: day(1) },
  paid_time_left: { of: SUB, given: [unpaidYear], when: day(31) },
  paid_time_left_of_other_plan: {
    of: SUB,
    given: [
      [
        created([yearly]),
        paid('plus_y', day(365)),
        updated(day(30), [pro], { status: 'active', items: [yearly] }, { status: 'unpaid' }),
      ],
    ],
    when: day(31),
    policy: { requirePaymentForUpgrade: false },
  },
  written_off: {
    of: SUB,
    given: [
      [
        ...boughtPlus,
        invoice('uncollectible', day(45), {
          id: 'in_2',
          created: day(30),
          attemptCount: 4,
          lines: [line('plus_m', 1000, day(30), day(60))],
        }),
      ],
    ],
    when: day(46),
  },
  disputed: {
    of: SUB,
    given: [[...boughtPlus, attached('in_1', day(0)), dispute('created', 'needs_response', day(2))]],
    when: day(3),
  },
  refunded_in_full: {
    of: SUB,
    given: [[...boughtPlus, attached('in_1', day(0)), refunded(1000, day(2))]],
    when: day(3),
    policy: { fullRefund: 'suspend' },
  },
  invoice_disputed: {
    of: INVOICE,
    given: [[...boughtPlus, attached('in_1', day(0)), dispute('created', 'needs_response', day(2))]],
    when: day(3),
  },
  invoice_refunded_in_full: {
    of: INVOICE,
    given: [[...boughtPlus, attached('in_1', day(0)), refunded(1000, day(2))]],
    when: day(3),
    policy: { fullRefund: 'suspend' },
  },
  dispute_takes_nothing: {
    of: INVOICE,
    given: [[...boughtPlus, attached('in_1', day(0)), dispute('created', 'warning_needs_response', day(2))]],
    when: day(3),
  },
  dispute_kept: {
    of: INVOICE,
    given: [[...boughtPlus, attached('in_1', day(0)), dispute('created', 'needs_response', day(2))]],
    when: day(3),
    policy: { dispute: 'keep', fullRefund: 'suspend' },
  },
  part_asked_back: {
    of: INVOICE,
    given: [
      [
        ...boughtPlus,
        attached('in_1', day(0)),
        dispute('created', 'needs_response', day(2), {}, { amount: 200 }),
      ],
    ],
    when: day(3),
  },
  refund_kept: {
    of: INVOICE,
    given: [[...boughtPlus, attached('in_1', day(0)), refunded(1000, day(2))]],
    when: day(3),
  },
  part_refunded: {
    of: INVOICE,
    given: [[...boughtPlus, attached('in_1', day(0)), refunded(300, day(2))]],
    when: day(3),
  },
  grace_over: { of: SUB, given: [[...boughtPlus, pastDue(day(30))]], when: day(40) },
  status_unpaid: {
    of: SUB,
    given: [[...boughtPlus, updated(day(30), [plus], { status: 'active' }, { status: 'unpaid' })]],
    when: day(40),
  },
  trial_over: { of: SUB, given: [[trial]], when: day(20) },
  cancellation_reached: {
    of: SUB,
    given: [[...boughtPlus, updated(day(3), [plus], { cancelAt: null }, { cancelAt: day(10) })]],
    when: day(11),
  },
  collection_paused: {
    of: SUB,
    given: [
      [
        ...boughtPlus,
        updated(
          day(3),
          [plus],
          { pauseCollection: null },
          { pauseCollection: { behavior: 'void', resumesAt: null } },
        ),
      ],
    ],
    when: day(4),
    policy: { pauseCollection: 'suspend' },
  },
  status_paused: {
    of: SUB,
    given: [
      [trial, seen('paused', day(14), { items: [plus], status: 'paused', previous: { status: 'trialing' } })],
    ],
    when: day(15),
  },
  status_incomplete: { of: SUB, given: [[created([plus], { status: 'incomplete' })]], when: day(1) },
  status_canceled: {
    of: SUB,
    given: [[...boughtPlus, seen('deleted', day(3), { items: [plus], status: 'canceled' })]],
    when: day(4),
  },
  customer_deleted: { of: SUB, given: [boughtPlus], when: day(4), deleted: true },
  status_unknown: { of: SUB, given: [[created([plus], { status: 'frozen' })]], when: day(1) },
  status_active: { of: 'status', given: [boughtPlus], when: day(1) },
  status_trialing: { of: 'status', given: [[trial]], when: day(1) },
  status_past_due: {
    of: 'status',
    given: [
      [
        created([plus], { testClock: 'clock_1' }),
        paid('plus_m'),
        pastDue(day(30), [plus], { testClock: 'clock_1' }),
      ],
    ],
    when: day(60),
  },
  never_seen: { of: SUB, given: [[paid('plus_m')]], when: day(1) },
  only_plan: { of: 'plan', given: [boughtPlus], when: day(1) },
  highest_rank: { of: 'plan', given: [boughtPlus, [created([pro]), paid('pro_m')]], when: day(1) },
  better_status: { of: 'plan', given: [[...boughtPlus, pastDue(day(3))], boughtPlus], when: day(4) },
  later_end: { of: 'plan', given: [boughtPlus, [created([yearly]), paid('plus_y', day(365))]], when: day(1) },
  smaller_id: { of: 'plan', given: [boughtPlus, boughtPlus], when: day(1) },
  default_plan: { of: 'plan', given: [], when: day(1) },
  default_plan_ranks_higher: { of: 'plan', given: [[created([item('basic_m')])]], when: day(1) },
  grace_paid_before: { of: 'status', given: [[...boughtPlus, pastDue(day(30))]], when: day(31) },
  grace_after_trial: {
    of: 'status',
    given: [[trial, updated(day(14), [plus], { status: 'trialing' }, { status: 'past_due' })]],
    when: day(15),
    policy: { trialGraceDays: 3 },
  },
  grace_never_paid: {
    of: 'status',
    given: [
      [
        created([plus], { status: 'past_due' }),
        invoice('failed', day(0), { lines: [line('plus_m', 1000, day(0), day(30))] }),
      ],
    ],
    when: day(1),
    policy: { neverPaidGraceDays: 2 },
  },
  grace_unknown_past: { of: 'status', given: [[pastDue(day(30))]], when: day(31) },
  past_due_while_paid: { of: 'status', given: [unpaidYear], when: day(31) },
  nothing_to_say: { of: 'status', given: [], when: day(1) },
  feature_of_plan: { of: 'feature:export', given: [boughtPlus], when: day(1) },
  feature_of_default_plan: { of: 'feature:reports', given: [], when: day(1) },
  feature_of_addon: { of: 'feature:audit', given: [[created([plus, item('audit_m')])]], when: day(1) },
  feature_not_held: { of: 'feature:api', given: [boughtPlus], when: day(1), key: 'api' },
  limit_of_plan: { of: 'limit:members', given: [boughtPlus], when: day(1) },
  limit_of_default_plan: { of: 'limit:members', given: [], when: day(1) },
  limit_per_unit: {
    of: 'limit:members',
    given: [[created([{ ...item('team_m'), quantity: 3 }])]],
    when: day(1),
  },
  limit_with_addons: { of: 'limit:members', given: [[created([plus, seats(2)])]], when: day(1) },
  limit_not_held: { of: 'limit:projects', given: [], when: day(1), key: 'projects' },
  key_unknown: { of: 'feature:teleport', given: [boughtPlus], when: day(1), key: 'teleport' },
  pending_taken_back: {
    of: 'pendingPayment',
    given: [
      [
        ...boughtPlus,
        toPro,
        upgradeInvoice('paid'),
        attached('in_2', day(3)),
        dispute('created', 'needs_response', day(5)),
      ],
    ],
    when: day(6),
  },
  pending_bank_debit: {
    of: 'pendingPayment',
    given: [[created([plus]), checkout('CheckoutCompleted', day(0), 'unpaid')]],
    when: day(1),
    policy: { delayedPayment: 'onPaid' },
  },
  pending_sent_invoice: {
    of: 'pendingPayment',
    given: [
      [
        created([plus], sentInvoice),
        invoice('open', day(0), { lines: [line('plus_m', 1000, day(0), day(30))] }),
      ],
    ],
    when: day(1),
    policy: { sendInvoice: 'onPaid' },
  },
  pending_no_invoice: { of: 'pendingPayment', given: [[...boughtPlus, toPro]], when: day(4) },
  pending_invoice_failed: {
    of: 'pendingPayment',
    given: [[...boughtPlus, toPro, upgradeInvoice('failed')]],
    when: day(4),
  },
  pending_invoice_open: {
    of: 'pendingPayment',
    given: [[...boughtPlus, toPro, upgradeInvoice('open')]],
    when: day(4),
  },
  period_end_of_item: { of: 'expiresAt', given: [boughtPlus], when: day(1) },
  end_of_paid_line: { of: 'expiresAt', given: [unpaidYear], when: day(31) },
  cancel_at: {
    of: 'cancelAt',
    given: [[...boughtPlus, updated(day(3), [plus], { cancelAt: null }, { cancelAt: day(10) })]],
    when: day(4),
  },
  cancel_at_period_end: {
    of: 'cancelAt',
    given: [
      [...boughtPlus, updated(day(3), [plus], { cancelAtPeriodEnd: false }, { cancelAtPeriodEnd: true })],
    ],
    when: day(4),
  },
  trial_ends: { of: 'validUntil', given: [[trial]], when: day(1) },
  grace_ends: { of: 'validUntil', given: [[...boughtPlus, pastDue(day(30))]], when: day(31) },
  cancellation_comes: {
    of: 'validUntil',
    given: [
      [...boughtPlus, updated(day(3), [plus], { cancelAtPeriodEnd: false }, { cancelAtPeriodEnd: true })],
    ],
    when: day(4),
  },
  paid_time_ends: { of: 'validUntil', given: [unpaidYear], when: day(31) },
  test_clock: {
    of: 'validUntil',
    given: [
      [
        created([plus], { testClock: 'clock_1' }),
        paid('plus_m'),
        pastDue(day(30), [plus], { testClock: 'clock_1' }),
      ],
    ],
    when: day(60),
  },
};

/** Subscriptions sub_1, sub_2 and so on of one customer, one a story. */
function lifeOf({ given, deleted }: Case): readonly SubscriptionFacts[] {
  return given.map((story, n) => ({
    ...subscription(story),
    subscription: `sub_${n + 1}`,
    customerDeleted: deleted ?? false,
  }));
}

function reasonsOf(asked: Case) {
  const subscriptions = lifeOf(asked);
  const catalog = exampleCatalog(asked.policy ?? {});
  const deletedBy = new Map(asked.deleted ? [['cus_1', 'evt_deleted']] : []);
  const purchases = (asked.purchases ?? []).map((story) => purchase(story));
  const { grants = [], overrides = [] } = asked;
  const given = { subscriptions, purchases, byHand: byHand(grants, overrides) };
  const facts = { ...given, deletedBy, things: () => asked.things ?? [] };
  const { key, when } = asked;
  const { entitlement, reasons } =
    key === undefined ? explain(facts, catalog, at(when)) : explainKey(facts, catalog, at(when), key);
  expect(entitlement).toEqual(judge(given, catalog, at(when)).entitlement);
  return reasons;
}

const cases = Object.entries(CASES) as [ReasonCode, Case][];

describe('The reasons of the access policy', () => {
  it.each(cases)('say %s with the words of its example, where that rule decides', (code, asked) => {
    const reason = reasonsOf(asked).find(({ of }) => of === asked.of);
    expect(reason).toMatchObject({ of: asked.of, code, words: POLICY_RULES[code].example });
  });

  it('name the event that says whose a subscription is, and those that are outdone', () => {
    const [ann] = namedBy('ann');
    const [cs1] = session({ clientReferenceId: 'rob' });
    const things = owned({
      observations: [ann].flatMap((each) => each ?? []),
      checkouts: [cs1].flatMap((each) => each ?? []),
    });
    const words =
      'sub_1 belongs to ann: its own metadata says so since 1 November 2026; what names rob does not count.';
    expect(reasonsOf({ ...OWNER, things })).toContainEqual(
      expect.objectContaining({ code: 'owner_by_metadata', words, events: [ann?.eventId, cs1?.eventId] }),
    );
  });

  it('tell of a purchase of something else that its dispute takes nothing', () => {
    const purchases = [
      [sale('CheckoutCompleted', day(0), { mug: 1 }), dispute('created', 'needs_response', day(2))],
    ];
    const words = `${POLICY_RULES.purchase_without_plan.example.slice(0, -1)}: the dispute du_1 of it takes nothing.`;
    expect(reasonsOf({ of: SALE, given: [], purchases, when: day(3) })).toContainEqual(
      expect.objectContaining({ of: SALE, code: 'purchase_without_plan', words }),
    );
  });

  it('name the pause of collection by which an invoice that was given up takes nothing', () => {
    const bought = [seen('created', day(0), { items: [plus] }), invoice('paid', day(0), {})];
    const paused = seen('updated', day(35), {
      items: [plus],
      pauseCollection: { behavior: 'mark_uncollectible', resumesAt: null },
      previous: { pauseCollection: null },
    });
    const givenUp = invoice('uncollectible', day(40), { id: 'in_2', created: day(30), attemptCount: 4 });
    const resumed = seen('updated', day(50), { items: [plus] });
    const asked = { given: [[...bought, paused, givenUp, resumed]], when: day(55) };
    const [pausing, givingUp] = [paused, givenUp].map(({ fact }) => fact.eventId);
    for (const part of ['plan', 'status']) {
      const reason = reasonsOf({ ...asked, of: part }).find(({ of }) => of === part);
      expect(reason?.events).toEqual(expect.arrayContaining([pausing, givingUp]));
    }
  });

  it('tell when an invoice was told of that was taken back, which may be after it was made', () => {
    const upgrade = invoice('paid', day(3) + 60, {
      id: 'in_2',
      created: day(3),
      billingReason: 'subscription_update',
      lines: [line('pro_m', 1900, day(3), day(30))],
    });
    const disputed = [attached('in_2', day(3)), dispute('created', 'needs_response', day(5))];
    const asked = {
      of: 'pendingPayment',
      given: [[...boughtPlus, toPro, upgrade, ...disputed]],
      when: day(6),
    };
    const reason = reasonsOf(asked).find(({ of }) => of === 'pendingPayment');
    expect(reason?.facts).toMatchObject({
      takenBack: { on: rfc3339(day(3)), toldAt: rfc3339(day(3) + 60) },
    });
  });

  it('tell which of two grants lasts longer, also where that one has no end', () => {
    const grants = [proUntilTenth, { plan: 'pro', recorded: day(0) }];
    const words = 'The plan is pro, of the grant gr_2, which lasts longer than the grant gr_1.';
    expect(reasonsOf({ ...NOTHING, of: 'plan', grants })).toContainEqual(
      expect.objectContaining({ of: 'plan', code: 'later_end', words }),
    );
  });
});
