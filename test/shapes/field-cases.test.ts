import { planCatalogSchema } from '../../src/events/catalog.events.js';
import { judge } from '../../src/policy/judge.js';
import { explain } from '../../src/policy/reasons/explain.js';
import type { ReasonCode } from '../../src/policy/reasons/rules.js';
import { oracleJudge } from '../support/oracle/judge.js';
import { at, day } from '../support/policy-stories.js';
import { factsOf, MONTH, ShapedEvents } from '../support/shaped-events.js';
import type { StripeEvent } from '../support/stripe-events.js';
import { hasLookupKeys, type ShownItem, type ShownLine, STRIPE_SHAPES } from '../support/stripe-shapes.js';

const CATALOG = {
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free', features: ['reports'], limits: { members: 50 }, prices: { m: 'free_m' } },
    plus: { rank: 1, role: 'paid', features: [], limits: { members: 500 }, prices: { m: 'plus_m' } },
    crew: {
      rank: 1,
      role: 'paid',
      features: [],
      limits: {},
      perUnit: { members: 1 },
      prices: { m: ['crew_m', 'crew_monthly'] },
    },
    pro: {
      rank: 2,
      role: 'paid',
      features: ['api'],
      limits: { members: 5000 },
      prices: { m: 'pro_m', y: 'pro_y', metered: 'pro_metered', graduated: 'pro_graduated' },
    },
    team: {
      rank: 3,
      role: 'paid',
      features: [],
      limits: { members: 20_000 },
      prices: { m: ['team_m', 'team_monthly'] },
    },
    scale: {
      rank: 4,
      role: 'paid',
      features: [],
      limits: { members: 'unlimited' },
      prices: { any: 'prod_scale' },
    },
  },
  addons: {
    seats: { prices: ['seat_m', 'seat_y'], limits: { members: 10 } },
    extra: { prices: ['scale_extra', 'extra_key'], limits: { members: 7 } },
  },
};

const plus: ShownItem = { price: 'plus_m', product: 'prod_plus' };
const pro: ShownItem = { price: 'pro_m', product: 'prod_pro', amount: 2900 };
const metered: ShownItem = { price: 'pro_metered', product: 'prod_pro', amount: 2, metered: true };
const graduated: ShownItem = {
  price: 'pro_graduated',
  product: 'prod_pro',
  amount: null,
  tiered: true,
  units: 3,
};
const seats = (units: number): ShownItem => ({ price: 'seat_y', product: 'prod_seat', amount: 500, units });
const scale = (price: string): ShownItem => ({ price, product: 'prod_scale', amount: 9000 });
const lineOf = (item: ShownItem, more: Partial<ShownLine> = {}): ShownLine => ({
  ...item,
  amount: 1000,
  ...more,
});

const { until } = MONTH;
const NEXT = { from: day(30), until: day(60) };

/** Bought on the first day, and paid. */
const bought = (tell: ShapedEvents, ...items: readonly ShownItem[]): readonly StripeEvent[] => [
  tell.subscription('created', day(0), { items }),
  tell.invoice('paid', day(0), { lines: items.map((item) => lineOf(item)), reason: 'subscription_create' }),
];
/** The items are others from a day on. */
const moved = (
  tell: ShapedEvents,
  n: number,
  before: readonly ShownItem[],
  items: readonly ShownItem[],
): StripeEvent => tell.subscription('updated', day(n), { items, before: { items: before } });
/** What an upgrade in the middle of a month asks: the rest of the month at the new price, less the rest of the old one. */
const prorations = (n: number, more: Partial<ShownLine> = {}): readonly ShownLine[] => [
  lineOf(plus, { amount: -900, proration: true, from: day(n), ...more }),
  lineOf(pro, { amount: 2600, proration: true, from: day(n), ...more }),
];
const pastDue = (tell: ShapedEvents, n: number, status: string, items: readonly ShownItem[]): StripeEvent =>
  tell.subscription('updated', day(n), { items, status, period: NEXT, before: { status: 'active' } });

interface Kind {
  readonly told: (tell: ShapedEvents) => readonly StripeEvent[];
  readonly now: number;
  readonly want: object;
  /** The rule that the case is about: a reason says it. */
  readonly rule: ReasonCode;
  readonly policy?: object;
  /** Only shapes that tell lookup keys can tell it. */
  readonly byLookupKey?: true;
  /** Only shapes of this API version or later can tell it. */
  readonly since?: string;
}

const waitsForPro = (reason: string, invoice: string | null = null, price = 'pro_m') => ({
  plan: 'plus',
  limits: { members: 500 },
  pendingPayment: expect.objectContaining({ plan: 'pro', price, reason, invoice }),
});
const HAS_PRO = { plan: 'pro', status: 'active', limits: { members: 5000 }, pendingPayment: null };

const KINDS: Readonly<Record<string, Kind>> = {
  'a month that is paid, to its end': {
    told: (tell) => bought(tell, plus),
    now: day(1),
    rule: 'first_period',
    want: { plan: 'plus', status: 'active', expiresAt: new Date(at(until)).toISOString(), validUntil: null },
  },
  'a cancellation at the end of the month': {
    told: (tell) => [
      ...bought(tell, plus),
      tell.subscription('updated', day(2), {
        items: [plus],
        more: { cancel_at_period_end: true },
        before: { cancel_at_period_end: false },
      }),
    ],
    now: day(3),
    rule: 'cancellation_comes',
    want: { plan: 'plus', validUntil: new Date(at(until)).toISOString() },
  },
  'a tie of items of one plan, the metered one first': {
    told: (tell) => [...bought(tell, plus), moved(tell, 3, [plus], [metered, pro])],
    now: day(4),
    rule: 'pending_no_invoice',
    want: waitsForPro('no_invoice'),
  },
  'a tie of items of one plan, the metered one last': {
    told: (tell) => [...bought(tell, plus), moved(tell, 3, [plus], [pro, metered])],
    now: day(4),
    rule: 'pending_no_invoice',
    want: waitsForPro('no_invoice'),
  },
  'a tie of items of one plan that is paid': {
    told: (tell) => [
      ...bought(tell, plus),
      moved(tell, 3, [plus], [metered, pro]),
      tell.invoice('paid', day(3), { lines: prorations(3) }),
    ],
    now: day(4),
    rule: 'paid_for',
    want: HAS_PRO,
  },
  'an upgrade to what is metered alone, which asks nothing in advance': {
    told: (tell) => [...bought(tell, plus), moved(tell, 3, [plus], [metered])],
    now: day(4),
    rule: 'asks_nothing_in_advance',
    want: HAS_PRO,
  },
  'an upgrade whose invoice is open': {
    told: (tell) => [
      ...bought(tell, plus),
      moved(tell, 3, [plus], [pro]),
      tell.invoice('finalized', day(3), { id: 'in_open', status: 'open', lines: prorations(3) }),
    ],
    now: day(4),
    rule: 'pending_invoice_open',
    want: waitsForPro('invoice_open', 'in_open'),
  },
  'an upgrade whose payment failed': {
    told: (tell) => [
      ...bought(tell, plus),
      moved(tell, 3, [plus], [pro]),
      tell.invoice('payment_failed', day(3), { id: 'in_failed', status: 'open', lines: prorations(3) }),
    ],
    now: day(4),
    rule: 'pending_invoice_failed',
    want: waitsForPro('invoice_failed', 'in_failed'),
  },
  'an upgrade of which only what was before is told': {
    told: (tell) => [moved(tell, 3, [plus], [pro])],
    now: day(4),
    rule: 'pending_no_invoice',
    want: waitsForPro('no_invoice'),
  },
  'a change of price within a product that is a plan, of which only what was before is told': {
    told: (tell) => [moved(tell, 3, [scale('scale_m')], [scale('scale_y')])],
    now: day(4),
    rule: 'ranks_no_higher',
    want: { plan: 'scale', limits: { members: 'unlimited' }, pendingPayment: null },
  },
  'a lookup key that moved to another price': {
    told: (tell) => [
      ...bought(tell, { price: 'team_2025', product: 'prod_team', key: 'team_monthly' }),
      tell.subscription('updated', day(3), {
        items: [{ price: 'team_2025', product: 'prod_team' }],
        before: { metadata: {} },
      }),
      tell.subscription('created', day(4), {
        id: 'sub_2',
        items: [{ price: 'team_2026', product: 'prod_team', key: 'team_monthly' }],
      }),
      tell.subscription('deleted', day(5), {
        id: 'sub_2',
        items: [{ price: 'team_2026', product: 'prod_team', key: 'team_monthly' }],
        status: 'canceled',
      }),
    ],
    now: day(6),
    rule: 'price_by_lookup_key',
    want: { plan: 'team', status: 'active', unmappedPrices: [] },
    byLookupKey: true,
  },
  'an owner in the metadata of the customer, and a referral in the session': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus], user: null }),
      tell.checkout(day(0), 'referral-77', { metadata: {} }),
      tell.customer('updated', day(1), { metadata: { user_id: 'ann' } }),
    ],
    now: day(2),
    rule: 'first_period',
    want: { plan: 'plus' },
  },
  'an owner in the metadata of the subscription, and another in that of the customer': {
    told: (tell) => [
      tell.customer('created', day(0), { metadata: { user_id: 'bob' } }),
      tell.subscription('created', day(0), { items: [plus] }),
    ],
    now: day(2),
    rule: 'first_period',
    want: { plan: 'plus' },
  },
  'an owner in the session alone': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus], user: null }),
      tell.checkout(day(0), 'ann', { metadata: {} }),
    ],
    now: day(2),
    rule: 'first_period',
    want: { plan: 'plus' },
  },
  'an upgrade that is paid by an invoice of the customer': {
    told: (tell) => [
      ...bought(tell, plus),
      moved(tell, 3, [plus], [pro]),
      tell.invoice('paid', day(3), {
        subscription: null,
        reason: 'manual',
        lines: prorations(3, { of: 'sub_1' }),
      }),
    ],
    now: day(4),
    rule: 'paid_for',
    want: HAS_PRO,
  },
  'an upgrade beside an invoice of the customer for another subscription': {
    told: (tell) => [
      ...bought(tell, plus),
      moved(tell, 3, [plus], [pro]),
      tell.invoice('paid', day(3), {
        subscription: null,
        reason: 'manual',
        lines: prorations(3, { of: 'sub_9' }),
      }),
    ],
    now: day(4),
    rule: 'pending_no_invoice',
    want: waitsForPro('no_invoice'),
  },
  'an upgrade that a cycle invoice with cut lines pays': {
    told: (tell) => [
      ...bought(tell, plus),
      moved(tell, 3, [plus], [pro]),
      tell.subscription('updated', day(30), {
        items: [pro],
        period: NEXT,
        before: { current_period_end: until },
      }),
      tell.invoice('paid', day(30), {
        reason: 'subscription_cycle',
        lines: [lineOf(seats(1), { from: day(29) })],
        isCut: true,
      }),
    ],
    now: day(31),
    rule: 'paid_for',
    want: HAS_PRO,
  },
  'a downgrade undone before it was credited': {
    told: (tell) => [...bought(tell, pro), moved(tell, 5, [pro], [plus]), moved(tell, 6, [plus], [pro])],
    now: day(7),
    rule: 'still_paid_for',
    want: HAS_PRO,
  },
  'a downgrade undone after it was credited': {
    told: (tell) => [
      ...bought(tell, pro),
      moved(tell, 5, [pro], [plus]),
      tell.invoice('paid', day(5), {
        lines: [
          lineOf(pro, { amount: -2400, proration: true, from: day(5) }),
          lineOf(plus, { from: day(5) }),
        ],
      }),
      moved(tell, 6, [plus], [pro]),
    ],
    now: day(7),
    rule: 'pending_no_invoice',
    want: waitsForPro('no_invoice'),
  },
  'an upgrade for nothing, by a discount that is listed': {
    told: (tell) => [
      ...bought(tell, plus),
      moved(tell, 3, [plus], [pro]),
      tell.invoice('paid', day(3), { lines: prorations(3, { amount: 0, discounted: true }) }),
    ],
    now: day(4),
    rule: 'paid_for',
    want: HAS_PRO,
  },
  'an upgrade for nothing, for no reason that is listed': {
    told: (tell) => [
      ...bought(tell, plus),
      moved(tell, 3, [plus], [pro]),
      tell.invoice('paid', day(3), { lines: prorations(3, { amount: 0 }) }),
    ],
    now: day(4),
    rule: 'pending_no_invoice',
    want: waitsForPro('no_invoice'),
  },
  'an upgrade to tiers whose first units are free': {
    told: (tell) => [
      ...bought(tell, plus),
      moved(tell, 3, [plus], [graduated]),
      tell.invoice('paid', day(3), { lines: [lineOf(graduated, { amount: 0, from: day(3) })] }),
    ],
    now: day(4),
    rule: 'paid_for',
    want: HAS_PRO,
  },
  'an upgrade to tiers that nobody paid': {
    told: (tell) => [...bought(tell, plus), moved(tell, 3, [plus], [graduated])],
    now: day(4),
    rule: 'pending_no_invoice',
    want: waitsForPro('no_invoice', null, 'pro_graduated'),
  },
  'seats of a year within the grace of a month': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus, seats(2)] }),
      tell.invoice('paid', day(0), {
        reason: 'subscription_create',
        lines: [lineOf(plus), lineOf(seats(2), { until: day(365) })],
      }),
      pastDue(tell, 30, 'past_due', [plus, seats(2)]),
    ],
    now: day(33),
    rule: 'grace_paid_before',
    want: { plan: 'plus', status: 'past_due', limits: { members: 520 } },
  },
  'seats of a year after the grace of a month, more of them than were paid': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus, seats(2)] }),
      tell.invoice('paid', day(0), {
        reason: 'subscription_create',
        lines: [lineOf(plus), lineOf(seats(2), { until: day(365) })],
      }),
      moved(tell, 20, [plus, seats(2)], [plus, seats(5)]),
      pastDue(tell, 30, 'past_due', [plus, seats(5)]),
    ],
    now: day(40),
    rule: 'limit_with_addons',
    want: { plan: 'free', status: 'past_due', limits: { members: 70 } },
  },
  'seats of a year of a month that is unpaid': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus, seats(2)] }),
      tell.invoice('paid', day(0), {
        reason: 'subscription_create',
        lines: [lineOf(plus), lineOf(seats(2), { until: day(365) })],
      }),
      pastDue(tell, 30, 'unpaid', [plus, seats(2)]),
    ],
    now: day(31),
    rule: 'limit_with_addons',
    want: { plan: 'free', status: 'unpaid', limits: { members: 70 } },
  },
  'a year that is paid, and unpaid for what came on top': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [{ ...pro, price: 'pro_y' }] }),
      tell.invoice('paid', day(0), {
        reason: 'subscription_create',
        lines: [lineOf({ ...pro, price: 'pro_y' }, { until: day(365) })],
      }),
      pastDue(tell, 30, 'unpaid', [{ ...pro, price: 'pro_y' }]),
    ],
    now: day(31),
    rule: 'paid_time_left',
    want: { plan: 'pro', status: 'past_due' },
  },
  'a month that is written off': {
    told: (tell) => [
      ...bought(tell, plus),
      tell.subscription('updated', day(30), {
        items: [plus],
        period: NEXT,
        before: { latest_invoice: 'in_1' },
      }),
      tell.invoice('marked_uncollectible', day(45), {
        status: 'uncollectible',
        reason: 'subscription_cycle',
        period: NEXT,
        lines: [lineOf(plus)],
        more: { created: day(30), attempt_count: 4 },
      }),
    ],
    now: day(46),
    rule: 'written_off',
    want: { plan: 'free', status: 'unpaid' },
  },
  'a month that is paid after one that is written off': {
    told: (tell) => [
      ...bought(tell, plus),
      tell.invoice('marked_uncollectible', day(45), {
        status: 'uncollectible',
        reason: 'subscription_cycle',
        period: NEXT,
        lines: [lineOf(plus)],
        more: { created: day(30), attempt_count: 4 },
      }),
      tell.invoice('paid', day(60), {
        reason: 'subscription_cycle',
        period: { from: day(60), until: day(90) },
        lines: [lineOf(plus)],
      }),
    ],
    now: day(61),
    rule: 'first_period',
    want: { plan: 'plus', status: 'active' },
  },
  'a subscription that was never paid': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus] }),
      tell.invoice('payment_failed', day(1), {
        status: 'open',
        reason: 'subscription_create',
        lines: [lineOf(plus)],
        more: { created: day(0) },
      }),
      tell.subscription('updated', day(1), {
        items: [plus],
        status: 'past_due',
        before: { status: 'active' },
      }),
    ],
    now: day(2),
    rule: 'grace_over',
    want: { plan: 'free', status: 'past_due' },
  },
  'a trial of which nothing was ever paid': {
    told: (tell) => [
      tell.subscription('created', day(0), {
        items: [plus],
        status: 'trialing',
        more: { trial_end: day(14) },
      }),
      tell.invoice('paid', day(0), { reason: 'subscription_create', lines: [lineOf(plus, { amount: 0 })] }),
      tell.subscription('updated', day(14), {
        items: [plus],
        status: 'past_due',
        more: { trial_end: day(14) },
        before: { status: 'trialing' },
      }),
    ],
    now: day(15),
    rule: 'grace_over',
    want: { plan: 'free', status: 'past_due' },
  },
  'a customer who is deleted': {
    told: (tell) => [...bought(tell, plus), tell.customer('deleted', day(3), { deleted: true })],
    now: day(4),
    rule: 'customer_deleted',
    want: { plan: 'free', status: 'canceled' },
  },
  'a plan of quantity 0': {
    told: (tell) => [...bought(tell, plus), moved(tell, 3, [plus], [{ ...plus, units: 0 }])],
    now: day(4),
    rule: 'no_plan_item',
    want: { plan: 'free', limits: { members: 50 } },
  },
  'an item that is marked deleted': {
    told: (tell) => [
      ...bought(tell, plus, seats(2)),
      moved(tell, 3, [plus, seats(2)], [plus, { ...seats(2), deleted: true }]),
    ],
    now: day(4),
    rule: 'first_period',
    want: { plan: 'plus', limits: { members: 500 } },
  },
  'a plan by the unit': {
    told: (tell) => [
      ...bought(tell, { price: 'crew_m', units: 60 }),
      moved(tell, 3, [{ price: 'crew_m', units: 60 }], [{ price: 'crew_m', units: 75 }]),
    ],
    now: day(4),
    rule: 'limit_per_unit',
    want: { plan: 'crew', limits: { members: 75 } },
  },
  'an event of another account, by its context': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus], event: { context: 'org_1/acct_other' } }),
    ],
    now: day(1),
    rule: 'default_plan',
    want: { plan: 'free', status: 'none' },
  },
  'an event of our account, by its context': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus], event: { context: 'org_1/acct_ours' } }),
    ],
    now: day(1),
    rule: 'first_period',
    want: { plan: 'plus' },
  },
  'an add-on by its price, of a product that is a plan': {
    told: (tell) => bought(tell, plus, scale('scale_extra')),
    now: day(1),
    rule: 'limit_with_addons',
    want: { plan: 'plus', limits: { members: 507 }, unmappedPrices: [] },
  },
  'an upgrade without an invoice, which counts at once': {
    told: (tell) => [...bought(tell, plus), moved(tell, 3, [plus], [pro])],
    now: day(4),
    policy: { upgradeWithoutInvoice: 'allow' },
    rule: 'not_invoiced',
    want: HAS_PRO,
  },
  'an upgrade with an open invoice, where one without counts at once': {
    told: (tell) => [
      ...bought(tell, plus),
      moved(tell, 3, [plus], [pro]),
      tell.invoice('finalized', day(3), { id: 'in_open', status: 'open', lines: prorations(3) }),
    ],
    now: day(4),
    policy: { upgradeWithoutInvoice: 'allow' },
    rule: 'pending_invoice_open',
    want: waitsForPro('invoice_open', 'in_open'),
  },
  'an upgrade that is pending at Stripe': {
    told: (tell) => [
      ...bought(tell, plus),
      tell.subscription('updated', day(3), {
        items: [plus],
        more: { pending_update: tell.pendingUpdate(pro) },
        before: { pending_update: null },
      }),
    ],
    now: day(3) + 60,
    rule: 'pending_no_invoice',
    want: waitsForPro('no_invoice'),
  },
  'an upgrade in a trial': {
    told: (tell) => [
      tell.subscription('created', day(0), {
        items: [plus],
        status: 'trialing',
        more: { trial_end: day(14) },
      }),
      tell.subscription('updated', day(3), {
        items: [pro],
        status: 'trialing',
        more: { trial_end: day(14) },
        before: { items: [plus] },
      }),
    ],
    now: day(4),
    rule: 'in_trial',
    want: { plan: 'pro', status: 'trialing', pendingPayment: null },
  },
  'items that are cut, after whole ones': {
    told: (tell) => [
      ...bought(tell, plus, seats(2)),
      tell.subscription('updated', day(3), {
        items: [seats(2)],
        more: { items: { data: [], has_more: true } },
        before: { metadata: {} },
      }),
    ],
    now: day(4),
    rule: 'items_cut',
    want: { plan: 'plus', limits: { members: 520 } },
  },
  'a month of cut lines that is written off': {
    told: (tell) => [
      ...bought(tell, plus),
      tell.invoice('marked_uncollectible', day(45), {
        status: 'uncollectible',
        reason: 'subscription_cycle',
        period: NEXT,
        lines: [lineOf(seats(1))],
        isCut: true,
        more: { created: day(30), attempt_count: 4 },
      }),
    ],
    now: day(46),
    rule: 'written_off',
    want: { plan: 'free', status: 'unpaid' },
  },
  'a month that is forgiven: uncollectible while its collection is paused': {
    told: (tell) => [
      ...bought(tell, plus),
      tell.subscription('updated', day(29), {
        items: [plus],
        more: { pause_collection: { behavior: 'mark_uncollectible', resumes_at: null } },
        before: { pause_collection: null },
      }),
      tell.invoice('marked_uncollectible', day(30), {
        status: 'uncollectible',
        reason: 'subscription_cycle',
        period: NEXT,
        lines: [lineOf(plus)],
        more: { attempt_count: 1 },
      }),
    ],
    now: day(46),
    rule: 'first_period',
    want: { plan: 'plus', status: 'active' },
  },
  'a checkout by bank debit that is not paid yet': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus] }),
      tell.invoice('finalized', day(0), {
        id: 'in_debit',
        status: 'open',
        reason: 'subscription_create',
        lines: [lineOf(plus)],
      }),
      tell.checkout(day(0), 'ann', { payment_status: 'unpaid' }),
    ],
    now: day(1),
    rule: 'pending_bank_debit',
    want: {
      plan: 'free',
      pendingPayment: expect.objectContaining({ plan: 'plus', reason: 'bank_debit', invoice: 'in_debit' }),
    },
  },
  'a subscription by sent invoice that is not paid yet': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus], more: { collection_method: 'send_invoice' } }),
      tell.invoice('sent', day(0), {
        id: 'in_sent',
        status: 'open',
        reason: 'subscription_create',
        lines: [lineOf(plus)],
      }),
    ],
    now: day(1),
    rule: 'pending_sent_invoice',
    want: {
      plan: 'free',
      pendingPayment: expect.objectContaining({ plan: 'plus', reason: 'sent_invoice', invoice: 'in_sent' }),
    },
  },
  'a subscription by sent invoice that is paid': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus], more: { collection_method: 'send_invoice' } }),
      tell.invoice('paid', day(2), {
        reason: 'subscription_create',
        lines: [lineOf(plus)],
        more: { created: day(0), paid_out_of_band: true, amount_paid: 0 },
      }),
    ],
    now: day(3),
    rule: 'first_paid_for',
    want: { plan: 'plus', status: 'active', pendingPayment: null },
  },
  'a price that moves to another plan of its key': {
    told: (tell) => [
      ...bought(tell, { price: 'old_2025', product: 'prod_team', key: 'team_monthly' }),
      tell.subscription('updated', day(3), {
        items: [{ price: 'old_2025', product: 'prod_scale' }],
        before: { metadata: {} },
      }),
    ],
    now: day(4),
    rule: 'price_by_lookup_key',
    want: { plan: 'team' },
    byLookupKey: true,
  },
  'a plan by the unit beside an add-on': {
    told: (tell) => bought(tell, { price: 'crew_m', units: 60 }, seats(1)),
    now: day(1),
    rule: 'limit_with_addons',
    want: { plan: 'crew', limits: { members: 70 } },
  },
  'a price that showed two keys: the newest counts, for what was before too': {
    told: (tell) => [
      ...bought(tell, { price: 'old_2025', product: 'prod_old', key: 'crew_monthly', units: 60 }),
      tell.subscription('updated', day(3), {
        items: [{ price: 'old_2025', product: 'prod_old', key: 'team_monthly', units: 60 }],
        before: { metadata: {} },
      }),
    ],
    now: day(4),
    rule: 'first_period',
    want: { plan: 'team', pendingPayment: null },
    byLookupKey: true,
  },
  'an add-on by its key, of a product that is a plan': {
    told: (tell) => bought(tell, plus, { ...scale('scale_more'), key: 'extra_key' }),
    now: day(1),
    rule: 'limit_with_addons',
    want: { plan: 'plus', limits: { members: 507 } },
    byLookupKey: true,
  },
  'a session that names the owner, before the customer who names another': {
    told: (tell) => [
      tell.customer('created', day(0), { metadata: { user_id: 'bob' } }),
      tell.subscription('created', day(0), { items: [plus], user: null }),
      tell.checkout(day(0), 'carl', { metadata: { user_id: 'ann' } }),
    ],
    now: day(1),
    rule: 'first_period',
    want: { plan: 'plus' },
  },
  'a subscription that names nobody, of a customer whose other one does': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [plus] }),
      tell.subscription('created', day(1), { id: 'sub_2', items: [pro], user: null }),
    ],
    now: day(2),
    rule: 'highest_rank',
    want: { plan: 'pro' },
  },
  'a subscription of another customer of the user, after one was deleted': {
    told: (tell) => [
      ...bought(tell, pro),
      tell.customer('deleted', day(3), { deleted: true }),
      tell.subscription('created', day(4), { id: 'sub_2', customer: 'cus_2', items: [plus] }),
    ],
    now: day(5),
    rule: 'customer_deleted',
    want: { plan: 'plus', status: 'active' },
  },
  'a subscription whose beginning nobody saw, past due within its grace': {
    told: (tell) => [
      tell.subscription('updated', day(0), { items: [plus], before: { metadata: {} } }),
      tell.invoice('payment_failed', day(30), {
        status: 'open',
        reason: 'subscription_cycle',
        lines: [lineOf(plus)],
      }),
      pastDue(tell, 30, 'past_due', [plus]),
    ],
    now: day(33),
    rule: 'grace_unknown_past',
    want: { plan: 'plus', status: 'past_due' },
  },
  'a trial that only what was before tells of': {
    told: (tell) => [
      tell.subscription('updated', day(14), {
        items: [plus],
        status: 'past_due',
        before: { status: 'trialing' },
      }),
    ],
    now: day(15),
    rule: 'grace_over',
    want: { plan: 'free', status: 'past_due' },
  },
  'a year that is paid, past due for the seats of a month': {
    told: (tell) => [
      tell.subscription('created', day(0), { items: [{ ...pro, price: 'pro_y' }, seats(3)] }),
      tell.invoice('paid', day(0), {
        reason: 'subscription_create',
        lines: [lineOf({ ...pro, price: 'pro_y' }, { until: day(365) }), lineOf(seats(3))],
      }),
      pastDue(tell, 30, 'past_due', [{ ...pro, price: 'pro_y' }, seats(3)]),
    ],
    now: day(40),
    rule: 'paid_time_left',
    want: { plan: 'pro', status: 'past_due', limits: { members: 5000 } },
  },
  'an add-on that is written off alone': {
    told: (tell) => [
      ...bought(tell, plus, seats(3)),
      tell.invoice('marked_uncollectible', day(45), {
        status: 'uncollectible',
        reason: 'subscription_cycle',
        period: NEXT,
        lines: [lineOf(seats(3))],
        more: { created: day(30), attempt_count: 4 },
      }),
    ],
    now: day(46),
    rule: 'first_period',
    want: { plan: 'plus', status: 'active', limits: { members: 500 } },
  },
  'an upgrade from the free price that nobody paid': {
    told: (tell) => [
      ...bought(tell, { price: 'free_m', amount: 0 }),
      moved(tell, 3, [{ price: 'free_m', amount: 0 }], [pro]),
    ],
    now: day(4),
    rule: 'pending_no_invoice',
    want: { plan: 'free', status: 'active', pendingPayment: expect.objectContaining({ plan: 'pro' }) },
  },
  'a downgrade undone by an invoice that is paid': {
    told: (tell) => [
      ...bought(tell, pro),
      moved(tell, 5, [pro], [plus]),
      tell.invoice('paid', day(5), {
        lines: [
          lineOf(pro, { amount: -2400, proration: true, from: day(5) }),
          lineOf(plus, { from: day(5) }),
        ],
      }),
      moved(tell, 6, [plus], [pro]),
      tell.invoice('paid', day(6), { lines: prorations(6) }),
    ],
    now: day(7),
    rule: 'paid_for',
    want: HAS_PRO,
  },
  'an upgrade that is pending at Stripe no more': {
    told: (tell) => [
      ...bought(tell, plus),
      tell.subscription('updated', day(3), {
        items: [plus],
        more: { pending_update: tell.pendingUpdate(pro) },
        before: { pending_update: null },
      }),
      tell.subscription('pending_update_expired', day(4), { items: [plus] }),
    ],
    now: day(5),
    rule: 'first_period',
    want: { plan: 'plus', pendingPayment: null },
  },
  'a first invoice by mail whose lines are cut, and paid': {
    told: (tell) => [
      tell.subscription('created', day(0), {
        items: [plus, seats(1)],
        more: { collection_method: 'send_invoice' },
      }),
      tell.invoice('paid', day(2), {
        reason: 'subscription_create',
        lines: [lineOf(seats(1))],
        isCut: true,
        more: { created: day(0) },
      }),
    ],
    now: day(3),
    rule: 'first_paid_for',
    want: { plan: 'plus', status: 'active', limits: { members: 510 }, pendingPayment: null },
  },
  'a trial for nothing by a discount, past due after it': {
    told: (tell) => [
      tell.subscription('created', day(0), {
        items: [plus],
        status: 'trialing',
        more: { trial_end: day(14) },
      }),
      tell.invoice('paid', day(0), {
        reason: 'subscription_create',
        lines: [lineOf(plus, { amount: 0, discounted: true })],
      }),
      tell.subscription('updated', day(14), {
        items: [plus],
        status: 'past_due',
        before: { status: 'trialing' },
      }),
    ],
    now: day(15),
    rule: 'grace_over',
    want: { plan: 'free', status: 'past_due' },
  },
  'an invoice of the customer for two subscriptions, each paid by its lines': {
    told: (tell) => [
      tell.subscription('created', day(0), { id: 'sub_2', items: [plus] }),
      tell.subscription('updated', day(3), { id: 'sub_2', items: [pro], before: { items: [plus] } }),
      tell.invoice('paid', day(3), {
        subscription: null,
        reason: 'manual',
        lines: [...prorations(3, { of: 'sub_9' }), ...prorations(3, { of: 'sub_2' })],
      }),
    ],
    now: day(4),
    rule: 'paid_for',
    want: HAS_PRO,
  },
  'a move to a price in no plan, of the same product': {
    told: (tell) => [...bought(tell, plus), moved(tell, 3, [plus], [{ ...plus, price: 'plus_2027' }])],
    now: day(4),
    rule: 'price_adopted',
    want: { plan: 'plus', unmappedPrices: [] },
  },
};

const DISPUTED = { plan: 'free', status: 'unpaid' };
const HAS_PLUS = { plan: 'plus', status: 'active', pendingPayment: null };
/** Bought on the first day, and paid by the payment of that number. */
const boughtBy = (tell: ShapedEvents, payment: number, item: ShownItem): readonly StripeEvent[] => [
  tell.subscription('created', day(0), { items: [item] }),
  ...tell.paidBy(payment, day(0), { id: 'in_1', lines: [lineOf(item)], reason: 'subscription_create' }),
];

const PAYMENT_KINDS: Readonly<Record<string, Kind>> = {
  'the only payment disputed': {
    told: (tell) => [...boughtBy(tell, 1, plus), tell.dispute('created', day(5), 1, 'needs_response')],
    now: day(6),
    rule: 'disputed',
    want: DISPUTED,
  },
  'a dispute that was won': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      tell.dispute('created', day(5), 1, 'needs_response'),
      tell.dispute('updated', day(6), 1, 'under_review'),
      tell.dispute('closed', day(9), 1, 'won'),
    ],
    now: day(10),
    rule: 'dispute_takes_nothing',
    want: HAS_PLUS,
  },
  'an inquiry': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      tell.dispute('created', day(3), 1, 'warning_needs_response'),
    ],
    now: day(4),
    rule: 'dispute_takes_nothing',
    want: HAS_PLUS,
  },
  'an inquiry that became a dispute, which was lost': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      tell.dispute('created', day(3), 1, 'warning_needs_response'),
      tell.dispute('updated', day(5), 1, 'needs_response'),
      tell.dispute('closed', day(8), 1, 'lost'),
    ],
    now: day(9),
    rule: 'disputed',
    want: DISPUTED,
  },
  'a dispute that was lost, and won on the day after': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      tell.dispute('created', day(1), 1, 'needs_response'),
      tell.dispute('closed', day(7), 1, 'lost'),
      tell.dispute('closed', day(8), 1, 'won'),
    ],
    now: day(9),
    rule: 'dispute_takes_nothing',
    want: HAS_PLUS,
  },
  'a lost dispute, and the next month paid': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      tell.dispute('closed', day(7), 1, 'lost'),
      tell.invoice('paid', day(30), {
        id: 'in_2',
        lines: [lineOf(plus)],
        reason: 'subscription_cycle',
        period: NEXT,
      }),
    ],
    now: day(31),
    rule: 'invoice_disputed',
    want: HAS_PLUS,
  },
  'an upgrade that is disputed': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      moved(tell, 2, [plus], [pro]),
      ...tell.paidBy(2, day(2), { id: 'in_2', lines: prorations(2) }),
      tell.dispute('created', day(5), 2, 'needs_response'),
    ],
    now: day(6),
    rule: 'pending_taken_back',
    want: { ...waitsForPro('taken_back'), status: 'past_due' },
  },
  'two upgrades disputed one by one': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      moved(tell, 2, [plus], [pro]),
      ...tell.paidBy(2, day(2), { id: 'in_2', lines: prorations(2) }),
      moved(tell, 4, [pro], [{ price: 'team_m', product: 'prod_team' }]),
      ...tell.paidBy(3, day(4), {
        id: 'in_3',
        lines: [
          lineOf(pro, { amount: -2500, proration: true, from: day(4) }),
          lineOf({ price: 'team_m', product: 'prod_team' }, { amount: 4000, proration: true, from: day(4) }),
        ],
      }),
      tell.dispute('created', day(5), 3, 'needs_response'),
      tell.dispute('created', day(6), 2, 'needs_response'),
    ],
    now: day(7),
    rule: 'invoice_disputed',
    want: { plan: 'plus', pendingPayment: expect.objectContaining({ plan: 'team', reason: 'taken_back' }) },
  },
  'a claim that was blocked before it was raised': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      tell.dispute('created', day(4), 1, 'prevented', {
        payment_method_details: { type: 'card', card: { case_type: 'block' } },
      }),
    ],
    now: day(5),
    rule: 'dispute_takes_nothing',
    want: HAS_PLUS,
  },
  'a small part of a payment disputed, and lost': {
    told: (tell) => [...boughtBy(tell, 1, plus), tell.dispute('closed', day(8), 1, 'lost', { amount: 70 })],
    now: day(9),
    // Before 2025-03-31 nothing says how much was paid, so that the part is not known to be one.
    rule: 'part_asked_back',
    want: HAS_PLUS,
    since: '2025-03-31',
  },
  'what was bought once beside the plan disputed': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      tell.checkout(day(1), 'ann', {
        id: 'cs_top_up',
        mode: 'payment',
        subscription: null,
        payment_intent: 'pi_9',
      }),
      tell.dispute('closed', day(8), 9, 'lost'),
    ],
    now: day(9),
    rule: 'first_period',
    want: HAS_PLUS,
  },
  'refunds in parts that add up to all of it, of which one fails': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      tell.refunded(day(1), 1, 300),
      tell.refunded(day(2), 1, 1000),
      tell.refundFailed(day(6), 1, 700),
    ],
    now: day(7),
    rule: 'part_refunded',
    policy: { fullRefund: 'suspend' },
    want: HAS_PLUS,
  },
  'refunds in parts that add up to all of it, where the policy suspends': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      tell.refunded(day(1), 1, 300),
      tell.refunded(day(2), 1, 1000),
    ],
    now: day(7),
    rule: 'refunded_in_full',
    policy: { fullRefund: 'suspend' },
    want: DISPUTED,
  },
  'a credit note over a paid invoice': {
    told: (tell) => [
      ...boughtBy(tell, 1, plus),
      tell.other('credit_note.created', day(1), {
        id: 'cn_1',
        object: 'credit_note',
        amount: 1000,
        invoice: 'in_1',
      }),
    ],
    now: day(2),
    rule: 'first_period',
    policy: { fullRefund: 'suspend' },
    want: HAS_PLUS,
  },
};

const cases = [...STRIPE_SHAPES].flatMap(([version, shapes]) =>
  Object.entries({ ...KINDS, ...PAYMENT_KINDS })
    .filter(([, { since }]) => since === undefined || shapes.every((shape) => shape.version >= since))
    .filter(([, { byLookupKey }]) => byLookupKey === undefined || hasLookupKeys(shapes))
    .map(([kind, given]) => [kind, version, { ...given, shapes }] as const),
);

it.each(cases)('%s, as Stripe tells it in %s, is judged and explained alike', (_kind, _version, given) => {
  const { shapes, told, now, want, rule, policy = {} } = given;
  const catalog = planCatalogSchema.parse({ ...CATALOG, policy });
  const subscriptions = factsOf(told(new ShapedEvents(shapes)));
  const judgement = judge({ subscriptions }, catalog, at(now));
  expect(judgement.entitlement).toMatchObject(want);
  expect(oracleJudge({ subscriptions }, catalog, at(now))).toEqual(judgement);
  const { entitlement, reasons } = explain(
    { subscriptions, deletedBy: new Map(), things: () => [] },
    catalog,
    at(now),
  );
  expect(entitlement).toEqual(judgement.entitlement);
  expect(reasons.map(({ code }) => code)).toContain(rule);
});
