import { Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { Repositories } from '../../commands/repositories.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { EVENT_STORE, type EventStore } from '../../event-store/event-store.js';
import { streamName } from '../../events/stream-names.js';
import { FailureLog } from '../../http/failure-log.js';
import { LOGGER, type Logger } from '../../observability/logger.js';
import { Metrics } from '../../observability/metrics.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { DoubtReader } from '../../projections/read-models/doubt.reader.js';
import { GatewayModule, STRIPE_GATEWAY } from '../gateway/gateway.module.js';
import type { StripeGateway } from '../gateway/stripe.gateway.js';
import { DoubtWalk } from './doubt-walk.js';
import { Reconciler } from './reconciler.js';
import { ReconciliationQueue } from './reconciliation-queue.js';

/** Asks Stripe where its events leave a doubt; without a key it asks nothing. */
@Module({
  imports: [GatewayModule],
  providers: [
    {
      provide: ReconciliationQueue,
      inject: [SETTINGS, STRIPE_GATEWAY, EVENT_STORE, POOL, CommandBus, Repositories, Metrics, LOGGER],
      useFactory: reconciliationQueue,
    },
    {
      provide: DoubtWalk,
      inject: [POOL, PROJECTIONS, ReconciliationQueue, FailureLog],
      useFactory: (pool: Pool, { engine }: Projections, queue: ReconciliationQueue, failures: FailureLog) =>
        new DoubtWalk({
          reader: new DoubtReader(pool),
          queue,
          isLevel: () => engine.status().lagEvents === 0,
          onTrouble: (error) => failures.trouble('doubts of before the start are not all found', error),
        }),
    },
  ],
  exports: [ReconciliationQueue, DoubtWalk],
})
export class ReconciliationModule {}

function reconciliationQueue(
  { streamPrefix, livemode, userIds: claims }: Settings,
  gateway: StripeGateway | null,
  store: EventStore,
  pool: Pool,
  commands: CommandBus,
  { subscriptions, customers }: Repositories,
  metrics: Metrics,
  logger: Logger,
): ReconciliationQueue {
  const reader = new DoubtReader(pool);
  const isJoined = (payment: string) => reader.isJoined(payment);
  return new ReconciliationQueue({
    reconciler:
      gateway === null
        ? null
        : new Reconciler({ gateway, store, commands, streamPrefix, livemode, claims, isJoined }),
    newestSecond: (stream) =>
      (stream.category === 'customer' ? customers : subscriptions).newestSecond(
        streamName(streamPrefix, stream),
      ),
    metrics,
    onUnsettled: (id, why) =>
      logger.warn(
        { id, ...(typeof why === 'string' ? { why } : { err: why }) },
        'a doubt about what Stripe said stays',
      ),
    abort: () => gateway?.close(),
  });
}
