import fc from 'fast-check';
import type { SubscriptionItem } from '../../src/events/subscription.events.js';
import type { PaymentObservation, SubscriptionFacts } from '../../src/policy/facts.js';
import { ADDON_PRICES, PLAN_PRICES, type Price } from './lives.catalog.js';
import {
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
 * Lives about one question: is what was paid still paid? Bills of a month, an upgrade or an add-on, payments that are named
 * by intent, charge, record or both in every way, and refunds and disputes of all of them, of parts, in any order.
 */

const find = (prices: readonly Price[], id: string): Price => {
  const found = prices.find(({ price }) => price === id);
  if (found === undefined) throw new Error(`no price ${id}`);
  return found;
};
const PLUS = find(PLAN_PRICES, 'price_plus_m');
const PRO = find(PLAN_PRICES, 'price_pro_m');
const TEAM = find(PLAN_PRICES, 'price_team');
const ENT = find(PLAN_PRICES, 'price_ent');
const SEAT = find(ADDON_PRICES, 'price_seat');

const moments = fc.constantFrom(0, 0, 10, 100, 100, 200, 300, DAY).map((after) => DAWN + after);
const seldom = (times: number) => fc.constantFrom(...Array.from({ length: times }, () => false), true);
/** Which of a few bills, payments, refunds or disputes; mostly the first. */
const which = fc.constantFrom<number>(0, 0, 0, 1, 1, 2);

const seens = fc.record({
  created: moments,
  items: fc
    .constantFrom([PLUS], [PLUS], [PRO], [PRO], [ENT], [TEAM], [PLUS, SEAT], [PRO, SEAT], [SEAT])
    .map((prices) => prices.map((price) => item(price, 1, DAWN, DAWN + MONTH))),
  status: fc.constantFrom(
    'active',
    'active',
    'active',
    'active',
    'past_due',
    'unpaid',
    'trialing',
    'canceled',
  ),
  told: seldom(3),
});

const bills = fc.record({
  price: fc.constantFrom(PLUS, PLUS, PRO, PRO, TEAM, ENT, SEAT),
  second: fc.constantFrom(null, null, null, PLUS, SEAT),
  credited: fc.constantFrom(null, null, PLUS, PRO),
  status: fc.constantFrom('paid', 'paid', 'paid', 'paid', 'paid', 'open', 'uncollectible'),
  reason: fc.constantFrom('subscription_create', 'subscription_cycle', 'subscription_update'),
  created: moments,
  told: fc.constantFrom(0, 2),
  starts: fc.constantFrom(DAWN, DAWN, DAWN + 100),
  ends: fc.constantFrom(DAWN + MONTH, DAWN + MONTH, DAWN + 200),
  names: fc.constantFrom('none', 'none', 'intent', 'charge', 'both'),
  payment: which,
  charge: which,
  balance: fc.constantFrom(0, 0, 0, 400),
  isAttached: fc.boolean(),
  again: seldom(5),
  cut: seldom(11),
  tag: fc.nat(0xff),
});

const named = fc.record({
  names: fc.constantFrom('intent', 'both', 'both', 'charge', 'record'),
  payment: which,
  charge: which,
  invoice: fc.constantFrom(null, null, null, 0, 1),
});
const amounts = fc.constantFrom(1000, 1000, 1000, 900, 899, 500, 100, null);
const currencies = fc.constantFrom('usd', 'usd', 'usd', 'usd', 'usd', 'eur', null);
const STATUSES = [
  'needs_response',
  'needs_response',
  'under_review',
  'lost',
  'lost',
  'won',
  'won',
  'warning_needs_response',
  'warning_closed',
  'prevented',
  'appeal_needs_response',
  'appeal_under_review',
  'arbitrated',
];

const events = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      of: fc.constant('attachment' as const),
      named,
      invoice: which,
      amount: amounts,
      currency: currencies,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      of: fc.constant('charge' as const),
      named,
      amount: amounts,
      refundedOf: fc.constantFrom(1000, 1000, 900, 899, 500, 100, null),
      refunded: fc.boolean(),
      currency: currencies,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      of: fc.constant('failure' as const),
      named,
      refund: which,
      amount: amounts,
      currency: currencies,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      of: fc.constant('dispute' as const),
      named,
      dispute: which,
      stripeType: fc.constantFrom('created', 'updated', 'funds_withdrawn', 'closed'),
      status: fc.constantFrom(...STATUSES),
      caseType: fc.constantFrom('chargeback', 'chargeback', 'resolution', 'block', null),
      amount: amounts,
      currency: currencies,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ of: fc.constant('warning' as const), named, actionable: fc.boolean() }),
  },
);
const told = fc.tuple(events, moments, fc.nat(0xff));

/** Lives of one subscription that turn on what of its payments went back. */
export function disputedSubscription(id: string): fc.Arbitrary<SubscriptionFacts> {
  return fc
    .record({
      first: fc.constantFrom('created', 'created', 'created', 'sendInvoice', 'lost'),
      seen: fc.array(seens, { minLength: 1, maxLength: 4 }),
      bills: fc.array(bills, { minLength: 1, maxLength: 3 }),
      told: fc.array(told, { maxLength: 6 }),
      isUpgrade: fc.boolean(),
    })
    .map(({ isUpgrade, ...life }) => (isUpgrade ? { ...life, ...upgradeOf(life) } : life))
    .map(({ first, seen, bills: billed, told: all }) => ({
      subscription: id,
      customerDeleted: false,
      checkouts: [],
      observations: [...seen]
        .sort((a, b) => a.created - b.created)
        .map((one, i, sorted) => {
          const bornHere = i === 0 && first !== 'lost';
          const before: SubscriptionItem[] | undefined = sorted[i - 1]?.items;
          return observation(
            `evt_${i}`,
            `customer.subscription.${bornHere ? 'created' : 'updated'}`,
            bornHere ? DAWN : one.created,
            subscriptionState(id, {
              status: one.status,
              items: one.items,
              trialEnd: one.status === 'trialing' ? DAWN + DAY : null,
              collectionMethod: first === 'sendInvoice' ? 'send_invoice' : 'charge_automatically',
              previous:
                bornHere || before === undefined
                  ? null
                  : previousAttributes(one.told ? { items: before } : {}, { i }),
            }),
          );
        }),
      invoices: billed.flatMap((bill, i) => {
        const prices = [bill.price, ...(bill.second === null ? [] : [bill.second])];
        const lines = [
          ...prices.map(({ price }) => line(price, 1000, bill.starts, bill.ends)),
          ...(bill.credited === null ? [] : [line(bill.credited.price, -300, bill.starts, bill.ends)]),
        ];
        const fact = (told: number, status: string, names: string) =>
          invoiceFact(`evt_i${bill.tag}_${i}_${status}`, TYPES[status] ?? 'invoice.finalized', told, {
            invoice: `in_${id}_${i}`,
            subscription: id,
            status,
            created: bill.created,
            billingReason: bill.reason,
            attemptCount: 1,
            linesTruncated: bill.cut,
            total: 1000,
            amountDue: 1000 - bill.balance,
            paymentIntent: names === 'intent' || names === 'both' ? `pi_${id}_${bill.payment}` : null,
            charge: names === 'charge' || names === 'both' ? `ch_${id}_${bill.charge}` : null,
            lines,
          });
        const own = fact(bill.created + bill.told, bill.status, bill.names);
        return bill.again && bill.status !== 'open' ? [fact(bill.created, 'open', 'both'), own] : [own];
      }),
      payments: [
        ...billed.flatMap((bill, i) => (bill.isAttached ? [attachmentOf(id, bill, i)] : [])),
        ...all.map(([event, created, tag], i) => toldOfPayment(id, event, created, `evt_p${tag}_${i}_${id}`)),
      ],
    }));
}

const TYPES: Readonly<Record<string, string>> = {
  paid: 'invoice.paid',
  open: 'invoice.payment_failed',
  uncollectible: 'invoice.marked_uncollectible',
};

const held = (price: Price) => [item(price, 1, DAWN, DAWN + MONTH)];

/** The same life, begun by plus and moved to pro; a second bill is for that. */
function upgradeOf({
  seen,
  bills: billed,
}: {
  readonly seen: readonly Seen[];
  readonly bills: readonly Bill[];
}) {
  const [one] = seen;
  const [first, second, ...others] = billed;
  if (one === undefined || first === undefined) return {};
  const active = { ...one, status: 'active' as const, told: true };
  return {
    first: 'created' as const,
    seen: [
      { ...active, created: DAWN, items: held(PLUS) },
      { ...active, created: DAWN + 100, items: held(PRO) },
    ],
    bills: [
      { ...first, price: PLUS, reason: 'subscription_create' as const, created: DAWN },
      ...(second === undefined ? [] : [{ ...second, price: PRO, created: DAWN + 100, isAttached: true }]),
      ...others,
    ],
  };
}

/** What most invoices have: one payment of all of it. */
function attachmentOf(id: string, bill: Bill, i: number): PaymentObservation {
  const names = { names: 'intent', payment: bill.payment, charge: 0, invoice: null } as const;
  const event = { of: 'attachment', named: names, amount: 1000, currency: 'usd' } as const;
  return toldOfPayment(id, { ...event, invoice: i }, bill.created, `evt_a${i}_${id}`);
}

type Seen = typeof seens extends fc.Arbitrary<infer T> ? T : never;
type Bill = typeof bills extends fc.Arbitrary<infer T> ? T : never;
type ToldEvent = typeof events extends fc.Arbitrary<infer T> ? T : never;

function toldOfPayment(id: string, event: ToldEvent, created: number, eventId: string): PaymentObservation {
  const names = namesOf(id, event.named);
  switch (event.of) {
    case 'attachment': {
      const record = event.named.names === 'record' ? `pr_${id}_${event.named.payment}` : null;
      return {
        eventId,
        created,
        stripeType: 'invoice_payment.paid',
        type: 'PaymentAttachedToInvoice',
        data: {
          ...(record === null ? names : { payment: record, paymentIntent: null, charge: null }),
          invoice: `in_${id}_${event.invoice}`,
          invoicePayment: `inpay_${eventId}`,
          paymentRecord: record,
          status: 'paid',
          amountPaid: event.amount,
          currency: event.currency,
        },
      };
    }
    case 'charge':
      return {
        eventId,
        created,
        stripeType: 'charge.refunded',
        type: 'PaymentRefunded',
        data: {
          ...names,
          charge: `ch_${id}_${event.named.charge}`,
          amount: event.amount,
          amountRefunded: event.refundedOf,
          refunded: event.refunded,
          currency: event.currency,
        },
      };
    case 'failure':
      return {
        eventId,
        created,
        stripeType: 'refund.failed',
        type: 'PaymentRefundFailed',
        data: {
          ...names,
          refund: `re_${id}_${event.refund}`,
          status: 'failed',
          failureReason: null,
          amount: event.amount,
          currency: event.currency,
        },
      };
    case 'dispute':
      return {
        eventId,
        created,
        stripeType: `charge.dispute.${event.stripeType}`,
        type: event.stripeType === 'closed' ? 'DisputeClosed' : 'PaymentDisputed',
        data: {
          ...names,
          dispute: `du_${id}_${event.dispute}`,
          status: event.status,
          caseType: event.caseType,
          reason: null,
          amount: event.amount,
          currency: event.currency,
        },
      };
    case 'warning':
      return {
        eventId,
        created,
        stripeType: 'radar.early_fraud_warning.created',
        type: 'PaymentWarned',
        data: { ...names, warning: `issfr_${eventId}`, fraudType: null, actionable: event.actionable },
      };
  }
}

function namesOf(id: string, told: ToldEvent['named']) {
  const paymentIntent = told.names === 'charge' ? null : `pi_${id}_${told.payment}`;
  const charge = told.names === 'intent' ? null : `ch_${id}_${told.charge}`;
  const invoice = told.invoice === null ? null : `in_${id}_${told.invoice}`;
  const payment = paymentIntent ?? charge ?? '';
  return { payment, paymentIntent, charge, invoice };
}
