import fc from 'fast-check';
import type { SubscriptionItem } from '../../src/events/subscription.events.js';
import type { SubscriptionFacts } from '../../src/policy/facts.js';
import { PLAN_PRICES } from './lives.catalog.js';
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
 * `previous_attributes`; invoices created and lines ending at, just before and just after the seconds that decide.
 */

const PRICES = PLAN_PRICES.filter((price) =>
  ['price_plus_m', 'price_pro_m', 'price_ent'].includes(price.price),
);

const moments = fc.constantFrom(0, 10, 100, 200, 300, DAY).map((after) => DAWN + after);
const edges = fc
  .tuple(moments, fc.constantFrom(0, 0, -1, 1, -60, -61, -59))
  .map(([moment, beside]) => moment + beside);

const items: fc.Arbitrary<SubscriptionItem[]> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...PRICES).map((price) => [item(price, 1, DAWN, DAWN + MONTH)]) },
  { weight: 1, arbitrary: fc.constant<SubscriptionItem[]>([]) },
  {
    weight: 1,
    arbitrary: fc
      .shuffledSubarray([...PRICES], { minLength: 2, maxLength: 2 })
      .map((prices) => prices.map((price) => item(price, 1, DAWN, DAWN + MONTH))),
  },
);
const sometimes = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

interface Seen {
  readonly created: number;
  readonly status: string;
  readonly items: SubscriptionItem[];
  readonly pending: SubscriptionItem[] | null;
  readonly told: SubscriptionItem[] | null;
  /** Whether its pending update is what comes next. */
  readonly foretells: boolean;
}

const seens: fc.Arbitrary<Seen> = fc.record({
  created: moments,
  status: fc.constantFrom('active', 'active', 'active', 'active', 'active', 'trialing', 'past_due'),
  items,
  pending: sometimes(items),
  told: sometimes(items),
  foretells: fc.constantFrom(false, false, true),
});

const bills = fc.record({
  price: fc.constantFrom(...PRICES.map((price) => price.price)),
  status: fc.constantFrom('paid', 'paid', 'paid', 'open'),
  created: edges,
  ends: edges,
  amount: fc.constantFrom(1000, 1000, 1000, 0, -10),
  discounts: fc.constantFrom(0, 0, 1000),
  tag: fc.nat(0xff),
});

function inTime(seen: readonly Seen[]): Seen[] {
  const sorted = [...seen].sort((a, b) => a.created - b.created);
  return sorted.map((one, i) => {
    const next = sorted[i + 1];
    return one.foretells && next !== undefined ? { ...one, pending: next.items } : one;
  });
}

/** Lives of one subscription that turn on what was paid for. */
export function paymentSubscription(id: string): fc.Arbitrary<SubscriptionFacts> {
  return fc
    .record({
      first: fc.constantFrom('created', 'created', 'sendInvoice', 'lost'),
      seen: fc.array(seens, { minLength: 1, maxLength: 5 }),
      bills: fc.array(bills, { maxLength: 3 }),
      session: fc.constantFrom(null, null, 'unpaid', 'succeeded'),
    })
    .map(({ first, seen, bills, session }) => ({
      subscription: id,
      observations: inTime(seen).map((one, i) => {
        const bornHere = i === 0 && first !== 'lost';
        return observation(
          `evt_${i}`,
          `customer.subscription.${bornHere ? 'created' : 'updated'}`,
          bornHere ? DAWN : one.created,
          subscriptionState(id, {
            status: one.status,
            items: one.items,
            pendingUpdate: one.pending === null ? null : { expiresAt: null, items: one.pending },
            collectionMethod: first === 'sendInvoice' ? 'send_invoice' : 'charge_automatically',
            previous: bornHere
              ? null
              : previousAttributes(one.told === null ? {} : { items: one.told }, { i }),
          }),
        );
      }),
      invoices: bills.map((bill, i) =>
        invoiceFact(
          `evt_i${bill.tag}_${i}`,
          bill.status === 'paid' ? 'invoice.paid' : 'invoice.payment_failed',
          bill.created,
          {
            invoice: `in_${i}`,
            subscription: id,
            status: bill.status,
            created: bill.created,
            lines: [line(bill.price, bill.amount, DAWN, bill.ends, { discounts: bill.discounts })],
          },
        ),
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
      customerDeleted: false,
    }));
}
