import { Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { SETTINGS, type Settings } from '../config/settings.js';
import { MACHINE_CLOCK, ServerClock } from '../database/server-clock.js';
import { TO_PROBLEM, type ToProblem } from '../http/problem.js';
import { LOGGER, type Logger } from '../observability/logger.js';
import { Metrics } from '../observability/metrics.js';
import { PROJECTIONS, type Projections } from '../projections/projections.js';
import type { StripeIds } from '../pseudonyms/stripe-ids.js';
import { GatewayModule, STRIPE_GATEWAY, STRIPE_IDS } from '../stripe/gateway/gateway.module.js';
import type { StripeGateway } from '../stripe/gateway/stripe.gateway.js';
import { ReconciliationModule } from '../stripe/reconciliation/reconciliation.module.js';
import { ReconciliationQueue } from '../stripe/reconciliation/reconciliation-queue.js';
import { CheckoutWait } from './checkout-wait.js';
import { DeliveryHeartbeat } from './delivery-heartbeat.js';
import { RecentDeliveries } from './recent-deliveries.js';
import { refusalsIn, thinTroublesIn } from './refusal-log.js';
import { StripeSignature } from './stripe-signature.js';
import { ThinEvents } from './thin-events.js';
import { WebhookController } from './webhook.controller.js';
import { WebhookService } from './webhook.service.js';

/** Receives Stripe's deliveries. */
@Module({
  imports: [ReconciliationModule, GatewayModule],
  controllers: [WebhookController],
  providers: [
    {
      provide: CheckoutWait,
      inject: [PROJECTIONS],
      useFactory: ({ engine, ops }: Projections) => new CheckoutWait(engine, ops),
    },
    {
      provide: StripeSignature,
      inject: [SETTINGS, MACHINE_CLOCK],
      useFactory: ({ stripeWebhookSecrets }: Settings, now: () => number) =>
        new StripeSignature(stripeWebhookSecrets, now),
    },
    {
      provide: ThinEvents,
      inject: [SETTINGS, STRIPE_GATEWAY, Metrics, LOGGER],
      useFactory: thinEvents,
    },
    {
      provide: WebhookService,
      inject: [
        SETTINGS,
        ThinEvents,
        StripeSignature,
        CommandBus,
        ReconciliationQueue,
        CheckoutWait,
        DeliveryHeartbeat,
        ServerClock,
        TO_PROBLEM,
        Metrics,
        LOGGER,
        RecentDeliveries,
        STRIPE_IDS,
      ],
      useFactory: webhookService,
    },
    { provide: RecentDeliveries, useFactory: () => new RecentDeliveries() },
  ],
  exports: [WebhookService, RecentDeliveries],
})
export class WebhooksModule {}

function thinEvents(
  { livemode, userIds: claims }: Settings,
  gateway: StripeGateway | null,
  metrics: Metrics,
  logger: Logger,
): ThinEvents {
  return new ThinEvents({ gateway, livemode, claims, metrics, onTrouble: thinTroublesIn(logger) });
}

function webhookService(
  { livemode, userIds, stripeAccount: account }: Settings,
  thinEvents: ThinEvents,
  signature: StripeSignature,
  commands: CommandBus,
  reconciliation: ReconciliationQueue,
  checkoutWait: CheckoutWait,
  heartbeat: DeliveryHeartbeat,
  clock: ServerClock,
  toProblem: ToProblem,
  metrics: Metrics,
  logger: Logger,
  recent: RecentDeliveries,
  ids: StripeIds | null,
): WebhookService {
  return new WebhookService({
    signature,
    livemode,
    translation: { ...userIds, account },
    commands,
    reconciliation,
    checkoutWait,
    heartbeat,
    thinEvents,
    ids,
    toProblem,
    metrics,
    onRefused: refusalsIn(logger),
    onHandled: (delivery) => recent.note(delivery),
    onUnexpected: (unexpected) => logger.warn(unexpected, 'Stripe sent what may surprise'),
    clock,
  });
}
