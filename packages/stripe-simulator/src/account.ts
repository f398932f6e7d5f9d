import { RefusedUnbegunError, resourceMissing } from './api-error.js';
import type { CheckoutDetails } from './checkout-details.js';
import { SimulatedClock } from './clock.js';
import { Events, type StripeObject } from './events.js';
import { Ids } from './ids.js';
import { previousAttributes } from './previous-attributes.js';
import { DEFAULT_SETTINGS, type Settings } from './settings.js';
import { Table } from './table.js';
import type {
  Changes,
  Charge,
  CheckoutSession,
  Coupon,
  Customer,
  Discount,
  Dispute,
  EarlyFraudWarning,
  EventType,
  Feature,
  Invoice,
  InvoiceItem,
  InvoicePayment,
  PaymentIntent,
  PaymentMethod,
  PortalConfiguration,
  PortalSession,
  Price,
  Product,
  ProductFeature,
  PromotionCode,
  Refund,
  SetupIntent,
  Subscription,
  SubscriptionItem,
  SubscriptionSchedule,
  TestClock,
} from './types.js';

export interface AccountOptions {
  /** Unix seconds at which its clock begins. */
  readonly start: number;
  /** Ids and chances are the same for the same seed. */
  readonly seed: number;
  readonly settings?: Partial<Settings>;
}

/** What one resource tells the others, so that none of them needs to know who acts on it. */
export type Happening =
  | { readonly kind: 'customer_deleted'; readonly customer: Customer }
  | {
      readonly kind: 'intent_succeeded' | 'intent_processing' | 'intent_failed' | 'intent_requires_action';
      readonly intent: PaymentIntent;
    }
  /** Its period is about to end at this second: what is to hold in the next one can be set. */
  | { readonly kind: 'period_ending'; readonly subscription: Subscription }
  /** Items that are to hold from the end of its period on. */
  | {
      readonly kind: 'change_at_period_end';
      readonly subscription: Subscription;
      readonly items: readonly SubscriptionItem[];
    }
  | { readonly kind: 'subscription_started' | 'subscription_ended'; readonly subscription: Subscription }
  | { readonly kind: 'charge_succeeded'; readonly charge: Charge }
  | {
      readonly kind:
        | 'invoice_paid'
        | 'invoice_processing'
        | 'invoice_payment_failed'
        | 'invoice_given_up'
        | 'invoice_voided'
        | 'invoice_uncollectible';
      readonly invoice: Invoice;
    };

/** What a restricted key may do with a resource. */
export interface Permission {
  readonly resource: string;
  readonly access: 'read' | 'write';
}

/** Changes that wait for a payment. */
export type PendingUpdate = Omit<Changes<Subscription>, 'items'> & {
  readonly items?: readonly SubscriptionItem[];
};

/** Lines of an invoice beyond the ten that it shows. */
export type InvoiceLines = Invoice['lines']['data'];

/** One Stripe account in test mode: all that it knows, its clock, its events. The files of `resources` are what it can do. */
export class Account {
  readonly id: string;
  readonly clock: SimulatedClock;
  readonly ids: Ids;
  readonly events: Events;
  settings: Settings;
  /** Where its pages are found; without one until it listens. */
  url = 'http://127.0.0.1';

  readonly charges = new Table<Charge, 'customer' | 'payment_intent'>({
    customer: (row) => row.customer,
    payment_intent: (row) => row.payment_intent,
  });
  readonly checkoutSessions = new Table<CheckoutSession>({});
  /** Sessions by the subscriptions, intents and invoices that they made. */
  readonly checkoutsOf = new Map<string, string>();
  /** What a session needs to be completed and does not show. */
  readonly checkoutDetails = new Map<string, CheckoutDetails>();
  readonly coupons = new Table<Coupon>({});
  readonly customers = new Table<Customer>({});
  readonly discounts = new Table<Discount>({});
  readonly disputes = new Table<Dispute, 'charge' | 'payment_intent'>({
    charge: (row) => row.charge,
    payment_intent: (row) => row.payment_intent,
  });
  readonly earlyFraudWarnings = new Table<EarlyFraudWarning, 'charge'>({ charge: (row) => row.charge });
  readonly features = new Table<Feature, 'lookup_key'>({ lookup_key: (row) => row.lookup_key });
  readonly invoiceItems = new Table<InvoiceItem, 'customer'>({ customer: (row) => row.customer });
  readonly invoiceLines = new Map<string, InvoiceLines>();
  readonly invoicePayments = new Table<InvoicePayment, 'invoice' | 'payment_intent'>({
    invoice: (row) => row.invoice,
    payment_intent: (row) => row.payment.payment_intent,
  });
  readonly invoices = new Table<Invoice, 'customer' | 'subscription'>({
    customer: (row) => row.customer,
    subscription: (row) => row.parent?.subscription_details?.subscription,
  });
  readonly paymentIntents = new Table<PaymentIntent, 'customer'>({ customer: (row) => row.customer });
  /** A method that changes hands is taken out and put in again: indexes are of what never changes. */
  readonly paymentMethods = new Table<PaymentMethod, 'customer'>({ customer: (row) => row.customer });
  readonly portalConfigurations = new Table<PortalConfiguration>({});
  readonly portalSessions = new Table<PortalSession>({});
  readonly prices = new Table<Price, 'product'>({ product: (row) => row.product });
  /** Products of what they give, which does not say it itself. */
  readonly productsOfFeatures = new Map<string, string>();
  readonly productFeatures = new Table<ProductFeature, 'product'>({
    product: ({ id }) => this.productsOfFeatures.get(id),
  });
  readonly products = new Table<Product>({});
  readonly promotionCodes = new Table<PromotionCode>({});
  readonly refunds = new Table<Refund, 'charge' | 'payment_intent'>({
    charge: (row) => row.charge,
    payment_intent: (row) => row.payment_intent,
  });
  readonly setupIntents = new Table<SetupIntent, 'customer'>({ customer: (row) => row.customer });
  readonly subscriptions = new Table<Subscription, 'customer'>({ customer: (row) => row.customer });
  readonly subscriptionSchedules = new Table<SubscriptionSchedule, 'customer'>({
    customer: (row) => row.customer,
  });
  /** All items of subscriptions, which show ten themselves. */
  readonly subscriptionItems = new Map<string, readonly SubscriptionItem[]>();
  /** Test tokens that methods were made of; another token makes a method behave otherwise from then on. */
  readonly tokens = new Map<string, string>();
  /** Methods whose owner has proved who they are. */
  readonly authenticated = new Set<string>();
  /** What was reported of metered items. */
  readonly usage = new Map<string, { readonly second: number; readonly units: number }[]>();
  /** Invoices of updates that take effect when they are paid (`pending_if_incomplete`). */
  readonly heldUpdates = new Set<string>();
  /** What such an update changes, by its invoice. */
  readonly pendingUpdates = new Map<string, PendingUpdate>();
  /** Subscriptions of items. */
  readonly itemOwners = new Map<string, string>();
  /** What keys may do that may not do everything: resources by the beginning of their path, such as `subscriptions`. */
  readonly restrictedKeys = new Map<string, readonly Permission[]>();
  /** Subscriptions whose `created` event has not been told: changes are part of it. */
  readonly beingCreated = new Set<string>();
  readonly deletedCustomers = new Set<string>();
  readonly testClockRows = new Table<TestClock>({});
  /** Clocks of test clocks, by their ids. */
  readonly testClocks = new Map<string, SimulatedClock>();
  #running: SimulatedClock;
  readonly #reactions: ((happening: Happening) => void)[] = [];

  constructor({ start, seed, settings }: AccountOptions) {
    this.clock = new SimulatedClock(start);
    this.#running = this.clock;
    this.ids = new Ids(seed);
    this.events = new Events(this.clock, this.ids);
    this.id = `acct_1${this.ids.letters(15)}`;
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
  }

  /** The second (Unix) of whatever happens at this moment, by the clock it lives by. */
  get now(): number {
    return this.#running.now;
  }

  /** Runs `act` in the time of a test clock, or of the account for `null`. What it schedules falls due by the same clock. */
  inTimeOf<Result>(testClock: string | null, act: () => Result): Result {
    const before = this.#running;
    this.#running = testClock === null ? this.clock : this.clockOf(testClock);
    try {
      return act();
    } finally {
      this.#running = before;
    }
  }

  /** Units that were reported for a metered item in a period. */
  usageOf(item: SubscriptionItem, { start, end }: { readonly start: number; readonly end: number }): number {
    const reports = this.usage.get(item.id) ?? [];
    return reports.reduce(
      (sum, { second, units }) => (second >= start && second < end ? sum + units : sum),
      0,
    );
  }

  /** @throws ApiError 400 when there is no such test clock */
  clockOf(testClock: string): SimulatedClock {
    const clock = this.testClocks.get(testClock);
    if (clock === undefined) throw resourceMissing('test clock', testClock, 'test_clock');
    return clock;
  }

  /** The test clock that something named by one of these ids lives by; `null` for the account's own. */
  testClockOf(ids: readonly string[]): string | null {
    for (const id of ids) {
      const customer = this.customers.find(id);
      const item = this.subscriptions.find(this.itemOwners.get(id) ?? id);
      const clock = customer?.test_clock ?? item?.test_clock ?? this.invoices.find(id)?.test_clock;
      if (clock != null) return clock;
      if (this.testClocks.has(id)) return id;
    }
    return null;
  }

  /** Lets a restricted key do no more than it may. @throws ApiError 403 */
  permit(key: string, method: string, path: string): void {
    const may = this.restrictedKeys.get(key);
    if (may === undefined) return;
    const resource = path.split('/').slice(2).join('/');
    const allowed = may.find((permission) => resource.startsWith(permission.resource));
    if (allowed?.access === 'write' || (allowed?.access === 'read' && method === 'GET')) return;
    const message = `The provided key '${key.slice(0, 8)}****' does not have the required permissions for this endpoint.`;
    throw new RefusedUnbegunError(403, 'invalid_request_error', message, {
      code: 'more_permissions_required',
    });
  }

  /** Runs `job` at a second of the running clock. A job that no longer applies by then must see so itself. */
  at(second: number, job: () => void): void {
    const clock = this.#running;
    clock.at(second, () => {
      const before = this.#running;
      this.#running = clock;
      try {
        job();
      } finally {
        this.#running = before;
      }
    });
  }

  /** Keeps what was made, and says so by an event. */
  add<Row extends StripeObject & { readonly id: string }>(
    table: Pick<Table<Row>, 'put'>,
    row: Row,
    type?: EventType,
  ): Row {
    table.put(row);
    if (type !== undefined) this.emit(type, row);
    return row;
  }

  /** Changes the row with this id; an event says so, with the old values, unless nothing differs. Returns the row as it is then. */
  change<Row extends StripeObject & { readonly id: string }>(
    table: Pick<Table<Row>, 'put' | 'find'>,
    id: string,
    changes: Changes<Row>,
    type?: EventType,
  ): Row {
    const before = table.find(id);
    if (before === undefined) throw new Error(`${id} is not there to be changed`);
    const after: Row = { ...before, ...changes };
    const previous = previousAttributes(before, after);
    if (previous === null) return before;
    table.put(after);
    if (type !== undefined) this.emit(type, after, previous);
    return after;
  }

  emit(type: EventType, object: StripeObject, previous: object | null = null): void {
    this.events.emit(type, object, previous, this.now);
  }

  /** Lets a resource hear of what happens in others. */
  react(reaction: (happening: Happening) => void): void {
    this.#reactions.push(reaction);
  }

  /** Tells all that react, in the order in which they asked. */
  tell(happening: Happening): void {
    for (const reaction of this.#reactions) reaction(happening);
  }
}
