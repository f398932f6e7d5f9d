import type { Pool } from 'pg';
import { SealedSecrets } from '../auth/sealed-secrets.js';
import { loadAdminKeys, loadUserIds, type StoreSettings } from '../config/part-settings.js';
import { ServerClock } from '../database/server-clock.js';
import type { LogTarget } from '../event-store/event-store.js';
import { claimForLog, claimForRestore, expectLog } from '../event-store/log-identity.js';
import { openEventStore } from '../event-store/open-event-store.js';
import { openPseudonyms } from '../pseudonyms/open-pseudonyms.js';
import type { DataUse } from './database-url.js';
import { keepsPseudonyms } from './kept-user-ids.js';
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
    await CLAIM[use](pool, settings);
    const onFault = (fault: unknown): void => terminal.err(`tenure: event store: ${messageOf(fault)}\n`);
    const clock = new ServerClock({ pool });
    await clock.measure();
    const store = await openEventStore(settings, { pool, databaseUrl, onFault });
    try {
      if (use === 'write' && keepsPseudonyms(terminal))
        await beginPseudonyms(terminal, pool, store, settings);
      return await work({ ...data, store, now: () => clock.now() });
    } finally {
      await store.close();
    }
  });
}

/**
 * Has the log and the database ready for pseudonyms, as the start of a service does.
 * @throws PseudonymsFixedError, PseudonymsMissingError, PseudonymKeyUnreadableError
 */
async function beginPseudonyms(
  { environment }: Terminal,
  pool: Pool,
  store: LogTarget,
  { streamPrefix }: StoreSettings,
): Promise<void> {
  const sealing = new SealedSecrets(loadAdminKeys(environment));
  const { pattern: userIdPattern } = loadUserIds(environment).ownUserIds;
  await openPseudonyms('pseudonyms', { pool, store, streamPrefix, sealing, userIdPattern });
}
