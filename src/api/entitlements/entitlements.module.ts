import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { AsOfReader } from '../../audit/as-of/as-of.js';
import { AuthModule } from '../../auth/auth.module.js';
import { HeldAccess } from '../../auth/held-access.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { MACHINE_CLOCK } from '../../database/server-clock.js';
import { EVENT_STORE, type EventStore } from '../../event-store/event-store.js';
import { EventStreams } from '../../http/event-stream.js';
import { LogWatch } from '../../projections/engine/log-watch.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { DecisionReader } from '../../projections/read-models/decision.reader.js';
import { ExplanationReader } from '../../projections/read-models/explanation.reader.js';
import { UsageReader } from '../../projections/read-models/usage.reader.js';
import { LongPolls } from '../../push/long-polls.js';
import { PushModule } from '../../push/push.module.js';
import { SnapshotWatch } from '../../push/snapshot-watch.js';
import { StreamPlaces } from '../../push/stream-places.js';
import { AsOfModule } from '../audit/as-of.module.js';
import { AsOfService } from './as-of.service.js';
import { AwaitedSnapshots } from './awaited-snapshots.js';
import { EntitlementsController } from './entitlements.controller.js';
import { EntitlementsService } from './entitlements.service.js';
import { ExplanationService } from './explanation.service.js';
import { MeController } from './me.controller.js';
import { SnapshotStreamsController } from './snapshot-streams.controller.js';
import { UserStreams } from './user-streams.js';

/** What users may do now, and could do as of a moment. */
@Module({
  imports: [AsOfModule, AuthModule, PushModule],
  controllers: [EntitlementsController, MeController, SnapshotStreamsController],
  providers: [
    {
      provide: AwaitedSnapshots,
      inject: [EntitlementsService, LongPolls, HeldAccess],
      useFactory: (...parts: ConstructorParameters<typeof AwaitedSnapshots>) =>
        new AwaitedSnapshots(...parts),
    },
    {
      provide: UserStreams,
      inject: [EntitlementsService, SnapshotWatch, StreamPlaces, EventStreams, HeldAccess],
      useFactory: (...parts: ConstructorParameters<typeof UserStreams>) => new UserStreams(...parts),
    },
    {
      provide: AsOfService,
      inject: [AsOfReader],
      useFactory: (reader: AsOfReader) => new AsOfService(reader),
    },
    {
      provide: EntitlementsService,
      inject: [PROJECTIONS, LogWatch, POOL, MACHINE_CLOCK],
      useFactory: ({ reader, engine }: Projections, logWatch: LogWatch, pool: Pool, now: () => number) =>
        new EntitlementsService(reader, engine, logWatch, new DecisionReader({ pool, now })),
    },
    {
      provide: ExplanationService,
      inject: [EntitlementsService, POOL, EVENT_STORE, SETTINGS, MACHINE_CLOCK],
      useFactory: (
        entitlements: EntitlementsService,
        pool: Pool,
        store: EventStore,
        { streamPrefix }: Settings,
        now: () => number,
      ) =>
        new ExplanationService(
          entitlements,
          new ExplanationReader({ pool, store, streamPrefix, now }),
          new UsageReader(pool),
        ),
    },
  ],
  exports: [EntitlementsService, UserStreams],
})
export class EntitlementsModule {}
