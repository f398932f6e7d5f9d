import { createHash } from 'node:crypto';
import { type PlanCatalog, planCatalogSchema } from '../../src/events/catalog.events.js';
import type { CheckoutEventType, CheckoutObservationData } from '../../src/events/checkout.events.js';
import type { InvoiceLine, InvoiceObservationData } from '../../src/events/invoice.events.js';
import type { DisputeObservationData, PaymentNames } from '../../src/events/payment.events.js';
import type {
  PreviousAttributes,
  SubscriptionItem,
  SubscriptionObservationData,
} from '../../src/events/subscription.events.js';
import type { Entitlement } from '../../src/policy/entitlement.js';
import type {
  CheckoutObservation,
  CheckoutStart,
  InvoiceObservation,
  Observation,
  PaymentObservation,
  PurchaseFacts,
  SubscriptionFacts,
} from '../../src/policy/facts.js';
import { judge } from '../../src/policy/judge.js';

/** Seconds of a day. */
export const DAY = 86_400;
/** Where all stories begin, in Unix seconds. */
const EPOCH = 1_793_526_000;

/** The second `n` days into a story. */
export function day(n: number): number {
  return EPOCH + n * DAY;
}

/** Unix milliseconds of a second. */
export function at(second: number): number {
  return second * 1000;
}

export type Told = { readonly of: string } & (
  | { readonly kind: 'observation'; readonly fact: Observation }
  | { readonly kind: 'invoice'; readonly fact: InvoiceObservation }
  | { readonly kind: 'checkout'; readonly fact: CheckoutObservation }
  | { readonly kind: 'payment'; readonly fact: PaymentObservation }
);

/** What was told of one subscription, in any order. */
export type SubscriptionStory = readonly Told[];

let counter = 0;

function nextId(): string {
  counter += 1;
  return `evt_${String(counter).padStart(6, '0')}`;
}

/** The facts of a story. */
export function subscription(story: SubscriptionStory): SubscriptionFacts {
  return {
    subscription: story[0]?.of ?? 'sub_1',
    observations: story.flatMap((told) => (told.kind === 'observation' ? [told.fact] : [])),
    invoices: story.flatMap((told) => (told.kind === 'invoice' ? [told.fact] : [])),
    checkouts: story.flatMap((told) => (told.kind === 'checkout' ? [told.fact] : [])),
    payments: story.flatMap((told) => (told.kind === 'payment' ? [told.fact] : [])),
    customerDeleted: false,
  };
}

/** A licensed item of quantity 1 on a price, paid up to day 30. */
export function item(price: string): SubscriptionItem {
  return {
    id: `si_${price}`,
    price,
    lookupKey: null,
    product: `prod_${price.split('_')[0]}`,
    quantity: 1,
    unitAmount: '1000',
    currency: 'usd',
    usageType: 'licensed',
    billingScheme: 'per_unit',
    currentPeriodStart: day(0),
    currentPeriodEnd: day(30),
  };
}

type Previous = Omit<PreviousAttributes, 'names' | 'digest'>;

/** One sight of the subscription: active with what is not said otherwise. `previous` is what the change names. */
export function seen(
  type: string,
  created: number,
  more: Partial<Omit<SubscriptionObservationData, 'previous'>> & { previous?: Previous; id?: string },
): Told {
  const { previous, id, ...data } = more;
  return {
    kind: 'observation',
    of: 'sub_1',
    fact: {
      eventId: id ?? nextId(),
      stripeType: `customer.subscription.${type}`,
      created,
      type: 'SubscriptionUpdated',
      data: {
        subscription: 'sub_1',
        customer: 'cus_1',
        status: 'active',
        startedAt: day(0),
        items: [],
        itemsTruncated: false,
        cancelAt: null,
        cancelAtPeriodEnd: false,
        canceledAt: null,
        endedAt: null,
        trialStart: null,
        trialEnd: null,
        pauseCollection: null,
        collectionMethod: 'charge_automatically',
        pendingUpdate: null,
        latestInvoice: null,
        testClock: null,
        cancellationReason: null,
        userId: null,
        ...data,
        previous:
          previous === undefined
            ? null
            : {
                ...previous,
                names: Object.keys(previous).sort(),
                digest: createHash('sha256').update(JSON.stringify(previous)).digest('hex'),
              },
      },
    },
  };
}

/** A line of an invoice over `amount` minor units. */
export function line(price: string, amount: number, periodStart: number, periodEnd: number): InvoiceLine {
  return {
    id: `il_${price}`,
    price,
    product: null,
    subscription: null,
    billingScheme: null,
    amount,
    subtotal: amount,
    discounts: 0,
    credits: 0,
    reduced: false,
    proration: false,
    quantity: 1,
    periodStart,
    periodEnd,
  };
}

const INVOICES = {
  open: { stripeType: 'invoice.finalized', type: 'SubscriptionInvoiceFinalized', status: 'open' },
  voided: { stripeType: 'invoice.voided', type: 'SubscriptionInvoiceVoided', status: 'void' },
  paid: { stripeType: 'invoice.paid', type: 'SubscriptionPaid', status: 'paid' },
  failed: { stripeType: 'invoice.payment_failed', type: 'SubscriptionPaymentFailed', status: 'open' },
  uncollectible: {
    stripeType: 'invoice.marked_uncollectible',
    type: 'SubscriptionInvoiceUncollectible',
    status: 'uncollectible',
  },
} as const;

/** One sight of an invoice, created in the second it is told of unless said otherwise. */
export function invoice(
  what: keyof typeof INVOICES,
  told: number,
  { id = 'in_1', ...more }: Partial<InvoiceObservationData> & { id?: string },
): Told {
  const { stripeType, type, status } = INVOICES[what];
  return {
    kind: 'invoice',
    of: 'sub_1',
    fact: {
      eventId: nextId(),
      stripeType,
      created: told,
      type,
      data: {
        invoice: id,
        subscription: 'sub_1',
        customer: 'cus_1',
        status,
        created: told,
        billingReason: 'subscription_cycle',
        collectionMethod: 'charge_automatically',
        attemptCount: 1,
        uncollectibleReason: null,
        paymentIntent: null,
        charge: null,
        currency: 'usd',
        total: null,
        amountDue: null,
        amountPaid: null,
        lines: [],
        linesTruncated: false,
        ...more,
      },
    },
  };
}

/** One sight of the checkout session that names the subscription. */
export function checkout(type: CheckoutEventType, created: number, paymentStatus: string): Told {
  return {
    kind: 'checkout',
    of: 'sub_1',
    fact: {
      eventId: nextId(),
      stripeType: 'checkout.session.completed',
      created,
      type,
      data: {
        session: 'cs_1',
        customer: 'cus_1',
        subscription: 'sub_1',
        invoice: null,
        paymentIntent: null,
        mode: 'subscription',
        status: 'complete',
        paymentStatus,
        created,
        metadataUserId: null,
        clientReferenceId: null,
        amountTotal: null,
        currency: null,
        lineItems: null,
      },
    },
  };
}

/**
 * One sight of a session of mode `payment`, with the payment `pi_1`; `sold` are its line items, in units by price, `null`
 * where it was not asked for them.
 */
export function sale(
  type: CheckoutEventType,
  created: number,
  sold: Readonly<Record<string, number>> | null,
  more: Partial<CheckoutObservationData> = {},
): SaleTold {
  return {
    kind: 'sale',
    fact: {
      eventId: nextId(),
      stripeType: type === 'CheckoutRetrieved' ? '' : 'checkout.session.completed',
      created,
      type,
      data: {
        session: 'cs_1',
        customer: 'cus_1',
        subscription: null,
        invoice: null,
        paymentIntent: 'pi_1',
        mode: 'payment',
        status: type === 'CheckoutExpired' ? 'expired' : 'complete',
        paymentStatus: 'paid',
        created,
        metadataUserId: null,
        clientReferenceId: null,
        amountTotal: 1000,
        currency: 'usd',
        lineItems:
          sold === null
            ? null
            : Object.entries(sold).map(([price, quantity]) => ({
                price,
                lookupKey: null,
                product: null,
                quantity,
              })),
        ...more,
      },
    },
  };
}

/** What Tenure started the session to sell. */
export function started(price: string, quantity: number | null, created: number): SaleTold {
  return { kind: 'started', fact: { eventId: nextId(), stripeType: '', created, price, quantity } };
}

/** The facts of a session of mode `payment`, told in any order. */
export function purchase(story: PurchaseStory, session = 'cs_1'): PurchaseFacts {
  return {
    session,
    observations: story.flatMap((told) =>
      told.kind === 'sale' ? [{ ...told.fact, data: { ...told.fact.data, session } }] : [],
    ),
    started: story.flatMap((told) => (told.kind === 'started' ? [told.fact] : []))[0] ?? null,
    payments: story.flatMap((told) => (told.kind === 'payment' ? [told.fact] : [])),
  };
}

/** What is told of a session of mode `payment`, or of what Tenure started it to sell. */
export type SaleTold =
  | { readonly kind: 'sale'; readonly fact: CheckoutObservation }
  | { readonly kind: 'started'; readonly fact: CheckoutStart };

/** What was told of one purchase, in any order. */
export type PurchaseStory = readonly (SaleTold | Extract<Told, { kind: 'payment' }>)[];

/** A catalogue for stories: two plans, one sold by the seat, add-ons with limits and features; `policy` as it is said. */
type PaymentTold = PaymentObservation extends infer T
  ? T extends PaymentObservation
    ? Pick<T, 'type' | 'stripeType' | 'created'> & {
        readonly data: Omit<T['data'], 'payment' | 'paymentIntent' | 'charge' | 'invoice'> & {
          readonly invoice?: string;
        };
      }
    : never
  : never;

/** Something told of the payment `pi_1`, of the charge `ch_1`, unless `names` say otherwise. */
function payment(told: PaymentTold, names: Partial<PaymentNames>): Extract<Told, { kind: 'payment' }> {
  const { type, stripeType, created } = told;
  const paymentIntent = names.paymentIntent === undefined ? 'pi_1' : names.paymentIntent;
  const charge = names.charge === undefined ? 'ch_1' : names.charge;
  const ids = { payment: paymentIntent ?? charge ?? 'pr_1', paymentIntent, charge };
  const data = { invoice: null, ...told.data, ...ids };
  const fact = { eventId: nextId(), type, stripeType, created, data } as PaymentObservation;
  return { of: 'sub_1', kind: 'payment', fact };
}

/** `invoice_payment.paid`: a payment of 1000 paid an invoice. */
export function attached(
  invoiceId: string,
  created: number,
  names: Partial<PaymentNames> = {},
  more = {},
): Extract<Told, { kind: 'payment' }> {
  const data = {
    invoice: invoiceId,
    invoicePayment: `inpay_${invoiceId}`,
    paymentRecord: null,
    status: 'paid',
    amountPaid: 1000,
    currency: 'usd',
    ...more,
  };
  return payment(
    { type: 'PaymentAttachedToInvoice', stripeType: 'invoice_payment.paid', created, data },
    { charge: null, ...names },
  );
}

/** `charge.refunded`: of a charge of 1000 so much is refunded by now. */
export function refunded(
  amountRefunded: number,
  created: number,
  names: Partial<PaymentNames> = {},
): Extract<Told, { kind: 'payment' }> {
  const data = { amount: 1000, amountRefunded, refunded: amountRefunded >= 1000, currency: 'usd' };
  return payment(
    { type: 'PaymentRefunded', stripeType: 'charge.refunded', created, data } as PaymentTold,
    names,
  );
}

/** `refund.failed` of a refund. */
export function refundFailed(
  refund: string,
  amount: number,
  created: number,
): Extract<Told, { kind: 'payment' }> {
  const data = { refund, amount, status: 'failed', failureReason: null, currency: 'usd' };
  return payment({ type: 'PaymentRefundFailed', stripeType: 'refund.failed', created, data }, {});
}

/** `radar.early_fraud_warning.updated` of a warning, `issfr_1` unless `warning` says otherwise. */
export function warned(
  actionable: boolean,
  created: number,
  warning = 'issfr_1',
): Extract<Told, { kind: 'payment' }> {
  const data = { warning, fraudType: null, actionable };
  const stripeType = 'radar.early_fraud_warning.updated';
  return payment({ type: 'PaymentWarned', stripeType, created, data }, {});
}

/** `charge.dispute.created`, `updated` or `closed`: how the dispute `du_1` over 1000 stands, unless `more` says otherwise. */
export function dispute(
  what: 'created' | 'updated' | 'closed',
  status: string,
  created: number,
  names: Partial<PaymentNames> = {},
  more: Partial<DisputeObservationData> = {},
): Extract<Told, { kind: 'payment' }> {
  const data = {
    dispute: 'du_1',
    status,
    caseType: 'chargeback',
    reason: null,
    amount: 1000,
    currency: 'usd',
    ...more,
  };
  const type = what === 'closed' ? 'DisputeClosed' : 'PaymentDisputed';
  return payment({ type, stripeType: `charge.dispute.${what}`, created, data } as PaymentTold, names);
}

/** As `dispute`, but told by Stripe's API when it was asked. */
export function disputeShown(status: string, created: number): Extract<Told, { kind: 'payment' }> {
  const told = dispute('updated', status, created);
  const fact = { ...told.fact, stripeType: '', eventId: `retrieved/du_1/${told.fact.eventId}` };
  return { ...told, fact };
}

export function storyCatalog(policy: Record<string, unknown> = {}): PlanCatalog {
  return planCatalogSchema.parse({
    default: 'free',
    policy,
    plans: {
      free: { rank: 0, role: 'free', features: ['reports'], limits: { members: 50 } },
      plus: {
        rank: 1,
        role: 'paid',
        features: ['export'],
        limits: { members: 500 },
        prices: { m: ['plus_m', 'plus_m_old'], y: 'plus_y', tiered: 'plus_tiered' },
      },
      team: {
        rank: 2,
        role: 'paid',
        features: ['shared'],
        perUnit: { members: 100 },
        prices: { m: 'team_m', key: 'team_key', lifetime: 'team_once' },
      },
      pro: {
        rank: 3,
        role: 'paid',
        features: ['api'],
        limits: { members: 5000 },
        prices: { m: 'pro_m', usage: 'pro_usage', key: 'pro_key', lifetime: ['pro_once', 'pro_once_key'] },
      },
      scale: { rank: 4, role: 'paid', features: ['sso'], prices: { any: 'prod_scale' } },
    },
    addons: {
      seats: { prices: ['seat_m', 'seat_y'], limits: { members: 10 } },
      audit: { prices: ['audit_m'], features: ['audit'] },
    },
  });
}

/** What the stories of a user, one a subscription, entitle to in a second. */
export function entitledBy(
  stories: readonly SubscriptionStory[],
  second: number,
  policy: Record<string, unknown> = {},
): Entitlement {
  const subscriptions = stories.map(subscription);
  return judge({ subscriptions }, storyCatalog(policy), at(second)).entitlement;
}
