import { Module } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { MACHINE_CLOCK } from '../../database/server-clock.js';
import { Metrics } from '../../observability/metrics.js';
import { PortalConfigurations } from './portal-configurations.js';
import { RequestBudget } from './request-pace.js';
import { StripeGateway } from './stripe.gateway.js';

/** DI token of the gateway to Stripe's API; `null` where there is no key. */
export const STRIPE_GATEWAY = Symbol('STRIPE_GATEWAY');

/** What asks Stripe's API. */
@Module({
  providers: [
    { provide: STRIPE_GATEWAY, inject: [SETTINGS, Metrics], useFactory: stripeGateway },
    {
      // Without a key there are none.
      provide: PortalConfigurations,
      inject: [STRIPE_GATEWAY, MACHINE_CLOCK],
      useFactory: (gateway: StripeGateway | null, now: () => number) =>
        gateway === null ? null : new PortalConfigurations(gateway, now),
    },
  ],
  exports: [STRIPE_GATEWAY, PortalConfigurations],
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
