import fc from 'fast-check';
import type { SubscriptionFacts } from '../../src/policy/facts.js';
import { KEYED_PRICE, LOOKUP_KEYS, PLAN_PRICES, type Price, UNMAPPED_PRICES } from './lives.catalog.js';
import { DAWN, DAY, LAST_SECOND, MONTH } from './lives.facts.js';
import { type Birth, type EventDelivery, isAddon, Subscription } from './lives.subscription.js';

/** One thing that happens, `wait` seconds after the last. */
interface Step extends EventDelivery {
  readonly action: string;
  readonly wait: number;
  readonly price: Price;
  readonly quantity: number | null;
  readonly reason: string | null;
}

type Action = (sub: Subscription, step: Step) => void;

const ACTIONS: Readonly<Record<string, Action>> = {
  renewPaid: (sub) => {
    sub.change({ items: sub.renewed() });
    sub.bill('paid', sub.lines(1000), 'subscription_cycle');
  },
  renewFailed: (sub) => {
    sub.bill('open', sub.lines(1000), 'subscription_cycle');
    sub.change({ items: sub.renewed(), status: 'past_due' });
  },
  renewPartly: (sub, step) => {
    const lines = step.tag % 2 === 0 ? sub.addonLines(300) : sub.planLines(1000);
    sub.bill('paid', lines, 'subscription_cycle');
  },
  writeOff: (sub, step) => {
    const lines = [sub.lines(1000), sub.addonLines(300), sub.planLines(1000)][step.tag % 3] ?? [];
    sub.bill('open', lines, step.tag % 4 === 0 ? 'subscription_update' : 'subscription_cycle');
    sub.settleOpen('uncollectible', step.reason);
    if (step.tag % 5 !== 0) sub.change({ status: 'active' });
  },
  retryFailed: (sub) => {
    sub.settleOpen('retryFailed', null);
  },
  payOpen: (sub) => {
    sub.settleOpen('payOpen', null);
  },
  void: (sub) => {
    sub.settleOpen('void', null);
  },
  uncollectible: (sub, step) => {
    sub.settleOpen('uncollectible', step.reason);
  },
  recover: (sub) => {
    sub.settleOpen('payOpen', null);
    sub.change({ status: 'active' });
  },
  toUnpaid: (sub) => {
    sub.change({ status: 'unpaid' });
  },
  swapPaid: (sub, step) => {
    sub.change({ items: sub.swap(step.price, step.quantity) });
    sub.bill('paid', sub.planLines(1900), 'subscription_update');
  },
  swapNoInvoice: (sub, step) => {
    sub.change({ items: sub.swap(step.price, step.quantity) });
  },
  swapFailed: (sub, step) => {
    sub.change({
      items: sub.swap(step.price, step.quantity),
      status: step.quantity === 2 ? 'past_due' : sub.state.status,
    });
    sub.bill('open', sub.planLines(1900), 'subscription_update');
  },
  swapCredited: (sub, step) => {
    sub.change({ items: sub.swap(step.price, step.quantity) });
    sub.bill('paid', sub.planLines(-700), 'subscription_update');
  },
  swapCoupon: (sub, step) => {
    sub.change({ items: sub.swap(step.price, step.quantity) });
    sub.bill('paid', sub.planLines(0, { discounts: 1900 }), 'subscription_update');
  },
  swapForNothing: (sub, step) => {
    sub.change({ items: sub.swap(step.price, step.quantity) });
    sub.bill('paid', sub.planLines(0), 'subscription_update');
  },
  swapReduced: (sub, step) => {
    sub.change({ items: sub.swap(step.price, step.quantity) });
    sub.bill('paid', sub.planLines(0, { reduced: true }), 'subscription_update');
  },
  credit: (sub) => {
    sub.bill('paid', sub.planLines(-300), 'subscription_update');
  },
  undo: (sub, step) => {
    const { items } = sub.state;
    if (step.tag % 5 === 0) sub.bill('paid', sub.planLines(-300), 'subscription_update');
    sub.change({ items: sub.swap(step.price, step.quantity) });
    if (step.tag % 3 === 0) sub.clock += 600;
    if (step.tag % 5 === 1) sub.bill('paid', sub.planLines(-300, {}, items), 'subscription_update');
    sub.change({ items });
    if (step.tag % 5 === 2) sub.clock += DAY;
    if (step.tag % 5 === 2) sub.bill('paid', sub.planLines(-300), 'subscription_update');
  },
  swapTiny: (sub, step) => {
    sub.bill(
      'paid',
      sub.planLines(-1, { subtotal: 5 }, sub.swap(step.price, step.quantity)),
      'subscription_update',
    );
    sub.change({ items: sub.swap(step.price, step.quantity) });
  },
  swapDuringTrialEnd: (sub, step) => {
    sub.change({ items: sub.swap(step.price, step.quantity), status: 'active', trialEnd: sub.clock });
  },
  pendUpdate: (sub, step) => {
    sub.change({ pendingUpdate: { expiresAt: sub.clock + DAY, items: sub.swap(step.price, step.quantity) } });
    sub.bill('open', sub.planLines(1900, {}, sub.swap(step.price, step.quantity)), 'subscription_update');
  },
  applyPending: (sub) => {
    sub.applyPending();
  },
  dropPending: (sub) => {
    sub.change({ pendingUpdate: null }, 'customer.subscription.pending_update_expired');
  },
  cancelAtPeriodEnd: (sub) => {
    sub.change({ cancelAtPeriodEnd: true });
  },
  cancelAt: (sub) => {
    sub.change({ cancelAt: sub.clock + 3 * DAY });
  },
  withdraw: (sub) => {
    sub.change({ cancelAt: null, cancelAtPeriodEnd: false });
  },
  pauseCollection: (sub) => {
    sub.change({ pauseCollection: { behavior: 'void', resumesAt: null } });
  },
  resumeCollection: (sub) => {
    sub.change({ pauseCollection: null });
  },
  addon: (sub, step) => {
    sub.change({ items: sub.withAddon(step.quantity) });
  },
  addonPaid: (sub, step) => {
    sub.change({ items: sub.withAddon(step.quantity) });
    sub.bill('paid', sub.addonLines(300), 'subscription_update');
  },
  usage: (sub) => {
    sub.change({ items: sub.withUsage() });
  },
  beside: (sub, step) => {
    sub.change({ items: sub.with(step.price, step.quantity) });
  },
  keyed: (sub, step) => {
    sub.change({ items: sub.with({ ...KEYED_PRICE, lookupKey: lookupKey(step.tag) }, step.quantity) });
  },
  moveKey: (sub, step) => {
    const without = sub.state.items.map((one) => ({ ...one, lookupKey: null }));
    const with_ = sub.state.items.map((one) =>
      one.price === KEYED_PRICE.price ? { ...one, lookupKey: lookupKey(step.tag) } : one,
    );
    sub.change({ items: step.tag % 2 === 0 ? without : with_ });
  },
  trialFar: (sub, step) => {
    sub.change({ status: 'trialing', trialStart: sub.clock, trialEnd: LAST_SECOND - (step.tag % 3) * 3600 });
  },
  cancelFar: (sub, step) => {
    sub.change({ cancelAt: LAST_SECOND - (step.tag % 2) });
  },
  farPeriod: (sub) => {
    sub.change({ items: sub.renewed().map((one) => ({ ...one, currentPeriodEnd: LAST_SECOND })) });
    sub.bill('paid', sub.lines(1000, { periodEnd: LAST_SECOND }), 'subscription_cycle');
  },
  flurry: (sub, step) => {
    for (let i = 0; i < 3 + (step.tag % 5); i += 1) {
      sub.change({}, 'customer.subscription.updated', { metadata: step.tag + i });
    }
  },
  fail: (sub, step) => {
    sub.bill('open', step.tag % 2 === 0 ? sub.addonLines(300) : sub.lines(1000), 'subscription_update');
    sub.change({ status: 'past_due' });
  },
  more: (sub) => {
    const more = (quantity: number | null) => (quantity ?? 1) + 2;
    sub.change({ items: sub.state.items.map((one) => ({ ...one, quantity: more(one.quantity) })) });
  },
  bill: (sub, step) => {
    sub.bill('open', sub.lines(1000), step.tag % 2 === 0 ? 'subscription_update' : 'subscription_cycle');
  },
  dropAddon: (sub) => {
    sub.change({ items: sub.state.items.filter((one) => !isAddon(one)) });
  },
  quantity: (sub, step) => {
    sub.change({ items: sub.state.items.map((one) => ({ ...one, quantity: step.quantity })) });
  },
  metadata: (sub, step) => {
    sub.change({}, 'customer.subscription.updated', { metadata: step.tag });
  },
  pause: (sub) => {
    sub.change({ status: 'paused' }, 'customer.subscription.paused');
  },
  resume: (sub) => {
    sub.change({ status: 'active' }, 'customer.subscription.resumed');
  },
  trialWillEnd: (sub) => {
    sub.change({}, 'customer.subscription.trial_will_end');
  },
  convert: (sub) => {
    sub.change({ status: 'active' });
    sub.bill('paid', sub.planLines(1000), 'subscription_cycle');
  },
  convertFailed: (sub) => {
    sub.bill('open', sub.planLines(1000), 'subscription_cycle');
    sub.change({ status: 'past_due' });
  },
  trial: (sub) => {
    sub.change({
      status: 'trialing',
      trialStart: sub.clock,
      trialEnd: sub.clock + 3 * DAY,
    });
  },
  activate: (sub) => {
    sub.change({ status: 'active' });
  },
  circle: (sub, step) => {
    const { items, status } = sub.state;
    const there = step.quantity === 1 ? { status: 'past_due' } : { items: sub.swap(step.price, 2) };
    sub.change(there);
    sub.change({ items, status });
  },
  chain: (sub, step) => {
    sub.change({ items: sub.swap(step.price, step.quantity) });
    sub.change({ status: 'past_due' });
  },
  twin: (sub) => {
    sub.twin();
  },
  retrieve: (sub) => {
    sub.see('retrieved', sub.state);
  },
  strange: (sub) => {
    sub.change({ status: 'simmering' });
  },
  expire: (sub) => {
    sub.change({ status: 'incomplete_expired', endedAt: sub.clock });
  },
  delete: (sub) => {
    sub.change({ status: 'canceled', endedAt: sub.clock }, 'customer.subscription.deleted');
  },
  asyncPaid: (sub) => {
    sub.session('CheckoutPaymentSucceeded', 'paid');
  },
  asyncFailed: (sub) => {
    sub.session('CheckoutPaymentFailed', 'unpaid');
  },
};

/** Everything bought and paid for, then what comes when payments stop. */
const lapsedSteps = stepsOf(
  [
    'addonPaid',
    'addonPaid',
    'more',
    'swapPaid',
    'swapNoInvoice',
    'renewPaid',
    'renewPartly',
    'renewPartly',
    'renewFailed',
    'fail',
    'fail',
    'payOpen',
    'writeOff',
    'writeOff',
    'toUnpaid',
    'toUnpaid',
    'credit',
    'undo',
    'farPeriod',
  ],
  [30, DAY, 3 * DAY, 8 * DAY],
);

function lookupKey(tag: number): string | null {
  return [null, ...LOOKUP_KEYS][tag % (LOOKUP_KEYS.length + 1)] ?? null;
}

const steps = stepsOf(Object.keys(ACTIONS), [0, 0, 0, 30, DAY, 3 * DAY, MONTH]);

const burstSteps = stepsOf(
  [
    'swapNoInvoice',
    'swapPaid',
    'pendUpdate',
    'applyPending',
    'recover',
    'toUnpaid',
    'pause',
    'resume',
    'trial',
    'cancelAt',
    'cancelAtPeriodEnd',
    'withdraw',
    'pauseCollection',
    'resumeCollection',
    'quantity',
    'metadata',
    'flurry',
    'undo',
    'trialWillEnd',
    'circle',
    'chain',
    'twin',
    'retrieve',
  ],
  [0, 0, 0, 0, 0, 0, 30],
);

function stepsOf(actions: readonly string[], waits: readonly number[]): fc.Arbitrary<Step> {
  return fc.record({
    action: fc.constantFrom(...actions),
    wait: fc.constantFrom(...waits),
    lost: fc.constantFrom(false, false, false, false, false, false, true),
    cut: fc.constantFrom(...Array.from({ length: 29 }, () => false), true),
    cutLines: fc.constantFrom(...Array.from({ length: 8 }, () => false), true),
    throughCustomer: fc.constantFrom(false, false, false, true),
    price: fc.constantFrom(...PLAN_PRICES, ...PLAN_PRICES, ...UNMAPPED_PRICES),
    quantity: fc.constantFrom(1, 1, null, 2, 2, 5, 0),
    reason: fc.constantFrom('max_payment_attempts', 'payment_not_received', null, 'requested_by_merchant'),
    tag: fc.nat(0xffff),
  });
}

const births: fc.Arbitrary<Birth> = fc.record({
  price: fc.constantFrom(...PLAN_PRICES, ...PLAN_PRICES, ...UNMAPPED_PRICES),
  begins: fc.constantFrom(0, 0, DAY, MONTH).map((after) => DAWN + after),
  how: fc.constantFrom(
    'paid',
    'paid',
    'paid',
    'trial',
    'incomplete',
    'failed',
    'sendInvoice',
    'unpaidCheckout',
    'unknown',
    'unheardOf',
  ),
  quantity: fc.constantFrom(1, 1, null, 2, 5),
  addonAlone: fc.constantFrom(...Array.from({ length: 9 }, () => false), true),
  customerDeleted: fc.constantFrom(...Array.from({ length: 29 }, () => false), true),
  pricesOnLines: fc.boolean(),
  sendInvoice: fc.constantFrom(false, false, false, true),
  testClock: fc.constantFrom(...Array.from({ length: 11 }, () => false), true),
  periodsOnItems: fc.constantFrom(true, true, false),
  bornLost: fc.constantFrom(false, false, false, false, true),
  tag: fc.nat(0xffff),
});

const paidBirths: fc.Arbitrary<Birth> = births.chain((birth) =>
  fc
    .record({ testClock: fc.constantFrom(false, false, false, false, true) })
    .map(({ testClock }) => ({ ...birth, testClock, how: 'paid' as const, bornLost: false })),
);

/** Lives of one subscription as Stripe tells them: every change names what it changed, some are lost. */
export function stripeSubscription(id: string): fc.Arbitrary<SubscriptionFacts> {
  return livesOf(id, births, fc.array(steps, { maxLength: 12 }));
}

/** Lives in which much happens within one second: chains, circles, twins, and gaps where something was lost. */
export function burstSubscription(id: string): fc.Arbitrary<SubscriptionFacts> {
  return livesOf(id, births, fc.array(burstSteps, { minLength: 2, maxLength: 9 }));
}

/** Lives that turn on what is left when payments stop: plan, add-ons and quantities that a paid line still covers. */
export function lapsedSubscription(id: string): fc.Arbitrary<SubscriptionFacts> {
  return livesOf(id, paidBirths, fc.array(lapsedSteps, { minLength: 2, maxLength: 9 }));
}

function livesOf(
  id: string,
  beginnings: fc.Arbitrary<Birth>,
  list: fc.Arbitrary<Step[]>,
): fc.Arbitrary<SubscriptionFacts> {
  return fc.tuple(beginnings, list).map(([birth, list]) => {
    const sub = new Subscription(id, birth);
    for (const step of list) {
      sub.advance(step.wait, step);
      ACTIONS[step.action]?.(sub, step);
    }
    return sub.facts();
  });
}
