import fc from 'fast-check';
import type { PlanCatalog } from '../../src/events/catalog.events.js';
import type { CheckoutEventType } from '../../src/events/checkout.events.js';
import type { CheckoutObservation, PaymentObservation, PurchaseFacts } from '../../src/policy/facts.js';
import { DAWN, DAY } from './lives.facts.js';

const moments = fc.constantFrom(0, 0, 10, 100, DAY, 9 * DAY).map((after) => DAWN + after);
const PRICES = ['once_pro', 'once_team', 'price_plus_m', 'mug'];

/** A catalogue of which two plans are sold for good, too. */
export function withLifetimePrices(catalog: PlanCatalog): PlanCatalog {
  const plans = { ...catalog.plans };
  for (const [name, price] of [
    ['pro', 'once_pro'],
    ['team', 'once_team'],
  ] as const) {
    const plan = plans[name];
    if (plan !== undefined) plans[name] = { ...plan, prices: { ...plan.prices, lifetime: price } };
  }
  return { ...catalog, plans };
}

const sights = fc.record({
  type: fc.constantFrom<CheckoutEventType>(
    'CheckoutCompleted',
    'CheckoutCompleted',
    'CheckoutPaymentSucceeded',
    'CheckoutPaymentFailed',
    'CheckoutExpired',
    'CheckoutRetrieved',
  ),
  created: moments,
  mode: fc.constantFrom('payment', 'payment', 'payment', 'subscription', null),
  status: fc.constantFrom('complete', 'complete', 'open'),
  paymentStatus: fc.constantFrom('paid', 'paid', 'no_payment_required', 'unpaid', null),
  paymentIntent: fc.constantFrom('pi_1', 'pi_1', 'pi_1', 'pi_2', null),
  customer: fc.constantFrom('cus_1', null),
  amountTotal: fc.constantFrom(1000, 1000, 900, null),
  currency: fc.constantFrom('usd', 'usd', 'eur', null),
  lineItems: fc.option(
    fc.array(
      fc.record({
        price: fc.constantFrom(...PRICES),
        lookupKey: fc.constantFrom(null, null, 'once_pro'),
        product: fc.constantFrom(null, null, 'once_team'),
        quantity: fc.constantFrom(1, 1, 7, 0, null),
      }),
      { maxLength: 2 },
    ),
  ),
});

const troubles = fc.record({
  what: fc.constantFrom('refund', 'refund', 'failed', 'dispute', 'closed'),
  created: moments,
  names: fc.constantFrom('intent', 'charge', 'both', 'both'),
  amount: fc.constantFrom(1000, 1000, 900, 899, 100, null),
  status: fc.constantFrom('needs_response', 'lost', 'won', 'warning_needs_response', 'new_status'),
  refunded: fc.boolean(),
});

/** One or two sessions with what was told of them, in no order. */
export function boughtOnce(): fc.Arbitrary<readonly PurchaseFacts[]> {
  return fc.array(purchase(), { minLength: 1, maxLength: 2 }).map((all) =>
    all.map((facts, n) => ({
      ...facts,
      session: `cs_${n}`,
      observations: facts.observations.map((each) => ({ ...each, eventId: `${each.eventId}_${n}` })),
      payments: facts.payments.map((each) => ({ ...each, eventId: `${each.eventId}_${n}` })),
    })),
  );
}

function purchase(): fc.Arbitrary<PurchaseFacts> {
  return fc
    .record({
      seen: fc.array(sights, { minLength: 1, maxLength: 4 }),
      wrong: fc.array(troubles, { maxLength: 3 }),
      started: fc.option(
        fc.record({ price: fc.constantFrom(...PRICES), quantity: fc.constantFrom(1, 3, null) }),
      ),
    })
    .map(({ seen, wrong, started }) => ({
      session: 'cs',
      observations: seen.map(
        ({ type, created, ...data }, n): CheckoutObservation => ({
          eventId: `evt_cs${n}`,
          stripeType: type === 'CheckoutRetrieved' ? '' : 'checkout.session.completed',
          created,
          type,
          data: {
            session: 'cs',
            subscription: null,
            invoice: null,
            created,
            metadataUserId: 'u1',
            clientReferenceId: null,
            ...data,
          },
        }),
      ),
      started:
        started === null ? null : { eventId: 'evt_started', stripeType: '', created: DAWN, ...started },
      payments: wrong.map(trouble),
    }));
}

type Trouble = typeof troubles extends fc.Arbitrary<infer T> ? T : never;

function trouble({ what, created, names, amount, status, refunded }: Trouble, n: number): PaymentObservation {
  const paymentIntent = names === 'charge' ? null : 'pi_1';
  const charge = names === 'intent' && what !== 'refund' ? null : 'ch_1';
  const named = { payment: paymentIntent ?? 'ch_1', paymentIntent, charge, invoice: null };
  const origin = { eventId: `evt_pay${n}`, created };
  const currency = 'usd';
  switch (what) {
    case 'refund':
      return {
        ...origin,
        stripeType: 'charge.refunded',
        type: 'PaymentRefunded',
        data: { ...named, charge: 'ch_1', amount: 1000, amountRefunded: amount, refunded, currency },
      };
    case 'failed':
      return {
        ...origin,
        stripeType: 'refund.failed',
        type: 'PaymentRefundFailed',
        data: { ...named, refund: 're_1', status: 'failed', failureReason: null, amount, currency },
      };
    default: {
      const data = { ...named, dispute: 'du_1', status, caseType: null, reason: null, amount, currency };
      return what === 'closed'
        ? { ...origin, stripeType: 'charge.dispute.closed', type: 'DisputeClosed', data }
        : { ...origin, stripeType: 'charge.dispute.created', type: 'PaymentDisputed', data };
    }
  }
}
