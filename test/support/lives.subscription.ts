import type { CheckoutEventType } from '../../src/events/checkout.events.js';
import type { InvoiceLine, InvoiceObservationData } from '../../src/events/invoice.events.js';
import type { SubscriptionItem, SubscriptionObservationData } from '../../src/events/subscription.events.js';
import type {
  CheckoutObservation,
  InvoiceObservation,
  Observation,
  SubscriptionFacts,
} from '../../src/policy/facts.js';
import { ADDON_PRICES, type Price, USAGE_PRICE } from './lives.catalog.js';
import {
  checkoutFact,
  DAY,
  invoiceFact,
  item,
  line,
  MONTH,
  observation,
  previousAttributes,
  subscriptionState,
  throughCustomer,
} from './lives.facts.js';

type State = SubscriptionObservationData;

/** How a subscription is born and what holds for all of it. */
export interface Birth {
  readonly price: Price;
  readonly begins: number;
  readonly how:
    | 'paid'
    | 'trial'
    | 'incomplete'
    | 'failed'
    | 'sendInvoice'
    | 'unpaidCheckout'
    | 'unknown'
    | 'unheardOf';
  readonly quantity: number | null;
  /** Begins with an add-on and no plan. */
  readonly addonAlone: boolean;
  readonly customerDeleted: boolean;
  /** Whether lines carry the whole price, as in API versions before 2025-03-31. */
  readonly pricesOnLines: boolean;
  readonly sendInvoice: boolean;
  readonly testClock: boolean;
  /** Whether period ends are on the items, so that a renewal names them in `previous_attributes`. */
  readonly periodsOnItems: boolean;
  readonly bornLost: boolean;
  readonly tag: number;
}

/** How the events of one moment are delivered: `lost` events never arrive, `cut` ones show only the first item. */
export interface EventDelivery {
  readonly lost: boolean;
  readonly cut: boolean;
  /** Invoices show only the last of their lines. */
  readonly cutLines: boolean;
  /** Invoices are of the customer, and their lines name the subscription. */
  readonly throughCustomer: boolean;
  /** Decides the event ids, so that their order is not that of time. */
  readonly tag: number;
}

/** The oracle tries every order of what changes access in a second; one step tells three such events at most. */
const MOST_IN_A_SECOND = 7;

const OPEN_TYPES = [
  'invoice.payment_failed',
  'invoice.payment_failed',
  'invoice.payment_failed',
  'invoice.finalized',
  'invoice.sent',
  'invoice.overdue',
  'invoice.payment_action_required',
] as const;

const ACCESS_FIELDS = ['status', 'items', 'cancelAt', 'cancelAtPeriodEnd', 'pauseCollection', 'trialEnd'];

function mayChangeAccess({ data: { previous } }: Observation): boolean {
  return previous === null || Object.keys(previous).some((name) => ACCESS_FIELDS.includes(name));
}

/** One subscription living at Stripe: a state that changes, and the events that tell of it. */
export class Subscription {
  private readonly observations: Observation[] = [];
  private readonly invoices: InvoiceObservation[] = [];
  private readonly checkouts: CheckoutObservation[] = [];
  clock: number;
  state: State;
  private count = 0;
  private delivery: EventDelivery;

  constructor(
    private readonly id: string,
    private readonly birth: Birth,
  ) {
    this.clock = birth.begins;
    this.delivery = {
      lost: birth.bornLost,
      cut: false,
      cutLines: birth.tag % 9 === 0,
      throughCustomer: false,
      tag: birth.tag,
    };
    const trial = birth.how === 'trial';
    const statuses = {
      trial: 'trialing',
      incomplete: 'incomplete',
      failed: 'past_due',
      unknown: 'simmering',
    };
    const price = birth.addonAlone ? ADDON_PRICES[birth.tag % ADDON_PRICES.length] : birth.price;
    const status: Readonly<Partial<Record<Birth['how'], string>>> = statuses;
    this.state = subscriptionState(id, {
      status: status[birth.how] ?? 'active',
      items: [item(price ?? birth.price, birth.quantity, this.clock, this.clock + MONTH)],
      startedAt: this.clock,
      collectionMethod:
        birth.sendInvoice || birth.how === 'sendInvoice' ? 'send_invoice' : 'charge_automatically',
      trialStart: trial ? this.clock : null,
      trialEnd: trial ? this.clock + 3 * DAY : null,
      testClock: birth.testClock ? 'clock_1' : null,
    });
    this.see('customer.subscription.created', this.state);
    if (birth.how === 'paid') this.bill('paid', this.lines(1000), 'subscription_create');
    if (trial) this.bill('paid', this.lines(0, { reduced: birth.tag % 2 === 0 }), 'subscription_create');
    if (birth.how === 'incomplete' || birth.how === 'failed') {
      this.bill('open', this.lines(1000), 'subscription_create');
    }
    if (birth.how === 'unpaidCheckout') {
      this.session('CheckoutCompleted', 'unpaid');
    }
  }

  /** Begins the next moment, `wait` seconds later; not in a second that is full already. */
  advance(wait: number, delivery: EventDelivery): void {
    this.delivery = delivery;
    this.clock += wait;
    const here = this.observations.filter((o) => o.created === this.clock && mayChangeAccess(o)).length;
    if (here > MOST_IN_A_SECOND - 3) this.clock += 30;
  }

  facts(): SubscriptionFacts {
    const { id, observations, invoices, checkouts } = this;
    const { customerDeleted } = this.birth;
    return { subscription: id, observations, invoices, checkouts, payments: [], customerDeleted };
  }

  session(type: CheckoutEventType, paymentStatus: string): void {
    this.checkouts.push(checkoutFact(this.eventId(), type, this.clock, this.id, paymentStatus));
  }

  private eventId(): string {
    this.count += 1;
    const order = (this.delivery.tag * 2654435761 + this.count * 40503) % 0xffff;
    return `evt_${order.toString(16).padStart(4, '0')}_${this.id}_${this.count}`;
  }

  /** The state moves; the event that tells it arrives, unless it is lost. */
  change(
    changes: Partial<State>,
    stripeType = 'customer.subscription.updated',
    others: Readonly<Record<string, unknown>> = {},
  ): void {
    const before = this.state;
    this.state = { ...before, ...changes };
    const carries = stripeType === 'customer.subscription.updated';
    const previous = carries ? this.difference(before, this.state, others) : null;
    this.see(stripeType, { ...this.state, previous });
  }

  private difference(before: State, after: State, others: Readonly<Record<string, unknown>>) {
    const untold = this.birth.periodsOnItems ? {} : { currentPeriodStart: null, currentPeriodEnd: null };
    const told = (items: readonly SubscriptionItem[]) =>
      JSON.stringify(items.map((one) => ({ ...one, ...untold })));
    const pause = (state: State) => JSON.stringify(state.pauseCollection);
    return previousAttributes(
      {
        ...(before.status === after.status ? {} : { status: before.status }),
        ...(told(before.items) === told(after.items) ? {} : { items: before.items }),
        ...(before.cancelAt === after.cancelAt ? {} : { cancelAt: before.cancelAt }),
        ...(before.cancelAtPeriodEnd === after.cancelAtPeriodEnd
          ? {}
          : { cancelAtPeriodEnd: before.cancelAtPeriodEnd }),
        ...(pause(before) === pause(after) ? {} : { pauseCollection: before.pauseCollection }),
        ...(before.trialEnd === after.trialEnd ? {} : { trialEnd: before.trialEnd }),
      },
      others,
    );
  }

  see(stripeType: string, data: State): void {
    const eventId = this.eventId();
    if (this.delivery.lost) return;
    const itemsTruncated = this.delivery.cut;
    const items = itemsTruncated ? data.items.slice(0, 1) : data.items;
    this.observations.push(observation(eventId, stripeType, this.clock, { ...data, items, itemsTruncated }));
  }

  twin(): void {
    const last = this.observations.at(-1);
    if (last !== undefined) this.observations.push({ ...last, eventId: this.eventId() });
  }

  swap(price: Price, quantity: number | null): SubscriptionItem[] {
    const addons = this.state.items.filter(isAddon);
    const old = this.state.items.find((one) => !isAddon(one));
    const start = old?.currentPeriodStart ?? this.clock;
    return [item(price, quantity, start, old?.currentPeriodEnd ?? this.clock + MONTH), ...addons];
  }

  /** The items with one more of another price, listed first or last; a price is on one item only. */
  with(price: Price, quantity: number | null): SubscriptionItem[] {
    const others = this.state.items.filter((one) => one.price !== price.price);
    const added = item(price, quantity, this.clock, this.clock + MONTH);
    return this.delivery.tag % 2 === 0 ? [added, ...others] : [...others, added];
  }

  withAddon(quantity: number | null): SubscriptionItem[] {
    const price = ADDON_PRICES[this.delivery.tag % ADDON_PRICES.length];
    return price === undefined ? [...this.state.items] : this.with(price, quantity);
  }

  withUsage(): SubscriptionItem[] {
    return this.with(USAGE_PRICE, null);
  }

  renewed(): SubscriptionItem[] {
    return this.state.items.map((one) => ({
      ...one,
      currentPeriodStart: this.clock,
      currentPeriodEnd: this.clock + MONTH,
    }));
  }

  applyPending(): void {
    const items = this.state.pendingUpdate?.items ?? this.state.items;
    this.state = { ...this.state, items: [...items], pendingUpdate: null };
    this.see('customer.subscription.pending_update_applied', { ...this.state, previous: null });
    this.bill('paid', this.planLines(1900), 'subscription_update');
  }

  planLines(
    amount: number,
    changes: Partial<InvoiceLine> = {},
    items: readonly SubscriptionItem[] = this.state.items,
  ): InvoiceLine[] {
    return this.lines(
      amount,
      changes,
      items.filter((one) => !isAddon(one)),
    );
  }

  addonLines(amount: number): InvoiceLine[] {
    return this.lines(amount, {}, this.state.items.filter(isAddon));
  }

  /** A line for each item, of the month that begins now. */
  lines(
    amount: number,
    changes: Partial<InvoiceLine> = {},
    items: readonly SubscriptionItem[] = this.state.items,
  ): InvoiceLine[] {
    const billed = items.filter((one) => one.quantity !== 0);
    return billed.map((one) =>
      line(one.price, amount, this.clock, this.clock + MONTH, {
        quantity: one.quantity,
        billingScheme: this.birth.pricesOnLines ? one.billingScheme : null,
        ...changes,
      }),
    );
  }

  bill(status: string, lines: InvoiceLine[], billingReason: string): void {
    const invoice = `in_${this.id}_${this.count}`;
    const shown = this.delivery.cutLines ? lines.slice(1) : lines;
    const data = { invoice, subscription: this.id, status, created: this.clock, lines: shown, billingReason };
    const type = status === 'paid' ? 'invoice.paid' : OPEN_TYPES[this.delivery.tag % OPEN_TYPES.length];
    const attemptCount = type === 'invoice.payment_failed' ? 1 : 0;
    const linesTruncated = this.delivery.cutLines;
    this.hear(
      invoiceFact(this.eventId(), type ?? 'invoice.finalized', this.clock, {
        ...data,
        attemptCount,
        linesTruncated,
      }),
    );
  }

  private hear(fact: InvoiceObservation): void {
    this.invoices.push(this.delivery.throughCustomer ? throughCustomer(fact, 'cus_1') : fact);
  }

  settleOpen(how: 'payOpen' | 'retryFailed' | 'void' | 'uncollectible', reason: string | null): void {
    const last = this.invoices.filter((one) => one.data.status === 'open').at(-1);
    if (last === undefined) return;
    const ends: Readonly<Record<typeof how, readonly [string, string]>> = {
      payOpen: ['invoice.paid', 'paid'],
      retryFailed: ['invoice.payment_failed', 'open'],
      void: ['invoice.voided', 'void'],
      uncollectible: ['invoice.marked_uncollectible', 'uncollectible'],
    };
    const [type, status] = ends[how];
    const uncollectibleReason = how === 'uncollectible' ? reason : null;
    const attemptCount = last.data.attemptCount + (how === 'retryFailed' ? 1 : 0);
    const data: InvoiceObservationData = { ...last.data, status, uncollectibleReason, attemptCount };
    this.hear(invoiceFact(this.eventId(), type, this.clock, data));
  }
}

export function isAddon(one: SubscriptionItem): boolean {
  return ADDON_PRICES.some((price) => price.price === one.price);
}
