import type { CheckoutDetails } from './checkout-details.js';
import type { SimulatedClock } from './clock.js';
import { Table } from './table.js';
import type {
  ActiveEntitlement,
  Changes,
  Charge,
  CheckoutSession,
  Coupon,
  Customer,
  CustomerBalanceTransaction,
  Discount,
  Dispute,
  EarlyFraudWarning,
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

/** Everything that an account knows, by kind. */
export class AccountTables {
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
  /** Entitlements of customers as they were last told. */
  readonly entitlements = new Map<string, readonly ActiveEntitlement[]>();
  readonly balanceTransactions = new Table<CustomerBalanceTransaction, 'customer'>({
    customer: (row) => row.customer,
  });
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
  /** Invoices whose payment ends a pause. */
  readonly resumptions = new Set<string>();
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
}
