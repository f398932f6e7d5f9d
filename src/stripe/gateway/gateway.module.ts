import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { MACHINE_CLOCK } from '../../database/server-clock.js';
import { FailureLog } from '../../http/failure-log.js';
import { Metrics } from '../../observability/metrics.js';
import { PairsRepository } from '../../pseudonyms/pairs.repository.js';
import { PSEUDONYMS, type Pseudonyms } from '../../pseudonyms/pseudonyms.js';
import { StripeIds } from '../../pseudonyms/stripe-ids.js';
import { PortalConfigurations } from './portal-configurations.js';
import { RequestBudget } from './request-pace.js';
import { StripeGateway } from './stripe.gateway.js';

/** DI token of the gateway to Stripe's API; `null` where there is no key. */
export const STRIPE_GATEWAY = Symbol('STRIPE_GATEWAY');

/** DI token of what exchanges user ids on their way to and from Stripe; `null` where they are the same inside. */
export const STRIPE_IDS = Symbol('STRIPE_IDS');

/** What asks Stripe's API. */
@Module({
  providers: [
    {
      provide: STRIPE_IDS,
      inject: [SETTINGS, PSEUDONYMS, POOL, Metrics, FailureLog],
      useFactory: stripeIds,
    },
    { provide: STRIPE_GATEWAY, inject: [SETTINGS, STRIPE_IDS, Metrics], useFactory: stripeGateway },
    {
      // Without a key there are none.
      provide: PortalConfigurations,
      inject: [STRIPE_GATEWAY, MACHINE_CLOCK],
      useFactory: (gateway: StripeGateway | null, now: () => number) =>
        gateway === null ? null : new PortalConfigurations(gateway, now),
    },
  ],
  exports: [STRIPE_GATEWAY, STRIPE_IDS, PortalConfigurations],
})
export class GatewayModule {}

function stripeIds(
  { userIds: { userIdMetadataKey: userIdKey } }: Settings,
  pseudonyms: Pseudonyms | null,
  pool: Pool,
  metrics: Metrics,
  failures: FailureLog,
): StripeIds | null {
  if (pseudonyms === null) return null;
  const pairs = new PairsRepository(pool);
  const onErasedClaims = (objects: readonly string[]): void => {
    metrics.erasedClaim(objects.length);
    pairs
      .noteErasedClaims(objects)
      .catch((err: unknown) => failures.trouble('a claim for an erased user is not listed', err));
  };
  return new StripeIds({ pseudonyms, userIdKey, onErasedClaims });
}

function stripeGateway(
  { stripeApi, livemode }: Settings,
  ids: StripeIds | null,
  metrics: Metrics,
): StripeGateway | null {
  if (stripeApi === null) return null;
  const { secretKey, apiBase, perSecond } = stripeApi;
  return new StripeGateway({
    secretKey,
    apiBase,
    ids,
    budget: new RequestBudget({ perSecond, livemode }),
    onRequest: (outcome) => metrics.stripeRequest(outcome),
  });
}
