import type { CheckoutEventType } from '../../src/events/checkout.events.js';
import type { InvoiceLine, InvoiceObservationData } from '../../src/events/invoice.events.js';
import type { SubscriptionItem, SubscriptionObservationData } from '../../src/events/subscription.events.js';
import type {
  CheckoutObservation,
  InvoiceObservation,
  Observation,
  SubscriptionFacts,
} from '../../src/policy/facts.js';
import { ADDON_PRICES, type Price } from './lives.catalog.js';
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
} from './lives.facts.js';

type State = SubscriptionObservationData;

/** How a subscription is born and what holds for all of it. */
export interface Birth {
  readonly price: Price;
  readonly begins: number;
  readonly how: 'paid' | 'trial' | 'incomplete' | 'sendInvoice' | 'unpaidCheckout' | 'unknown';
  readonly sendInvoice: boolean;
  readonly testClock: boolean;
  /** Whether period ends are on the items, so that a renewal names them in `previous_attributes`. */
  readonly periodsOnItems: boolean;
  readonly bornLost: boolean;
  readonly tag: number;
}

/** How the telling of one moment goes: `lost` events never arrive, `cut` ones show only the first item. */
export interface Telling {
  readonly lost: boolean;
  readonly cut: boolean;
  /** Decides the event ids, so that their order is not that of time. */
  readonly tag: number;
}

/** The oracle tries every order of a second; one step tells two events at most. */
const MOST_IN_A_SECOND = 6;

/** One subscription living at Stripe: a state that changes, and the events that tell of it. */
export class Subscription {
  private readonly observations: Observation[] = [];
  private readonly invoices: InvoiceObservation[] = [];
  private readonly checkouts: CheckoutObservation[] = [];
  clock: number;
  state: State;
  private count = 0;
  private telling: Telling;

  constructor(
    private readonly id: string,
    private readonly birth: Birth,
  ) {
    this.clock = birth.begins;
    this.telling = { lost: birth.bornLost, cut: false, tag: birth.tag };
    const trial = birth.how === 'trial';
    const statuses = { trial: 'trialing', incomplete: 'incomplete', unknown: 'simmering' };
    const status: Readonly<Partial<Record<Birth['how'], string>>> = statuses;
    this.state = subscriptionState(id, {
      status: status[birth.how] ?? 'active',
      items: [item(birth.price, 1, this.clock, this.clock + MONTH)],
      startedAt: this.clock,
      collectionMethod:
        birth.sendInvoice || birth.how === 'sendInvoice' ? 'send_invoice' : 'charge_automatically',
      trialStart: trial ? this.clock : null,
      trialEnd: trial ? this.clock + 3 * DAY : null,
      testClock: birth.testClock ? 'clock_1' : null,
    });
    this.see('customer.subscription.created', this.state);
    if (birth.how === 'paid') this.bill('paid', this.planLines(1000), 'subscription_create');
    if (trial) this.bill('paid', this.planLines(0), 'subscription_create');
    if (birth.how === 'incomplete') this.bill('open', this.planLines(1000), 'subscription_create');
    if (birth.how === 'unpaidCheckout') {
      this.session('CheckoutCompleted', 'unpaid');
    }
  }

  /** Begins the next moment, `wait` seconds later; not in a second that is full already. */
  moveOn(wait: number, telling: Telling): void {
    this.telling = telling;
    this.clock += wait;
    const here = this.observations.filter((o) => o.created === this.clock).length;
    if (here >= MOST_IN_A_SECOND - 2) this.clock += 30;
  }

  facts(): SubscriptionFacts {
    const { id, observations, invoices, checkouts } = this;
    return { subscription: id, observations, invoices, checkouts, customerDeleted: false };
  }

  session(type: CheckoutEventType, paymentStatus: string): void {
    this.checkouts.push(checkoutFact(this.eventId(), type, this.clock, this.id, paymentStatus));
  }

  private eventId(): string {
    this.count += 1;
    const order = (this.telling.tag * 2654435761 + this.count * 40503) % 0xffff;
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
    if (this.telling.lost) return;
    const itemsTruncated = this.telling.cut;
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

  withAddon(which: number, quantity: number | null): SubscriptionItem[] {
    const price = ADDON_PRICES[which % ADDON_PRICES.length];
    if (price === undefined) return [...this.state.items];
    return [...this.state.items, item(price, quantity, this.clock, this.clock + MONTH)];
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
    return items
      .filter((one) => !isAddon(one))
      .map((one) => line(one.price, amount, this.clock, this.clock + MONTH, changes));
  }

  bill(status: string, lines: InvoiceLine[], billingReason: string): void {
    const invoice = `in_${this.id}_${this.count}`;
    const data = { invoice, subscription: this.id, status, created: this.clock, lines, billingReason };
    const type = status === 'paid' ? 'invoice.paid' : 'invoice.payment_failed';
    const attemptCount = status === 'paid' ? 0 : 1;
    this.invoices.push(invoiceFact(this.eventId(), type, this.clock, { ...data, attemptCount }));
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
    const data: InvoiceObservationData = { ...last.data, status, uncollectibleReason };
    this.invoices.push(invoiceFact(this.eventId(), type, this.clock, data));
  }
}

export function isAddon(one: SubscriptionItem): boolean {
  return ADDON_PRICES.some((price) => price.price === one.price);
}
