import { checkoutSessionObject } from './checkout.js';
import { eventObject, type Period, type Price, type StripeObject } from './event.js';
import { type InvoiceState, invoiceObject } from './invoice.js';
import type { SimulatedClock } from './simulated-clock.js';
import { type SubscriptionState, subscriptionObject } from './subscription.js';

/** An event as Stripe would post it: `body` is the exact text to sign. */
export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  readonly body: string;
}

export interface Buyer {
  /** Makes all ids of this buyer, for example `Ada`. */
  readonly name: string;
  /** What the application wrote into the subscription's metadata; `null`: it wrote nothing. */
  readonly userId: string | null;
  readonly price: Price;
}

const MONTH = 30 * 86_400;

/**
 * One customer with one subscription at a make-believe Stripe. Each method is something that happens there and tells
 * the event that Stripe would send about it, `previous_attributes` included. Nothing is sent here.
 */
export class SimulatedSubscription {
  #subscription: SubscriptionState;
  #invoice: InvoiceState | undefined;
  /** What the next invoice gives credit for. */
  #credited: Price | null = null;
  #made = 0;

  constructor(
    private readonly clock: SimulatedClock,
    private readonly buyer: Buyer,
  ) {
    this.#subscription = {
      id: `sub_demo${buyer.name}`,
      customer: `cus_demo${buyer.name}`,
      itemId: `si_demo${buyer.name}`,
      status: 'incomplete',
      price: buyer.price,
      period: monthFrom(clock.now),
      created: clock.now,
      cancelAt: null,
      canceledAt: null,
      endedAt: null,
      latestInvoice: `in_demo${buyer.name}1`,
      metadata: buyer.userId === null ? {} : { user_id: buyer.userId },
    };
  }

  get id(): string {
    return this.#subscription.id;
  }

  /** `customer.subscription.created`, in the given status. */
  started(status: string): StripeEvent {
    this.#subscription = { ...this.#subscription, status };
    return this.#event('customer.subscription.created', subscriptionObject(this.#subscription), null);
  }

  /** `customer.subscription.updated` into another status. */
  becomes(status: string): StripeEvent {
    return this.#change({ status });
  }

  /** `customer.subscription.updated`: the next month begins, with a new invoice. */
  renews(): StripeEvent {
    const period = monthFrom(this.clock.now);
    this.#credited = null;
    return this.#change({ period, latestInvoice: this.#nextInvoiceId() });
  }

  /** `customer.subscription.updated`: another price on the item, with a new invoice that nobody has paid. */
  switchesTo(price: Price): StripeEvent {
    this.#credited = this.#subscription.price;
    return this.#change({ price, latestInvoice: this.#nextInvoiceId() });
  }

  /** `customer.subscription.updated`: to end with the running month. */
  cancelsAtPeriodEnd(): StripeEvent {
    return this.#change({ cancelAt: this.#subscription.period.end, canceledAt: this.clock.now });
  }

  /** `customer.subscription.updated` that changes a note only. */
  isNoted(note: string): StripeEvent {
    return this.#change({ metadata: { ...this.#subscription.metadata, note } });
  }

  /** `customer.subscription.deleted`: it has ended. */
  ends(): StripeEvent {
    const { canceledAt } = this.#subscription;
    const endedAt = this.clock.now;
    this.#subscription = {
      ...this.#subscription,
      ...{ status: 'canceled', canceledAt: canceledAt ?? endedAt, endedAt },
    };
    return this.#event('customer.subscription.deleted', subscriptionObject(this.#subscription), null);
  }

  /** `invoice.paid` for the newest invoice. */
  pays(reason: InvoiceState['reason']): StripeEvent {
    return this.#invoiceEvent('invoice.paid', 'paid', reason);
  }

  /** `invoice.payment_failed` for the newest invoice. */
  failsToPay(reason: InvoiceState['reason']): StripeEvent {
    return this.#invoiceEvent('invoice.payment_failed', 'open', reason);
  }

  /** `checkout.session.completed` for this subscription, paid, by `userId`. */
  checksOut(userId: string): StripeEvent {
    const session = checkoutSessionObject({
      id: `cs_test_demo${this.buyer.name}`,
      customer: this.#subscription.customer,
      subscription: this.#subscription.id,
      invoice: this.#subscription.latestInvoice,
      userId,
      amount: this.#subscription.price.unitAmount,
      created: this.#subscription.created,
    });
    return this.#event('checkout.session.completed', session, null);
  }

  #invoiceEvent(type: string, status: 'paid' | 'open', reason: InvoiceState['reason']): StripeEvent {
    const id = this.#subscription.latestInvoice;
    const known = this.#invoice?.id === id ? this.#invoice : undefined;
    this.#invoice = {
      id,
      subscription: this.#subscription.id,
      customer: this.#subscription.customer,
      itemId: this.#subscription.itemId,
      status,
      reason,
      price: this.#subscription.price,
      credited: this.#credited,
      period: this.#subscription.period,
      created: known?.created ?? this.clock.now,
      attempts: (known?.attempts ?? 0) + 1,
    };
    return this.#event(type, invoiceObject(this.#invoice), null);
  }

  #change(change: Partial<SubscriptionState>): StripeEvent {
    const before = subscriptionObject(this.#subscription);
    this.#subscription = { ...this.#subscription, ...change };
    const after = subscriptionObject(this.#subscription);
    return this.#event('customer.subscription.updated', after, previousAttributes(before, after));
  }

  #nextInvoiceId(): string {
    return `in_demo${this.buyer.name}${Number(this.#subscription.latestInvoice.at(-1)) + 1}`;
  }

  #event(type: string, object: StripeObject, previous: StripeObject | null): StripeEvent {
    this.#made += 1;
    const id = `evt_demo${this.buyer.name}${String(this.#made).padStart(2, '0')}`;
    const event = eventObject({ id, type, created: this.clock.now, object, previousAttributes: previous });
    return { id, type, body: JSON.stringify(event, null, 2) };
  }
}

function monthFrom(start: number): Period {
  return { start, end: start + MONTH };
}

/** The old values of the fields that differ, as Stripe names them; of a list only its `data`. */
function previousAttributes(before: StripeObject, after: StripeObject): StripeObject {
  const changed = Object.keys(before).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  return Object.fromEntries(changed.map((key) => [key, key === 'items' ? dataOf(before[key]) : before[key]]));
}

function dataOf(list: unknown): StripeObject {
  if (typeof list !== 'object' || list === null || !('data' in list)) throw new Error('not a Stripe list');
  return { data: list.data };
}
