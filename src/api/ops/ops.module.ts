import { Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { EVENT_STORE, type EventStore } from '../../event-store/event-store.js';
import { ENTITLEMENTS } from '../../projections/entitlements/entitlements.projector.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { OpsReader } from '../../projections/read-models/ops.reader.js';
import { ProjectionRecovery } from '../../projections/recovery.js';
import { PushModule } from '../../push/push.module.js';
import { ReactionsModule } from '../../reactions/reactions.module.js';
import { ImportModule } from '../../stripe/reconciliation/import/import.module.js';
import { ReconcileModule } from '../../stripe/reconciliation/reconcile/reconcile.module.js';
import { WebhooksModule } from '../../webhooks/webhooks.module.js';
import { PseudonymsController } from '../pseudonyms/pseudonyms.controller.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { DeliveriesController } from './deliveries.controller.js';
import { FaultsController } from './faults.controller.js';
import { ImportController } from './import.controller.js';
import { OpsController } from './ops.controller.js';
import { PlansController } from './plans.controller.js';
import { ProjectionsController } from './projections.controller.js';
import { RebuildController } from './rebuild.controller.js';
import { ReconciliationController } from './reconciliation.controller.js';
import { WebhookEndpointsController } from './webhook-endpoints.controller.js';

/** What ops look at, rebuild and mend. */
@Module({
  imports: [ImportModule, ReconcileModule, ReactionsModule, PushModule, WebhooksModule],
  controllers: [
    OpsController,
    ProjectionsController,
    RebuildController,
    FaultsController,
    PlansController,
    ImportController,
    ReconciliationController,
    WebhookEndpointsController,
    DeadLettersController,
    DeliveriesController,
    PseudonymsController,
  ],
  providers: [
    { provide: OpsReader, inject: [PROJECTIONS], useFactory: ({ ops }: Projections) => ops },
    {
      provide: ProjectionRecovery,
      inject: [EVENT_STORE, SETTINGS, POOL, CommandBus],
      useFactory: (store: EventStore, { streamPrefix }: Settings, pool: Pool, commands: CommandBus) =>
        new ProjectionRecovery({ store, streamPrefix, pool, projection: ENTITLEMENTS, commands }),
    },
  ],
})
export class OpsModule {}
