import fc from 'fast-check';
import type { SubscriptionFacts } from '../../src/policy/facts.js';
import { PLAN_PRICES, type Price, UNMAPPED_PRICES } from './lives.catalog.js';
import { DAWN, DAY, MONTH } from './lives.facts.js';
import { type Birth, isAddon, Subscription, type Telling } from './lives.subscription.js';

/** One thing that happens, `wait` seconds after the last. */
interface Step extends Telling {
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
    sub.bill('paid', sub.planLines(1000), 'subscription_cycle');
  },
  renewFailed: (sub) => {
    sub.bill('open', sub.planLines(1000), 'subscription_cycle');
    sub.change({ items: sub.renewed(), status: 'past_due' });
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
    sub.change({ items: sub.withAddon(step.tag, step.quantity) });
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
    price: fc.constantFrom(...PLAN_PRICES, ...PLAN_PRICES, ...UNMAPPED_PRICES),
    quantity: fc.constantFrom(1, null, 2, 5),
    reason: fc.constantFrom('max_payment_attempts', 'payment_not_received', null, 'requested_by_merchant'),
    tag: fc.nat(0xffff),
  });
}

const births: fc.Arbitrary<Birth> = fc.record({
  price: fc.constantFrom(...PLAN_PRICES, ...PLAN_PRICES, ...UNMAPPED_PRICES),
  begins: fc.constantFrom(0, 0, DAY, MONTH).map((after) => DAWN + after),
  how: fc.constantFrom('paid', 'paid', 'trial', 'incomplete', 'sendInvoice', 'unpaidCheckout', 'unknown'),
  sendInvoice: fc.constantFrom(false, false, false, true),
  testClock: fc.constantFrom(...Array.from({ length: 11 }, () => false), true),
  periodsOnItems: fc.constantFrom(true, true, false),
  bornLost: fc.constantFrom(false, false, false, false, true),
  tag: fc.nat(0xffff),
});

/** Lives of one subscription as Stripe tells them: every change names what it changed, some are lost. */
export function stripeSubscription(id: string): fc.Arbitrary<SubscriptionFacts> {
  return livesOf(id, fc.array(steps, { maxLength: 12 }));
}

/** Lives in which much happens within one second: chains, circles, twins, and gaps where something was lost. */
export function burstSubscription(id: string): fc.Arbitrary<SubscriptionFacts> {
  return livesOf(id, fc.array(burstSteps, { minLength: 2, maxLength: 9 }));
}

function livesOf(id: string, list: fc.Arbitrary<Step[]>): fc.Arbitrary<SubscriptionFacts> {
  return fc
    .tuple(births, list)

    .map(([birth, list]) => {
      const sub = new Subscription(id, birth);
      for (const step of list) {
        sub.moveOn(step.wait, step);
        ACTIONS[step.action]?.(sub, step);
      }
      return sub.facts();
    });
}
