import fc from 'fast-check';
import type { SubscriptionItem } from '../../src/events/subscription.events.js';
import type { SubscriptionFacts } from '../../src/policy/facts.js';
import { ADDON_PRICES, PLAN_PRICES, type Price } from './lives.catalog.js';
import {
  checkoutFact,
  DAWN,
  DAY,
  invoiceFact,
  item,
  line,
  MONTH,
  observation,
  previousAttributes,
  subscriptionState,
} from './lives.facts.js';

/*
 * Lives about one question: was this price paid for? Few prices, on items, in pending updates and in
 * `previous_attributes`; invoices created and lines beginning and ending at, just before and just after the seconds that
 * decide.
 */

const named = (prices: readonly Price[], ...ids: string[]) =>
  prices.filter((price) => ids.includes(price.price));
const PRICES = [
  ...named(PLAN_PRICES, 'price_plus_m', 'price_pro_m', 'price_ent', 'price_plus_tiered', 'price_team'),
  ...named(ADDON_PRICES, 'price_seat', 'price_space'),
];
/** Plans are met more often than add-ons. */
const prices = fc.constantFrom(...PRICES, ...PRICES.slice(0, 3), ...PRICES.slice(0, 3));
const quantities = fc.constantFrom(1, 1, 3, null);

const moments = fc.constantFrom(0, 10, 100, 200, 300, DAY).map((after) => DAWN + after);
const edges = fc
  .tuple(moments, fc.constantFrom(0, 0, -1, 1, -60, -61, -59))
  .map(([moment, beside]) => moment + beside);

const held = fc
  .tuple(prices, quantities, fc.constantFrom(MONTH, MONTH, 200, DAY))
  .map(([price, quantity, after]) => item(price, quantity, DAWN, DAWN + after));
const items: fc.Arbitrary<SubscriptionItem[]> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(held) },
  { weight: 1, arbitrary: fc.constant<SubscriptionItem[]>([]) },
  {
    weight: 4,
    arbitrary: fc.uniqueArray(held, { minLength: 2, maxLength: 2, selector: ({ price }) => price }),
  },
);
const sometimes = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
const seldom = (times: number) => fc.constantFrom(...Array.from({ length: times }, () => false), true);

interface Seen {
  readonly created: number;
  readonly status: string;
  readonly items: SubscriptionItem[];
  readonly cut: boolean;
  readonly pending: SubscriptionItem[] | null;
  readonly told: SubscriptionItem[] | null;
  readonly trialEnd: number | null;
  /** Whether its pending update is what comes next. */
  readonly foretells: boolean;
}

const statuses = ['active', 'active', 'active', 'active', 'trialing', 'past_due', 'past_due', 'unpaid'];
const seens: fc.Arbitrary<Seen> = fc.record({
  created: moments,
  status: fc.constantFrom(...statuses),
  items,
  cut: seldom(14),
  pending: sometimes(items),
  told: sometimes(items),
  trialEnd: sometimes(fc.constantFrom(DAWN + 10, DAWN + 250, DAWN + DAY)),
  foretells: fc.constantFrom(false, false, true),
});

const bills = fc.record({
  price: prices,
  second: sometimes(prices),
  quantity: quantities,
  status: fc.constantFrom('paid', 'paid', 'paid', 'paid', 'open', 'uncollectible'),
  reason: fc.constantFrom('subscription_create', 'subscription_cycle', 'subscription_update', null),
  created: edges,
  starts: fc.oneof(fc.constant(DAWN), edges),
  ends: fc.oneof(edges, fc.constant(DAWN + MONTH)),
  amount: fc.constantFrom(1000, 1000, 1000, 0, -10),
  reduced: seldom(3),
  cut: seldom(7),
  attempts: fc.constantFrom(0, 1, 1),
  tag: fc.nat(0xff),
});

function inTime(seen: readonly Seen[]): Seen[] {
  const sorted = [...seen].sort((a, b) => a.created - b.created);
  return sorted.map((one, i) => {
    const next = sorted[i + 1];
    return one.foretells && next !== undefined ? { ...one, pending: next.items } : one;
  });
}

const TYPES: Readonly<Record<string, string>> = {
  paid: 'invoice.paid',
  open: 'invoice.payment_failed',
  uncollectible: 'invoice.marked_uncollectible',
};

/** Lives of one subscription that turn on what was paid for. */
export function paymentSubscription(id: string): fc.Arbitrary<SubscriptionFacts> {
  return fc
    .record({
      first: fc.constantFrom('created', 'created', 'sendInvoice', 'lost'),
      seen: fc.array(seens, { minLength: 1, maxLength: 5 }),
      bills: fc.array(bills, { maxLength: 4 }),
      session: fc.constantFrom(null, null, 'unpaid', 'succeeded'),
    })
    .map(({ first, seen, bills, session }) => ({
      subscription: id,
      customerDeleted: false,
      payments: [],
      observations: inTime(seen).map((one, i) => {
        const bornHere = i === 0 && first !== 'lost';
        return observation(
          `evt_${i}`,
          `customer.subscription.${bornHere ? 'created' : 'updated'}`,
          bornHere ? DAWN : one.created,
          subscriptionState(id, {
            status: one.status,
            items: one.items,
            itemsTruncated: one.cut,
            trialEnd: one.trialEnd,
            pendingUpdate: one.pending === null ? null : { expiresAt: null, items: one.pending },
            collectionMethod: first === 'sendInvoice' ? 'send_invoice' : 'charge_automatically',
            previous: bornHere
              ? null
              : previousAttributes(one.told === null ? {} : { items: one.told }, { i }),
          }),
        );
      }),
      invoices: bills.map((bill, i) =>
        invoiceFact(`evt_i${bill.tag}_${i}`, TYPES[bill.status] ?? 'invoice.finalized', bill.created, {
          invoice: `in_${i}`,
          subscription: id,
          status: bill.status,
          created: bill.created,
          billingReason: bill.reason,
          attemptCount: bill.attempts,
          linesTruncated: bill.cut,
          lines: [bill.price, ...(bill.second === null ? [] : [bill.second])].map((price) =>
            line(price.price, bill.amount, bill.starts, bill.ends, {
              quantity: bill.quantity,
              reduced: bill.reduced,
            }),
          ),
        }),
      ),
      checkouts:
        session === null
          ? []
          : [
              checkoutFact('evt_c1', 'CheckoutCompleted', DAWN, id, 'unpaid'),
              ...(session === 'unpaid'
                ? []
                : [checkoutFact('evt_c2', 'CheckoutPaymentSucceeded', DAWN, id, 'paid')]),
            ],
    }));
}
