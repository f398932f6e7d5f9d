import { Module } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { UserHistory } from '../../audit/history/user-history.js';
import { AuditLog } from '../../audit/log/audit-log.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { ServerClock } from '../../database/server-clock.js';
import { EVENT_STORE, type EventStore } from '../../event-store/event-store.js';
import { FailureLog } from '../../http/failure-log.js';
import { LineStreams } from '../../http/line-stream.js';
import { TO_PROBLEM } from '../../http/problem.js';
import { AsOfModule } from './as-of.module.js';
import { AuditGuard } from './audit.guard.js';
import { AuditEntitlementsController } from './audit-entitlements.controller.js';
import { AuditEventsController } from './audit-events.controller.js';
import { AuditHistoryController } from './audit-history.controller.js';

/** What auditors read, and the record of who did. */
@Module({
  imports: [AsOfModule],
  controllers: [AuditEntitlementsController, AuditEventsController, AuditHistoryController],
  providers: [
    {
      provide: AuditGuard,
      inject: [Reflector, CommandBus, EVENT_STORE, ServerClock],
      useFactory: (reflector: Reflector, commands: CommandBus, store: EventStore, clock: ServerClock) =>
        new AuditGuard({ reflector, commands, store, now: () => clock.now() }),
    },
    {
      provide: AuditLog,
      inject: [EVENT_STORE, POOL, SETTINGS],
      useFactory: (store: EventStore, pool: Pool, { streamPrefix }: Settings) =>
        new AuditLog({ store, pool, streamPrefix }),
    },
    {
      provide: UserHistory,
      inject: [POOL, EVENT_STORE, SETTINGS],
      useFactory: (pool: Pool, store: EventStore, { streamPrefix }: Settings) =>
        new UserHistory({ pool, store, streamPrefix }),
    },
    {
      provide: LineStreams,
      inject: [TO_PROBLEM, FailureLog],
      useFactory: (...told: ConstructorParameters<typeof LineStreams>) => new LineStreams(...told),
    },
  ],
})
export class AuditModule {}
