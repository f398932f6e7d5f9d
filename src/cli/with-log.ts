import { ServerClock } from '../database/server-clock.js';
import type { LogTarget } from '../event-store/event-store.js';
import { claimForLog, claimForRestore, expectLog, logOf } from '../event-store/log-identity.js';
import { openEventStore } from '../event-store/open-event-store.js';
import type { DataUse } from './database-url.js';
import { type ServicePool, withServicePool } from './service-pool.js';
import { messageOf, type Terminal } from './terminal.js';

/** The log of a service beside its database. `now` is the writer's clock. */
export interface ServiceLog extends ServicePool {
  readonly store: LogTarget;
  readonly now: () => number;
}

const CLAIM = { read: expectLog, write: claimForLog, restore: claimForRestore };

/**
 * Opens the log of the service beside its database.
 * @throws OtherLogError when the settings name another log than the database was made from
 */
export function withLog<Result>(
  terminal: Terminal,
  use: DataUse,
  work: (log: ServiceLog) => Promise<Result>,
): Promise<Result> {
  return withServicePool(terminal, use, async (data) => {
    const { settings, pool, databaseUrl } = data;
    await CLAIM[use](pool, logOf(settings));
    const onFault = (fault: unknown): void => terminal.err(`tenure: event store: ${messageOf(fault)}\n`);
    const clock = new ServerClock({ pool });
    await clock.measure();
    const store = await openEventStore(settings, { pool, databaseUrl, onFault });
    try {
      return await work({ ...data, store, now: () => clock.now() });
    } finally {
      await store.close();
    }
  });
}
