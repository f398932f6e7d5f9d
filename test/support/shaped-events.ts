import { invoiceOfSubscription, subscriptionsOfLines } from '../../src/events/invoice.events.js';
import type { SubscriptionFacts } from '../../src/policy/facts.js';
import { translateStripeEvent } from '../../src/stripe/translate/stripe-event.translator.js';
import { type Facts, subscriptionsByOwner } from './histories.js';
import { day } from './policy-stories.js';
import { checkoutObject, customerObject, type StripeEvent, stripeEvent } from './stripe-events.js';
import { chargeObject, disputeObject, invoicePaymentObject, refundObject } from './stripe-payments.js';
import {
  invoiceIn,
  type Period,
  type ShownItem,
  type ShownLine,
  type StripeShape,
  subscriptionIn,
} from './stripe-shapes.js';
import { TRANSLATION } from './translated.js';

/** What a subscription shows: `sub_1` of `cus_1`, active, of the user ann, its month from the first day, unless said otherwise. */
export interface ShownSubscription {
  readonly items: readonly ShownItem[];
  readonly id?: string;
  readonly customer?: string;
  readonly user?: string | null;
  readonly status?: string;
  readonly period?: Period;
  /** Fields that are alike in every shape. */
  readonly more?: object;
  /** What was before: items, and fields that are alike in every shape. */
  readonly before?: { readonly items?: readonly ShownItem[]; readonly [field: string]: unknown };
  /** Fields of the event. */
  readonly event?: object;
}

/** What an invoice shows: of `sub_1` (`null`: of none itself), created when it is told of, unless said otherwise. */
export interface ShownInvoice {
  readonly lines: readonly ShownLine[];
  readonly id?: string;
  readonly subscription?: string | null;
  readonly status?: string;
  readonly reason?: string;
  readonly period?: Period;
  readonly isCut?: boolean;
  readonly more?: object;
}

/** The first month of all stories. */
export const MONTH: Period = { from: day(0), until: day(30) };

/** Events as Stripe makes them in one shape of its API, or in several by turns, as two endpoints of different versions do. */
export class ShapedEvents {
  #invoices = 0;
  #events = 0;

  constructor(private readonly shapes: readonly [StripeShape, ...StripeShape[]]) {}

  /** An event `customer.subscription.{type}` of a second. */
  subscription(type: string, created: number, shown: ShownSubscription): StripeEvent {
    const { items, id = 'sub_1', customer = 'cus_1', user = 'ann', period = MONTH } = shown;
    const shape = this.#shape();
    const { items: was, ...others } = shown.before ?? {};
    const before = { ...others, ...(was === undefined ? {} : shape.itemsBefore(was, items, period)) };
    const object = subscriptionIn(shape, {
      id,
      customer,
      items,
      period,
      more: {
        status: shown.status ?? 'active',
        created: day(0),
        start_date: day(0),
        metadata: user === null ? {} : { user_id: user },
        ...shown.more,
      },
    });
    return this.#event(shape, `customer.subscription.${type}`, object, created, {
      ...(shown.before === undefined ? {} : { previous: before }),
      ...shown.event,
    });
  }

  /** An item as a `pending_update` has it. */
  pendingUpdate(...items: readonly ShownItem[]): object {
    return {
      expires_at: day(4),
      subscription_items: items.map((item) => this.#shape().item(item, MONTH)),
    };
  }

  /** An event `invoice.{type}` of a second. */
  invoice(type: string, created: number, shown: ShownInvoice): StripeEvent {
    const shape = this.#shape();
    this.#invoices += 1;
    const { id = `in_${this.#invoices}`, subscription = 'sub_1', period = MONTH } = shown;
    const object = invoiceIn(shape, {
      id,
      customer: 'cus_1',
      subscription,
      linesOf: 'sub_1',
      created,
      lines: shown.lines,
      period,
      more: {
        status: shown.status ?? 'paid',
        billing_reason: shown.reason ?? 'subscription_update',
        ...shown.more,
      },
    });
    if (shown.isCut) Object.assign(object, { lines: { ...Reflect.get(object, 'lines'), has_more: true } });
    return this.#event(shape, `invoice.${type}`, object, created, {});
  }

  /** An event `customer.{type}` about `cus_1`. */
  customer(type: string, created: number, more: object): StripeEvent {
    return this.#event(this.#shape(), `customer.${type}`, customerObject('cus_1', more), created, {});
  }

  /** A paid session of `sub_1`, that `userId` is the client reference of. */
  checkout(created: number, userId: string, more: object): StripeEvent {
    const object = checkoutObject('cs_1', { subscription: 'sub_1', userId }, { customer: 'cus_1', ...more });
    return this.#event(this.#shape(), 'checkout.session.completed', object, created, {});
  }

  /**
   * A paid invoice and the payment that paid it (`pi_{payment}`, `ch_{payment}`): the invoice itself says which before
   * 2025-03-31, an event of its own since.
   */
  paidBy(
    payment: number,
    created: number,
    shown: ShownInvoice & { readonly id: string },
  ): readonly StripeEvent[] {
    const shape = this.#shape();
    if (isOfBefore(shape)) {
      const names = { payment_intent: `pi_${payment}`, charge: `ch_${payment}` };
      return [this.invoice('paid', created, { ...shown, more: { ...shown.more, ...names } })];
    }
    const invoice = this.invoice('paid', created, shown);
    const object = invoicePaymentObject(`inpay_${payment}`, shown.id, `pi_${payment}`);
    return [invoice, this.#event(shape, 'invoice_payment.paid', object, created, {})];
  }

  /** An event `charge.dispute.{type}` about a payment; endpoints of before alone name its charge alone. */
  dispute(type: string, created: number, payment: number, status: string, more: object = {}): StripeEvent {
    const intent = this.shapes.every(isOfBefore) ? null : `pi_${payment}`;
    const object = disputeObject(`du_${payment}`, `ch_${payment}`, intent, { status, ...more });
    return this.#event(this.#shape(), `charge.dispute.${type}`, object, created, {});
  }

  /** An event `charge.refunded`: so much of a payment of 1000 is refunded by now. */
  refunded(created: number, payment: number, amount: number): StripeEvent {
    const more = { amount_refunded: amount, refunded: amount === 1000 };
    const object = chargeObject(`ch_${payment}`, `pi_${payment}`, more);
    return this.#event(this.#shape(), 'charge.refunded', object, created, {});
  }

  /** An event that a refund of a payment failed. */
  refundFailed(created: number, payment: number, amount: number): StripeEvent {
    const object = refundObject('re_1', `ch_${payment}`, `pi_${payment}`, { amount });
    const shape = this.#shape();
    const type = isOfBefore(shape) ? 'charge.refund.updated' : 'refund.failed';
    return this.#event(shape, type, object, created, {});
  }

  /** An event of a type that is not about subscriptions. */
  other(type: string, created: number, object: object): StripeEvent {
    return this.#event(this.#shape(), type, object, created, {});
  }

  #event({ version }: StripeShape, type: string, object: object, created: number, more: object): StripeEvent {
    this.#events += 1;
    return stripeEvent(type, object, { created, api_version: version, ...more });
  }

  /** The shape of the event that comes next. */
  #shape(): StripeShape {
    return this.shapes[this.#events % this.shapes.length] ?? this.shapes[0];
  }
}

/** Whether a shape is of an API version in which invoices name their payment. */
function isOfBefore({ version }: StripeShape): boolean {
  return version < '2025-03-31';
}

/** What bodies say of the user ann's subscriptions, each as it is recorded; those that are ignored say nothing. */
export function factsOf(bodies: readonly StripeEvent[]): readonly SubscriptionFacts[] {
  const observations: Facts['observations'][number][] = [];
  const invoices: Facts['invoices'][number][] = [];
  const checkouts: Facts['checkouts'][number][] = [];
  const payments: Facts['payments'][number][] = [];
  const customers: Facts['customers'][number][] = [];
  for (const body of bodies) {
    const translation = translateStripeEvent(body, { ...TRANSLATION, account: 'acct_ours' });
    if (translation.outcome === 'ignored') continue;
    if (translation.outcome === 'malformed') throw new Error(translation.problems.join());
    const { event, stripe } = translation;
    const shown = { eventId: stripe.eventId, stripeType: stripe.eventType, created: stripe.created };
    switch (event.type) {
      case 'CustomerObserved':
      case 'CustomerDeleted':
        customers.push({ ...shown, customer: event.data.customer, userId: event.data.userId });
        break;
      case 'CustomerInvoicePaid':
      case 'CustomerInvoicePaymentFailed':
      case 'CustomerInvoiceFinalized':
      case 'CustomerInvoiceUncollectible':
      case 'CustomerInvoiceVoided':
        for (const subscription of subscriptionsOfLines(event.data)) {
          const data = invoiceOfSubscription(event.data, subscription);
          invoices.push({ ...shown, type: event.type, data });
        }
        break;
      default:
        if ('session' in event.data) checkouts.push({ ...shown, ...event } as (typeof checkouts)[number]);
        else if ('payment' in event.data) payments.push({ ...shown, ...event } as (typeof payments)[number]);
        else if ('invoice' in event.data) invoices.push({ ...shown, ...event } as (typeof invoices)[number]);
        else observations.push({ ...shown, ...event } as (typeof observations)[number]);
    }
  }
  const facts = { observations, invoices, checkouts, payments, customers };
  return subscriptionsByOwner(facts, new Map()).get('ann') ?? [];
}
