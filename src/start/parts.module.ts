import { type DynamicModule, Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { ANSWERS_KEPT_MS } from '../api/health/open-answers.js';
import { toProblem } from '../api/to-problem.js';
import { Repositories } from '../commands/repositories.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { DATABASE_URL, POOL } from '../database/database.js';
import { MACHINE_CLOCK, ServerClock } from '../database/server-clock.js';
import { EVENT_STORE, type EventStore } from '../event-store/event-store.js';
import { FailureLog } from '../http/failure-log.js';
import { TO_PROBLEM } from '../http/problem.js';
import { LOGGER, type Logger } from '../observability/logger.js';
import { Metrics } from '../observability/metrics.js';
import { LogWatch } from '../projections/engine/log-watch.js';
import { PROJECTIONS, type Projections } from '../projections/projections.js';
import { PSEUDONYMS, type Pseudonyms } from '../pseudonyms/pseudonyms.js';
import { DeliveryHeartbeat } from '../webhooks/delivery-heartbeat.js';

/** What is there before the application: stores, read side, settings. */
export interface AppParts {
  readonly settings: Settings;
  readonly pool: Pool;
  /** Where the database is, for sessions that lead or listen. */
  readonly databaseUrl: string;
  readonly store: EventStore;
  readonly repositories: Repositories;
  readonly projections: Projections;
  /** Whether the log is the one that the read models were made from. */
  readonly logWatch: LogWatch;
  readonly heartbeat: DeliveryHeartbeat;
  /** `null`: user ids are kept as they are. */
  readonly pseudonyms: Pseudonyms | null;
  readonly clock: ServerClock;
  /** This machine's clock, Unix milliseconds; what is written asks `clock`. */
  readonly now: () => number;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly failures: FailureLog;
  /** How long `/health/ready` and `/metrics` tell one answer, in milliseconds. */
  readonly openAnswersKeptMs: number;
}

@Module({})
class PartsModule {}

/** Gives every module what is there before the application. */
export function partsModule(parts: AppParts): DynamicModule {
  const providers = [
    { provide: SETTINGS, useValue: parts.settings },
    { provide: POOL, useValue: parts.pool },
    { provide: DATABASE_URL, useValue: parts.databaseUrl },
    { provide: EVENT_STORE, useValue: parts.store },
    { provide: Repositories, useValue: parts.repositories },
    { provide: PROJECTIONS, useValue: parts.projections },
    { provide: LogWatch, useValue: parts.logWatch },
    { provide: DeliveryHeartbeat, useValue: parts.heartbeat },
    { provide: PSEUDONYMS, useValue: parts.pseudonyms },
    { provide: ServerClock, useValue: parts.clock },
    { provide: MACHINE_CLOCK, useValue: parts.now },
    { provide: Metrics, useValue: parts.metrics },
    { provide: LOGGER, useValue: parts.logger },
    { provide: FailureLog, useValue: parts.failures },
    { provide: ANSWERS_KEPT_MS, useValue: parts.openAnswersKeptMs },
    { provide: TO_PROBLEM, useValue: toProblem },
  ];
  return { module: PartsModule, global: true, providers, exports: providers };
}
