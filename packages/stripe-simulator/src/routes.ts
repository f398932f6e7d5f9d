import type { Account } from './account.js';
import type { Router } from './http/router.js';
import { checkoutSessionRoutes } from './resources/checkout-sessions.js';
import { couponRoutes } from './resources/coupons.js';
import { customerRoutes } from './resources/customers.js';
import { disputeRoutes } from './resources/disputes.js';
import { eventRoutes } from './resources/events.js';
import { featureRoutes } from './resources/features.js';
import { invoiceItemRoutes } from './resources/invoice-items.js';
import { invoicePaymentRoutes } from './resources/invoice-payments.js';
import { invoiceRoutes } from './resources/invoices.js';
import { paymentIntentRoutes } from './resources/payment-intents.js';
import { paymentMethodRoutes } from './resources/payment-methods.js';
import { priceRoutes } from './resources/prices.js';
import { productRoutes } from './resources/products.js';
import { refundRoutes } from './resources/refunds.js';
import { subscriptionItemRoutes } from './resources/subscription-items.js';
import { subscriptionPauseRoutes } from './resources/subscription-pauses.js';
import { subscriptionScheduleRoutes } from './resources/subscription-schedules.js';
import { subscriptionRoutes } from './resources/subscriptions.js';
import { testClockRoutes } from './resources/test-clocks.js';
import type { Webhooks } from './webhooks/delivery.js';
import { eventDestinationRoutes } from './webhooks/event-destinations.js';
import { webhookEndpointRoutes } from './webhooks/webhook-endpoints.js';

/** Every path of the API that the simulator has. */
export function routesOf(router: Router, account: Account, webhooks: Webhooks): void {
  checkoutSessionRoutes(router, account);
  couponRoutes(router, account);
  customerRoutes(router, account);
  disputeRoutes(router, account);
  eventDestinationRoutes(router, account, webhooks);
  eventRoutes(router, account);
  featureRoutes(router, account);
  invoiceItemRoutes(router, account);
  invoicePaymentRoutes(router, account);
  invoiceRoutes(router, account);
  paymentIntentRoutes(router, account);
  paymentMethodRoutes(router, account);
  priceRoutes(router, account);
  productRoutes(router, account);
  refundRoutes(router, account);
  subscriptionItemRoutes(router, account);
  subscriptionPauseRoutes(router, account);
  subscriptionRoutes(router, account);
  subscriptionScheduleRoutes(router, account);
  testClockRoutes(router, account);
  webhookEndpointRoutes(router, account, webhooks);
}
