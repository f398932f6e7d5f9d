import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { AuditTreeModule } from '../../audit/tree/audit-tree.module.js';
import { TreeKeeper } from '../../audit/tree/tree-keeper.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { ServerClock } from '../../database/server-clock.js';
import { EVENT_STORE, type EventStore } from '../../event-store/event-store.js';
import { SharedAnswer } from '../../http/shared-answer.js';
import { Metrics } from '../../observability/metrics.js';
import { LogWatch } from '../../projections/engine/log-watch.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { PseudonymListsReader } from '../../pseudonyms/pseudonym-lists.reader.js';
import { PSEUDONYMS, type Pseudonyms } from '../../pseudonyms/pseudonyms.js';
import { DeliveryHeartbeat } from '../../webhooks/delivery-heartbeat.js';
import { WebhookService } from '../../webhooks/webhook.service.js';
import { WebhooksModule } from '../../webhooks/webhooks.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { ANSWERS_KEPT_MS, OpenAnswers } from './open-answers.js';

/** Whether this instance can do its work, and its figures. */
@Module({
  imports: [WebhooksModule, AuditTreeModule],
  controllers: [HealthController],
  providers: [
    {
      provide: HealthService,
      inject: [
        SETTINGS,
        POOL,
        EVENT_STORE,
        PROJECTIONS,
        WebhookService,
        DeliveryHeartbeat,
        LogWatch,
        ServerClock,
        TreeKeeper,
        PSEUDONYMS,
      ],
      useFactory: healthService,
    },
    {
      provide: OpenAnswers,
      inject: [HealthService, Metrics, ANSWERS_KEPT_MS],
      useFactory: (...told: ConstructorParameters<typeof OpenAnswers>) => new OpenAnswers(...told),
    },
  ],
})
export class HealthModule {}

/** Whether ids were lost is looked at so often, in milliseconds: it takes a look at all users. */
const LOST_KEPT_MS = 60_000;

function healthService(
  settings: Settings,
  pool: Pool,
  store: EventStore,
  { engine }: Projections,
  webhooks: WebhookService,
  heartbeat: DeliveryHeartbeat,
  logWatch: LogWatch,
  clock: ServerClock,
  tree: TreeKeeper,
  pseudonyms: Pseudonyms | null,
): HealthService {
  const lists = new PseudonymListsReader(pool);
  const lost = new SharedAnswer(() => lists.isAnyMissing(), LOST_KEPT_MS);
  return new HealthService({
    pool,
    store,
    engine,
    webhooks,
    heartbeat,
    logWatch,
    clock,
    tree,
    eventStore: settings.eventStoreUrl === null ? 'postgresql' : 'eventstoredb',
    lagLimitSeconds: settings.readyLagSeconds,
    silenceLimitMinutes: settings.webhookSilenceMinutes,
    lostUserIds: pseudonyms === null ? null : () => lost.get(),
  });
}
