import fc from 'fast-check';
import type { InvoiceLine } from '../../src/events/invoice.events.js';
import type { SubscriptionItem } from '../../src/events/subscription.events.js';
import type {
  CheckoutObservation,
  InvoiceObservation,
  Observation,
  SubscriptionFacts,
} from '../../src/policy/facts.js';
import { ALL_PRICES, KEYED_PRICE, LOOKUP_KEYS, type Price } from './lives.catalog.js';
import {
  checkoutFact,
  DAWN,
  DAY,
  invoiceFact,
  item,
  LAST_SECOND,
  line,
  MONTH,
  observation,
  previousAttributes,
  subscriptionState,
  throughCustomer,
} from './lives.facts.js';

/*
 * Lives with no regard for what Stripe would ever say: any field takes any value of a small pool, so that rare
 * combinations are met often. At most six observations of one subscription: the oracle tries every permutation.
 */

const seconds = fc.constantFrom(0, 0, 30, 90, DAY, 3 * DAY, MONTH).map((after) => DAWN + after);
const maybeSecond = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 2, arbitrary: seconds });
const lastSeconds = fc.nat(2).map((before) => LAST_SECOND - before * 3_600);
const statuses = fc.constantFrom(
  'active',
  'active',
  'active',
  'trialing',
  'trialing',
  'past_due',
  'past_due',
  'unpaid',
  'paused',
  'incomplete',
  'simmering',
);
const rarelyTerminal = fc.oneof(
  { weight: 20, arbitrary: statuses },
  { weight: 1, arbitrary: fc.constantFrom('canceled', 'incomplete_expired') },
);

/** Two prices carry now this lookup key, now that, now none. */
const keyed: fc.Arbitrary<Price> = fc
  .tuple(
    fc.constantFrom(
      KEYED_PRICE,
      ...ALL_PRICES.filter((price) => ['price_plus_y', 'price_pro_new'].includes(price.price)),
    ),
    fc.constantFrom(null, ...LOOKUP_KEYS),
  )
  .map(([price, lookupKey]) => ({ ...price, lookupKey }));

const items: fc.Arbitrary<SubscriptionItem[]> = fc.uniqueArray(
  fc
    .record({
      price: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...ALL_PRICES) },
        { weight: 1, arbitrary: keyed },
      ),
      quantity: fc.constantFrom(1, 1, null, 2, 0),
      start: fc.constant(DAWN),
      end: fc.oneof(seconds, seconds, fc.constant(null)),
    })
    .map(({ price, quantity, start, end }) => item(price, quantity, start, end)),
  { maxLength: 3, selector: ({ price }) => price },
);

const pauses = fc.constantFrom(null, null, null, { behavior: 'void', resumesAt: null });
const rare = (weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });

const previouses = fc
  .record(
    {
      status: statuses,
      items,
      cancelAt: maybeSecond,
      cancelAtPeriodEnd: fc.boolean(),
      pauseCollection: pauses,
      trialEnd: maybeSecond,
    },
    { requiredKeys: [] },
  )
  .map((told) => previousAttributes(told, {}));

const stripeTypes = fc.constantFrom(
  ...Array.from({ length: 8 }, () => 'customer.subscription.updated'),
  'customer.subscription.created',
  'customer.subscription.created',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'customer.subscription.trial_will_end',
  'customer.subscription.pending_update_applied',
  'retrieved',
);

function eventIds(prefix: string): fc.Arbitrary<string> {
  return fc.nat(0xffffff).map((n) => `evt_${prefix}${n.toString(16).padStart(6, '0')}`);
}

function observations(id: string): fc.Arbitrary<Observation> {
  return fc
    .record({
      eventId: eventIds(''),
      stripeType: stripeTypes,
      created: seconds,
      previous: previouses,
      state: fc.record({
        customer: fc.constantFrom('cus_1', 'cus_2', null),
        status: rarelyTerminal,
        items,
        itemsTruncated: rare(11),
        cancelAt: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: seconds }),
        cancelAtPeriodEnd: rare(5),
        trialEnd: fc.oneof({ weight: 9, arbitrary: maybeSecond }, { weight: 1, arbitrary: lastSeconds }),
        pauseCollection: pauses,
        collectionMethod: fc.constantFrom('charge_automatically', 'send_invoice'),
        pendingUpdate: fc.oneof(
          { weight: 3, arbitrary: fc.constant(null) },
          { weight: 1, arbitrary: items.map((pending) => ({ expiresAt: null, items: pending })) },
        ),
        testClock: rare(15).map((yes) => (yes ? 'clock_1' : null)),
      }),
    })
    .map(({ eventId, stripeType, created, previous, state }) =>
      observation(
        eventId,
        stripeType,
        created,
        subscriptionState(id, {
          ...state,
          previous: stripeType === 'customer.subscription.updated' ? previous : null,
        }),
      ),
    );
}

const lines: fc.Arbitrary<InvoiceLine> = fc
  .record({
    price: fc.constantFrom(...ALL_PRICES.map((price) => price.price)),
    amount: fc.constantFrom(1000, 1000, 0, -500),
    subtotal: fc.constantFrom('same', 'same', 'absent', 'zero'),
    discounts: fc.constantFrom(0, 0, 100),
    credits: fc.constantFrom(0, 0, 0, 100),
    reduced: rare(9),
    quantity: fc.constantFrom(1, 1, 2, null),
    start: seconds,
    end: seconds,
  })
  .map(({ price, amount, subtotal, discounts, credits, reduced, start, end, quantity }) =>
    line(price, amount, start, end, {
      subtotal: { same: amount, absent: null, zero: 0 }[subtotal] ?? null,
      discounts,
      credits,
      reduced: reduced || discounts > 0 || credits > 0,
      quantity,
      billingScheme: price === TOLD_BY_LINES ? 'tiered' : null,
    }),
  );

/** The one price whose lines carry the whole price. */
const TOLD_BY_LINES = 'price_plus_tiered';

const invoiceKinds = fc.constantFrom<readonly [string, string]>(
  ['invoice.paid', 'paid'],
  ['invoice.paid', 'paid'],
  ['invoice.payment_succeeded', 'paid'],
  ['invoice.payment_failed', 'open'],
  ['invoice.payment_failed', 'open'],
  ['invoice.marked_uncollectible', 'uncollectible'],
  ['invoice.voided', 'void'],
);

function invoices(id: string): fc.Arbitrary<InvoiceObservation> {
  return fc
    .record({
      eventId: eventIds('i'),
      kind: invoiceKinds,
      created: seconds,
      invoice: fc.constantFrom('in_1', 'in_2', 'in_3'),
      own: seconds,
      billingReason: fc.constantFrom(
        'subscription_cycle',
        'subscription_create',
        'subscription_update',
        null,
      ),
      attemptCount: fc.constantFrom(0, 1),
      linesTruncated: rare(5),
      ofCustomer: rare(5),
      uncollectibleReason: fc.constantFrom(
        null,
        'max_payment_attempts',
        'payment_not_received',
        'requested_by_merchant',
      ),
      lines: fc.array(lines, { minLength: 1, maxLength: 2 }),
    })
    .map(({ eventId, kind: [type, status], created, own, ofCustomer, ...rest }) => {
      const told = invoiceFact(eventId, type, created, { subscription: id, status, ...rest, created: own });
      return ofCustomer ? throughCustomer(told, 'cus_1') : told;
    });
}

function checkouts(id: string): fc.Arbitrary<CheckoutObservation> {
  return fc
    .record({
      eventId: eventIds('c'),
      type: fc.constantFrom(
        'CheckoutCompleted' as const,
        'CheckoutCompleted' as const,
        'CheckoutPaymentSucceeded' as const,
        'CheckoutPaymentFailed' as const,
        'CheckoutExpired' as const,
      ),
      created: seconds,
      payment: fc.constantFrom('unpaid', 'paid', 'no_payment_required'),
    })
    .map(({ eventId, type, created, payment }) => checkoutFact(eventId, type, created, id, payment));
}

const byEventId = { selector: (fact: { readonly eventId: string }) => fact.eventId };

/** Lives of one subscription without rhyme or reason. */
export function noisySubscription(id: string): fc.Arbitrary<SubscriptionFacts> {
  return fc.record({
    subscription: fc.constant(id),
    observations: fc.uniqueArray(observations(id), { maxLength: 6, ...byEventId }),
    invoices: fc.uniqueArray(invoices(id), { maxLength: 4, ...byEventId }),
    checkouts: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.uniqueArray(checkouts(id), { maxLength: 2, ...byEventId }) },
    ),
    payments: fc.constant([]),
    customerDeleted: rare(19),
  });
}
