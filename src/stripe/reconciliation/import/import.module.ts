import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { Repositories } from '../../../commands/repositories.js';
import { SETTINGS, type Settings } from '../../../config/settings.js';
import { POOL } from '../../../database/database.js';
import { ServerClock } from '../../../database/server-clock.js';
import { EVENT_STORE, type EventStore } from '../../../event-store/event-store.js';
import { FailureLog } from '../../../http/failure-log.js';
import { GatewayModule, STRIPE_GATEWAY } from '../../gateway/gateway.module.js';
import type { StripeGateway } from '../../gateway/stripe.gateway.js';
import { ImportRunner } from './import-runner.js';
import { Importer } from './importer.js';

/** Brings in what Stripe has, beside the service. */
@Module({
  imports: [GatewayModule],
  providers: [
    {
      provide: ImportRunner,
      inject: [SETTINGS, STRIPE_GATEWAY, POOL, EVENT_STORE, Repositories, ServerClock, FailureLog],
      useFactory: importRunner,
    },
  ],
  exports: [ImportRunner],
})
export class ImportModule {}

function importRunner(
  { streamPrefix, livemode, userIds: claims, stripeAccount }: Settings,
  gateway: StripeGateway | null,
  pool: Pool,
  store: EventStore,
  repositories: Repositories,
  clock: ServerClock,
  failures: FailureLog,
): ImportRunner {
  return new ImportRunner({
    importerUntil:
      gateway === null
        ? null
        : (signal) =>
            new Importer({
              ...{
                pool,
                store,
                repositories,
                gateway,
                stripeAccount,
                streamPrefix,
                livemode,
                claims,
                signal,
              },
              now: () => clock.now(),
              onProgress: () => undefined,
            }),
    onTrouble: (error) => failures.trouble('an import goes on later', error),
  });
}
