import { Module } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { Metrics } from '../../observability/metrics.js';
import { RequestBudget } from './request-pace.js';
import { StripeGateway } from './stripe.gateway.js';

/** DI token of the gateway to Stripe's API; `null` where there is no key. */
export const STRIPE_GATEWAY = Symbol('STRIPE_GATEWAY');

/** What asks Stripe's API. */
@Module({
  providers: [{ provide: STRIPE_GATEWAY, inject: [SETTINGS, Metrics], useFactory: stripeGateway }],
  exports: [STRIPE_GATEWAY],
})
export class GatewayModule {}

function stripeGateway({ stripeApi, livemode }: Settings, metrics: Metrics): StripeGateway | null {
  if (stripeApi === null) return null;
  const { secretKey, apiBase, perSecond } = stripeApi;
  return new StripeGateway({
    secretKey,
    apiBase,
    budget: new RequestBudget({ perSecond, livemode }),
    onRequest: (outcome) => metrics.stripeRequest(outcome),
  });
}
