import type Stripe from 'stripe';
import type { Stored } from './stored.js';

/** Objects of Stripe as the simulator keeps them, by Stripe's names. */
export type Charge = Stored<Stripe.Charge>;
export type CheckoutSession = Stored<Stripe.Checkout.Session>;
export type Coupon = Stored<Stripe.Coupon>;
export type Discount = Stored<Stripe.Discount>;
export type Dispute = Stored<Stripe.Dispute>;
export type EarlyFraudWarning = Stored<Stripe.Radar.EarlyFraudWarning>;
export type LineItem = Stored<Stripe.LineItem>;
export type PromotionCode = Stored<Stripe.PromotionCode>;
export type Refund = Stored<Stripe.Refund>;
export type SetupIntent = Stored<Stripe.SetupIntent>;
export type Customer = Stored<Stripe.Customer>;
export type Feature = Stored<Stripe.Entitlements.Feature>;
export type ActiveEntitlement = Stored<Stripe.Entitlements.ActiveEntitlement>;
export type CustomerBalanceTransaction = Stored<Stripe.CustomerBalanceTransaction>;
export type Invoice = Stored<Stripe.Invoice>;
export type InvoiceItem = Stored<Stripe.InvoiceItem>;
export type InvoiceLineItem = Stored<Stripe.InvoiceLineItem>;
export type InvoicePayment = Stored<Stripe.InvoicePayment>;
export type PaymentIntent = Stored<Stripe.PaymentIntent>;
export type PaymentMethod = Stored<Stripe.PaymentMethod>;
export type Plan = Stored<Stripe.Plan>;
export type Price = Stored<Stripe.Price>;
export type Product = Stored<Stripe.Product>;
export type ProductFeature = Stored<Stripe.ProductFeature>;
export type Subscription = Stored<Stripe.Subscription>;
export type SubscriptionItem = Stored<Stripe.SubscriptionItem>;
export type SubscriptionSchedule = Stored<Stripe.SubscriptionSchedule>;
export type TestClock = Stored<Stripe.TestHelpers.TestClock>;
export type PortalConfiguration = Stored<Stripe.BillingPortal.Configuration>;
export type PortalSession = Stored<Stripe.BillingPortal.Session>;
export type WebhookEndpoint = Stored<Stripe.WebhookEndpoint>;
export type EventDestination = Stored<Stripe.V2.Core.EventDestination>;
export type EventType = Stripe.Event['type'];
export type Metadata = Readonly<Record<string, string>>;

/** A field that can be left away while it is built under `exactOptionalPropertyTypes`. */
export type Changes<Row> = { readonly [Key in keyof Row]?: Row[Key] | undefined };
