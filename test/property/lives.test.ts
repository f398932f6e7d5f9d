import fc from 'fast-check';
import { type AccessPolicy, accessPolicySchema } from '../../src/events/catalog.events.js';
import { catalogs, LOOKUP_KEYS, UNMAPPED_PRICES, USAGE_PRICE } from '../support/lives.catalog.js';
import { LAST_SECOND } from '../support/lives.facts.js';
import {
  burstLife,
  disputedLife,
  type Life,
  lapsedLife,
  noisyLife,
  paymentLife,
  stripeLife,
} from '../support/lives.js';
import { limitsOf } from '../support/oracle/limits.js';
import { askedBy, isCreationOrCycle, isCredited, type PaidLine } from '../support/oracle/payments.js';
import { pendingOf } from '../support/oracle/pending.js';
import type { SettledBy } from '../support/oracle/plan-periods.js';
import { type Understood, understand } from '../support/oracle/subscription.js';
import { type SubscriptionAccess, subscriptionAccess } from '../support/oracle/subscription-access.js';

/** Lives of each kind that are looked at. */
const LIVES = 300;
/** How often each case must be met among all of them. */
const OFTEN_ENOUGH = 3;

/** One subscription of a life, as the oracle understands it at the life's now. */
interface Met {
  readonly life: Life;
  readonly sub: Understood;
  readonly at: SubscriptionAccess;
}

const CASES: Readonly<Record<string, (met: Met) => boolean>> = {
  'a metered item beside a licensed one of the same plan': ({ sub }) =>
    items(sub).some((held) => held.price === USAGE_PRICE.price) &&
    items(sub).some((held) => held.usageType === 'licensed' && planOf(sub, held.price) === 'pro'),
  'an item of quantity 0': ({ life, sub }) =>
    observationsOf(life, sub).some(({ data }) => data.items.some((item) => item.quantity === 0)),
  'a lookup key that moved away': ({ sub }) =>
    shown(sub).some(
      (item) =>
        item.lookupKey === null &&
        shown(sub).some((other) => other.price === item.price && other.lookupKey !== null),
    ),
  'two lookup keys on one price': ({ sub }) =>
    shown(sub).some((item) =>
      LOOKUP_KEYS.some((key) =>
        shown(sub).some(
          (other) => item.price === other.price && other.lookupKey === key && item.lookupKey !== key,
        ),
      ),
    ),
  "an add-on listed by id, of a plan's product": ({ sub }) =>
    items(sub).some((held) => held.price === 'price_ent_boost'),
  'a price from the list of a label': ({ sub }) =>
    planOf(sub, settledPrice(sub)) === 'pro' && settledPrice(sub) === 'price_pro_y_old',
  'a product listed beside prices': ({ life, sub }) =>
    'any' in (life.catalog.plans.plus?.prices ?? {}) && settledPrice(sub) === 'price_plus_new',
  'an unmapped price that a plan adopted': ({ life, sub }) =>
    !('any' in (life.catalog.plans.plus?.prices ?? {})) &&
    UNMAPPED_PRICES.some(({ price }) => price === settledPrice(sub)),
  'more than one unit of a plan with limits per unit': ({ at }) =>
    at.gives !== null && at.gives.quantity > 1 && Object.keys(at.gives.plan.plan.perUnit).length > 0,
  'features of an add-on': ({ at }) => at.addons.some(({ addon }) => addon.features.length > 0),
  'a sum that cannot be counted': ({ life, at }) => {
    const fallback = life.catalog.plans[life.catalog.default];
    if (fallback === undefined) return false;
    const limits = limitsOf(fallback, at.gives === null ? [] : [at.gives], at.addons);
    return Object.values(limits).includes(Number.MAX_SAFE_INTEGER);
  },
  'a plan that ranks below the default': ({ at }) => at.gives?.plan.name === 'trickle',
  'two plans of equal rank on one subscription': ({ sub }) =>
    items(sub).some(({ price }) => planOf(sub, price) === 'team') &&
    items(sub).some(({ price }) => planOf(sub, price) === 'pro'),

  'an invoice of a customer that pays': ({ sub }) =>
    sub.paid.some((line) =>
      sub.invoices.some((one) => one.data.invoice === line.invoice && one.type === 'CustomerInvoicePaid'),
    ),
  'a paid creation or cycle invoice whose lines were cut': ({ sub }) =>
    sub.paid.some((line) => isUnseen(sub, line)),
  'a paid invoice of another kind whose lines were cut': ({ sub }) =>
    paidInvoices(sub).some((one) => one.data.linesTruncated && !isCreationOrCycle(one)),
  'a line of 0 with something listed on it that pays': ({ sub }) =>
    zeroLines(sub, 'per_unit').some(({ pays }) => pays),
  'a line of 0 of a tiered price that pays': ({ sub }) => zeroLines(sub, 'tiered').some(({ pays }) => pays),
  'a line of 0 created in a trial': ({ sub }) =>
    [...zeroLines(sub, 'per_unit'), ...zeroLines(sub, 'tiered')].some(({ pays }) => !pays),
  'a line that was credited': ({ sub }) => sub.paid.some((line) => isCredited(line, sub.invoices)),

  'a first plan period that waits for a sent invoice': ({ sub }) =>
    sub.planPeriods.firstWaits && !sub.checkoutUnpaid,
  'a first plan period that waits for a bank debit': ({ sub }) =>
    sub.planPeriods.firstWaits && sub.checkoutUnpaid,
  'a first plan period of add-ons alone that waits': ({ sub }) =>
    sub.planPeriods.firstWaits && sub.planPeriods.all[0]?.planItem === undefined,
  'a plan period that waits while the first is settled': ({ sub }) =>
    !sub.planPeriods.firstWaits && sub.planPeriods.all.at(-1)?.settledBy === null,
  ...settledBy(
    'no plan',
    'first, trialing while it waits',
    'paid for',
    'still paid for',
    'no higher',
    'trialing in it',
    'asks nothing',
    'payment not required',
    'not invoiced',
  ),

  'a plan that was written off': ({ sub }) => sub.lost.plan && sub.lost.addons.length === 0,
  'an add-on that was written off': ({ sub }) => !sub.lost.plan && sub.lost.addons.length > 0,
  'plan and add-on written off': ({ sub }) => sub.lost.plan && sub.lost.addons.length > 0,
  'an invoice that was taken back by a dispute': ({ life, sub }) =>
    life.catalog.policy.dispute === 'suspend' &&
    life.catalog.policy.fullRefund === 'keep' &&
    sub.takenBack.length > 0,
  'an invoice that was refunded in full': ({ life, sub }) =>
    life.catalog.policy.dispute === 'keep' && sub.takenBack.length > 0,
  'an invoice that was taken back and never seen paid': ({ sub }) =>
    sub.invoices.some(({ data }) => data.status === 'open' && sub.takenBack.includes(data.invoice)),
  'a dispute that takes nothing': ({ life, sub }) =>
    sub.takenBack.length === 0 && paymentsOf(life, sub).some(({ type }) => type === 'DisputeClosed'),
  'a refund that failed of an invoice that is not taken back': ({ life, sub }) =>
    life.catalog.policy.fullRefund === 'suspend' &&
    sub.takenBack.length === 0 &&
    paymentsOf(life, sub).some((one) => one.type === 'PaymentRefunded' && one.data.refunded),
  'an invoice paid by two payments, one of them disputed': ({ life, sub }) =>
    sub.takenBack.some(
      (invoice) =>
        new Set(paymentsOf(life, sub).flatMap(({ data }) => (data.invoice === invoice ? [data.payment] : [])))
          .size > 1,
    ),
  'a plan that was taken back and stays by what is paid': ({ sub, at }) =>
    sub.status === 'active' && sub.takenBack.length > 0 && sub.lost.plan && at.gives !== null,
  'a plan that was taken back and paid again': ({ sub }) => sub.takenBack.length > 0 && !sub.lost.plan,
  'an add-on that was taken back': ({ sub }) => sub.takenBack.length > 0 && sub.lost.addons.length > 0,
  'several written-off invoices': ({ sub }) =>
    sub.invoices.filter(({ data }) => data.status === 'uncollectible' && data.lines.length > 0).length > 1,
  'a written-off plan that stays by what is paid': ({ sub, at }) =>
    sub.status === 'active' && sub.lost.plan && at.gives !== null,
  'something written off and paid later': ({ sub }) =>
    !sub.lost.plan &&
    sub.invoices.some(
      (one) =>
        one.data.status === 'uncollectible' &&
        one.data.uncollectibleReason === 'max_payment_attempts' &&
        isCreationOrCycle(one) &&
        one.data.lines.some((line) => planOf(sub, line.price) !== null && askedBy(line) > 0),
    ),

  'unpaid with something paid for': ({ sub, at }) => sub.status === 'unpaid' && at.gives !== null,
  'unpaid with nothing paid for': ({ sub, at }) => sub.status === 'unpaid' && at.gives === null,
  'past grace, its own plan covered': (met) => pastGrace(met) && met.at.gives?.plan.name === ownPlan(met.sub),
  'past grace, another plan covered': (met) =>
    pastGrace(met) && met.at.gives !== null && met.at.gives.plan.name !== ownPlan(met.sub),
  'past grace, nothing covered': (met) => pastGrace(met) && met.at.gives === null,
  'fewer units of an add-on covered than held': ({ sub, at }) =>
    at.addons.some(({ addon, quantity }) =>
      items(sub).some((held) => addon.prices.includes(held.price) && quantity < (held.quantity ?? 1)),
    ),
  'fewer units of a plan covered than held': ({ sub, at }) =>
    at.gives !== null &&
    at.gives.plan.name === ownPlan(sub) &&
    items(sub).some(
      ({ price, quantity }) => price === settledPrice(sub) && (quantity ?? 1) > (at.gives?.quantity ?? 0),
    ),
  'past due after a trial, nothing ever paid': ({ sub }) => neverPaid(sub) && wasTrialing(sub),
  'past due, never paid, known from its creation': ({ sub }) => neverPaid(sub) && !wasTrialing(sub),
  'a deleted customer': ({ life, sub }) =>
    life.facts.subscriptions.some((one) => one.subscription === sub.id && one.customerDeleted),
  'collection paused under suspend': ({ life, sub }) =>
    life.catalog.policy.pauseCollection === 'suspend' && sub.newest.data.pauseCollection !== null,
  'a test clock, trial or grace long over': ({ life, sub }) =>
    sub.newest.data.testClock !== null && Math.max(sub.trialOver ?? 0, sub.graceOver ?? 0) < life.now,
  'a test clock and what is covered': ({ sub, at }) =>
    sub.newest.data.testClock !== null && sub.status === 'unpaid' && at.gives !== null,
  'a trial that ends with time itself': ({ sub }) => (sub.newest.data.trialEnd ?? 0) >= LAST_SECOND - 7200,
  'a cancellation at the end of time': ({ sub }) => (sub.newest.data.cancelAt ?? 0) >= LAST_SECOND - 7200,

  ...pendingFor('taken_back', 'bank_debit', 'sent_invoice', 'no_invoice', 'invoice_failed', 'invoice_open'),
  'a pending update of a higher plan': ({ sub }) =>
    (sub.prices.planItem(sub.newest.data.pendingUpdate?.items ?? [])?.meaning.plan.rank ?? -9) >
    (sub.settled?.rank ?? Number.POSITIVE_INFINITY),
  'an open invoice that no payment failed for': ({ sub }) =>
    sub.invoices.some(({ data, type }) => data.status === 'open' && type.endsWith('InvoiceFinalized')),

  'a second with more observations than orders are tried of': ({ sub }) =>
    sub.ordered.some((one) => sub.ordered.filter((other) => other.created === one.created).length > 9),
  'a list of items that was cut': ({ sub }) => sub.ordered.some(({ data }) => data.itemsTruncated),
  'an answer of the API among what was delivered': ({ sub }) =>
    sub.ordered.length > 1 && sub.ordered.some(({ type }) => type === 'SubscriptionRetrieved'),
};

function settledBy(...rules: readonly SettledBy[]): typeof CASES {
  return Object.fromEntries(
    rules.map((rule) => [
      `a plan period settled by: ${rule}`,
      ({ sub }: Met) => sub.planPeriods.all.some((period) => period.settledBy === rule),
    ]),
  );
}

function pendingFor(...reasons: readonly string[]): typeof CASES {
  return Object.fromEntries(
    reasons.map((reason) => [
      `a payment that is pending: ${reason}`,
      ({ sub, at }: Met) => pendingOf([{ sub, at }])?.reason === reason,
    ]),
  );
}

function observationsOf(life: Life, sub: Understood) {
  return life.facts.subscriptions.find((one) => one.subscription === sub.id)?.observations ?? [];
}

function paymentsOf(life: Life, sub: Understood) {
  return life.facts.subscriptions.find((one) => one.subscription === sub.id)?.payments ?? [];
}

function items(sub: Understood) {
  return sub.newestItems?.data.items ?? [];
}

function shown(sub: Understood) {
  return sub.ordered.flatMap(({ data }) => data.items);
}

function planOf(sub: Understood, price: string | null): string | null {
  const meaning = sub.prices.meaningOf(price);
  return meaning.kind === 'plan' ? meaning.name : null;
}

function settledPrice(sub: Understood): string | null {
  return sub.settled?.planItem?.item.price ?? null;
}

function ownPlan(sub: Understood): string | null {
  return sub.settled?.planItem?.meaning.name ?? null;
}

function paidInvoices(sub: Understood) {
  return sub.invoices.filter(({ data }) => data.status === 'paid');
}

function isUnseen(sub: Understood, line: PaidLine): boolean {
  return paidInvoices(sub).some(
    ({ data }) => data.invoice === line.invoice && !data.lines.some(({ price }) => price === line.price),
  );
}

/** Lines of 0 that would pay outside a trial: of a tiered price, or of another with something listed on them. */
function zeroLines(sub: Understood, scheme: 'tiered' | 'per_unit') {
  return paidInvoices(sub).flatMap(({ data }) =>
    data.lines
      .filter((line) => askedBy(line) === 0)
      .filter((line) =>
        sub.prices.isTiered(line.price) ? scheme === 'tiered' : scheme === 'per_unit' && line.reduced,
      )
      .map((line) => ({
        pays: sub.paid.some((paid) => paid.invoice === data.invoice && paid.price === line.price),
      })),
  );
}

function pastGrace({ life, sub }: Met): boolean {
  return sub.newest.data.testClock === null && sub.graceOver !== null && life.now >= sub.graceOver;
}

function neverPaid(sub: Understood): boolean {
  return sub.status === 'past_due' && sub.paid.length === 0 && sub.invoices.length > 0;
}

function wasTrialing(sub: Understood): boolean {
  return sub.ordered.some(({ data }) => data.status === 'trialing' || data.previous?.status === 'trialing');
}

describe('random lives', () => {
  it('meet every case that the rules of access are about, so that a rule nobody tries any more is seen', () => {
    const counts = new Map(Object.keys(CASES).map((name) => [name, 0]));
    for (const kind of [
      stripeLife(),
      burstLife(),
      paymentLife(),
      lapsedLife(),
      disputedLife(),
      noisyLife(),
    ]) {
      for (const life of fc.sample(kind, { numRuns: LIVES, seed: 1 })) {
        for (const facts of life.facts.subscriptions) {
          const sub = understand(facts, life.catalog);
          if (sub === undefined) continue;
          const met: Met = { life, sub, at: subscriptionAccess(sub, life.now) };
          for (const [name, isMet] of Object.entries(CASES)) {
            if (isMet(met)) counts.set(name, (counts.get(name) ?? 0) + 1);
          }
        }
      }
    }
    const seldom = [...counts].filter(([, count]) => count < OFTEN_ENOUGH);
    expect(seldom).toEqual([]);
  });

  it('are judged under every switch of the policy, turned each way', () => {
    const policies = fc.sample(catalogs(), { seed: 1, numRuns: LIVES }).map(({ policy }) => policy);
    const switches = Object.keys(accessPolicySchema.shape) as (keyof AccessPolicy)[];
    const still = switches.filter((name) => new Set(policies.map((policy) => policy[name])).size === 1);
    expect(still).toEqual([]);
  });
});
