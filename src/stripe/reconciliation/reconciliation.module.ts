import { Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Repositories } from '../../commands/repositories.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { EVENT_STORE, type EventStore } from '../../event-store/event-store.js';
import { subscriptionStream } from '../../events/stream-names.js';
import { LOGGER, type Logger } from '../../observability/logger.js';
import { Metrics } from '../../observability/metrics.js';
import { StripeGateway } from '../gateway/stripe.gateway.js';
import { Reconciler } from './reconciler.js';
import { ReconciliationQueue } from './reconciliation-queue.js';

/** Asks Stripe where its events leave a doubt; without a key it asks nothing. */
@Module({
  providers: [
    {
      provide: ReconciliationQueue,
      inject: [SETTINGS, EVENT_STORE, CommandBus, Repositories, Metrics, LOGGER],
      useFactory: reconciliationQueue,
    },
  ],
  exports: [ReconciliationQueue],
})
export class ReconciliationModule {}

function reconciliationQueue(
  { stripeApi, streamPrefix, livemode, userIds: claims }: Settings,
  store: EventStore,
  commands: CommandBus,
  { subscriptions }: Repositories,
  metrics: Metrics,
  logger: Logger,
): ReconciliationQueue {
  const gateway =
    stripeApi === null
      ? null
      : new StripeGateway({ ...stripeApi, onRequest: (outcome) => metrics.stripeRequest(outcome) });
  return new ReconciliationQueue({
    reconciler:
      gateway === null ? null : new Reconciler({ gateway, store, commands, streamPrefix, livemode, claims }),
    newestSecond: (subscription) =>
      subscriptions.newestSecond(subscriptionStream(streamPrefix, subscription)),
    metrics,
    onUnsettled: (subscription, why) =>
      logger.warn(
        { subscription, ...(typeof why === 'string' ? { why } : { err: why }) },
        'a doubt about a subscription stays',
      ),
    abort: () => gateway?.close(),
  });
}
