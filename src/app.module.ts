import { type DynamicModule, Module } from '@nestjs/common';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { EntitlementsController } from './api/entitlements/entitlements.controller.js';
import { EntitlementsService } from './api/entitlements/entitlements.service.js';
import { HealthController } from './api/health/health.controller.js';
import { HealthService } from './api/health/health.service.js';
import { OpenAnswers } from './api/health/open-answers.js';
import { BulkLinks } from './api/links/bulk-links.js';
import { LinksController } from './api/links/links.controller.js';
import { FaultsController } from './api/ops/faults.controller.js';
import { OpsController } from './api/ops/ops.controller.js';
import { PlansController } from './api/ops/plans.controller.js';
import { ProjectionsController } from './api/ops/projections.controller.js';
import { RebuildController } from './api/ops/rebuild.controller.js';
import { toProblem } from './api/to-problem.js';
import { UsersController } from './api/users/users.controller.js';
import { COMMAND_HANDLERS } from './commands/command-handlers.js';
import { Repositories } from './commands/repositories.js';
import type { Settings } from './config/settings.js';
import type { ServerClock } from './database/server-clock.js';
import { DeadlineScheduler } from './deadlines/deadline-scheduler.js';
import { EVENT_STORE, type EventStore } from './event-store/event-store.js';
import { subscriptionStream } from './events/stream-names.js';
import { EventStreams } from './http/event-stream.js';
import type { Logger } from './observability/logger.js';
import { Metrics } from './observability/metrics.js';
import type { LogWatch } from './projections/engine/log-watch.js';
import { ENTITLEMENTS } from './projections/entitlements/entitlements.projector.js';
import { PROJECTIONS, type Projections } from './projections/projections.js';
import { OpsReader } from './projections/read-models/ops.reader.js';
import { ProjectionRecovery } from './projections/recovery.js';
import { StripeGateway } from './stripe/gateway/stripe.gateway.js';
import { Reconciler } from './stripe/reconciliation/reconciler.js';
import { ReconciliationQueue } from './stripe/reconciliation/reconciliation-queue.js';
import { CheckoutWait } from './webhooks/checkout-wait.js';
import type { DeliveryHeartbeat } from './webhooks/delivery-heartbeat.js';
import { StripeSignature } from './webhooks/stripe-signature.js';
import { WebhookController } from './webhooks/webhook.controller.js';
import { WebhookService } from './webhooks/webhook.service.js';

/** What is there before the application: stores, read side, settings. */
export interface AppParts {
  readonly settings: Settings;
  readonly pool: Pool;
  readonly store: EventStore;
  readonly projections: Projections;
  /** Whether the log is the one that the read models were made from. */
  readonly logWatch: LogWatch;
  readonly heartbeat: DeliveryHeartbeat;
  readonly clock: ServerClock;
  /** This machine's clock, Unix milliseconds; what is written asks `clock`. */
  readonly now: () => number;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** How long `/health/ready` and `/metrics` tell one answer, in milliseconds. */
  readonly openAnswersKeptMs: number;
}

/** The application: commands, webhooks and API over the stores it is given. */
@Module({})
class AppModule {}

/** Puts the application together. */
export function appModule(parts: AppParts): DynamicModule {
  const {
    settings,
    pool,
    store,
    projections,
    logWatch,
    heartbeat: contact,
    clock,
    now,
    metrics,
    logger,
  } = parts;
  const { engine, reader, ops } = projections;
  const mayWrite = (): Promise<void> | undefined => logWatch.mayWrite();
  const repositories = new Repositories(store, {
    streamPrefix: settings.streamPrefix,
    now: () => clock.now(),
    mayWrite,
  });
  return {
    module: AppModule,
    imports: [CqrsModule.forRoot()],
    controllers: [
      WebhookController,
      EntitlementsController,
      UsersController,
      LinksController,
      OpsController,
      ProjectionsController,
      RebuildController,
      FaultsController,
      PlansController,
      HealthController,
    ],
    providers: [
      ...COMMAND_HANDLERS,
      { provide: Repositories, useValue: repositories },
      { provide: EVENT_STORE, useValue: store },
      { provide: PROJECTIONS, useValue: projections },
      { provide: OpsReader, useValue: ops },
      { provide: EventStreams, useValue: new EventStreams(toProblem, logger) },
      { provide: Metrics, useValue: metrics },
      {
        provide: BulkLinks,
        inject: [CommandBus],
        useFactory: (commands: CommandBus) => new BulkLinks(commands, logger),
      },
      {
        provide: OpenAnswers,
        inject: [HealthService],
        useFactory: (health: HealthService) => new OpenAnswers(health, metrics, parts.openAnswersKeptMs),
      },
      { provide: EntitlementsService, useValue: new EntitlementsService(reader, engine, ops, logWatch) },
      {
        provide: ReconciliationQueue,
        inject: [CommandBus],
        useFactory: (commands: CommandBus) => reconciliationQueue(parts, commands, repositories),
      },
      {
        provide: ProjectionRecovery,
        inject: [CommandBus],
        useFactory: (commands: CommandBus) => {
          const { streamPrefix } = settings;
          return new ProjectionRecovery({ store, streamPrefix, pool, projection: ENTITLEMENTS, commands });
        },
      },
      {
        provide: DeadlineScheduler,
        inject: [CommandBus],
        useFactory: (commands: CommandBus) => deadlineScheduler(parts, commands),
      },
      {
        provide: WebhookService,
        inject: [CommandBus, ReconciliationQueue],
        useFactory: (commands: CommandBus, asked: ReconciliationQueue) =>
          new WebhookService({
            signature: new StripeSignature(settings.stripeWebhookSecrets, now),
            livemode: settings.livemode,
            translation: { ...settings.userIds, account: settings.stripeAccount },
            commands,
            reconciliation: asked,
            checkoutWait: new CheckoutWait(engine, ops),
            heartbeat: contact,
            toProblem,
            metrics,
            onUnexpected: (unexpected) => logger.warn(unexpected, 'Stripe sent what may surprise'),
            clock,
          }),
      },
      {
        provide: HealthService,
        inject: [WebhookService],
        useFactory: (webhooks: WebhookService) =>
          new HealthService({
            pool,
            store,
            engine,
            webhooks,
            heartbeat: contact,
            logWatch,
            clock,
            eventStore: settings.eventStoreUrl === null ? 'postgresql' : 'eventstoredb',
            lagLimitSeconds: settings.readyLagSeconds,
            silenceLimitMinutes: settings.webhookSilenceMinutes,
          }),
      },
    ],
  };
}

/** Whoever leads the projection writes what the clock changes: it has the read models first. */
function deadlineScheduler(
  { projections, logWatch, clock, now, metrics, logger }: AppParts,
  commands: CommandBus,
): DeadlineScheduler {
  const { engine, deadlines } = projections;
  return new DeadlineScheduler({
    deadlines,
    commands,
    isOurs: () => engine.status().state === 'leading' && logWatch.replaced === null && !clock.differs,
    now,
    handled: () => engine.status().handled,
    metrics,
    onTrouble: (userId, err) =>
      logger.warn({ userId, err }, 'a deadline could not be appended and is tried again'),
  });
}

/** Asks Stripe where its events leave a doubt; without a key it asks nothing. */
function reconciliationQueue(
  { settings, store, metrics, logger }: AppParts,
  commands: CommandBus,
  { subscriptions }: Repositories,
): ReconciliationQueue {
  const { stripeApi, streamPrefix, livemode, userIds: claims } = settings;
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
