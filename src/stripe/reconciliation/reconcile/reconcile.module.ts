import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { Repositories } from '../../../commands/repositories.js';
import { SETTINGS, type Settings } from '../../../config/settings.js';
import { POOL } from '../../../database/database.js';
import { EVENT_STORE, type EventStore } from '../../../event-store/event-store.js';
import { FailureLog } from '../../../http/failure-log.js';
import { GatewayModule, STRIPE_GATEWAY } from '../../gateway/gateway.module.js';
import type { StripeGateway } from '../../gateway/stripe.gateway.js';
import { Reconciliation } from './reconciliation.js';
import { ReconciliationRunner } from './reconciliation-runner.js';

/** Makes the log agree with Stripe, beside the service. */
@Module({
  imports: [GatewayModule],
  providers: [
    {
      provide: ReconciliationRunner,
      inject: [SETTINGS, STRIPE_GATEWAY, POOL, EVENT_STORE, Repositories, FailureLog],
      useFactory: reconciliationRunner,
    },
  ],
  exports: [ReconciliationRunner],
})
export class ReconcileModule {}

function reconciliationRunner(
  { streamPrefix, livemode, userIds, stripeAccount: account, reconcileEveryHours: everyHours }: Settings,
  gateway: StripeGateway | null,
  pool: Pool,
  store: EventStore,
  repositories: Repositories,
  failures: FailureLog,
): ReconciliationRunner {
  return new ReconciliationRunner({
    everyHours,
    reconciliationUntil:
      gateway === null
        ? null
        : (signal) =>
            new Reconciliation({
              ...{ pool, store, repositories, gateway, streamPrefix, livemode, signal },
              translation: { ...userIds, account },
              onProgress: () => undefined,
            }),
    onTrouble: (error) => failures.trouble('a reconciliation goes on later', error),
  });
}
