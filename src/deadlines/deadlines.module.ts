import { Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { MACHINE_CLOCK, ServerClock } from '../database/server-clock.js';
import { FailureLog } from '../http/failure-log.js';
import { Metrics } from '../observability/metrics.js';
import { LogWatch } from '../projections/engine/log-watch.js';
import { PROJECTIONS, type Projections } from '../projections/projections.js';
import { DeadlineScheduler } from './deadline-scheduler.js';

/** Writes what the clock changes. */
@Module({
  providers: [
    {
      provide: DeadlineScheduler,
      inject: [PROJECTIONS, LogWatch, ServerClock, MACHINE_CLOCK, CommandBus, Metrics, FailureLog],
      useFactory: deadlineScheduler,
    },
  ],
})
export class DeadlinesModule {}

/** Whoever leads the projection writes what the clock changes: it has the read models first. */
function deadlineScheduler(
  { engine, deadlines }: Projections,
  logWatch: LogWatch,
  clock: ServerClock,
  now: () => number,
  commands: CommandBus,
  metrics: Metrics,
  failures: FailureLog,
): DeadlineScheduler {
  return new DeadlineScheduler({
    deadlines,
    commands,
    isOurs: () => engine.status().state === 'leading' && logWatch.replaced === null && !clock.differs,
    now,
    handled: () => engine.status().handled,
    metrics,
    onTrouble: (userId, err) =>
      failures.trouble('a deadline could not be appended and is tried again', err, { userId }),
  });
}
