import type { Pool } from 'pg';
import type { LogTarget } from './event-store.js';
import { PostgresEventStore } from './postgres/postgres-event-store.js';

/** Settings that name the log. */
export interface LogSettings {
  /** `null`: in the database. */
  readonly eventStoreUrl: string | null;
  readonly streamPrefix: string;
}

export interface LogParts {
  readonly pool: Pool;
  /** Connection of the session that listens, where the log is in the database. */
  readonly databaseUrl: string;
  /** Receives faults that harm no call. */
  readonly onFault: (fault: unknown) => void;
}

/** The log where the settings say: in an EventStoreDB, whose client is loaded only then, else in the database. */
export async function openEventStore(
  { eventStoreUrl, streamPrefix }: LogSettings,
  { pool, databaseUrl, onFault }: LogParts,
): Promise<LogTarget> {
  if (eventStoreUrl === null) {
    return new PostgresEventStore(pool, { session: { connectionString: databaseUrl }, onFault });
  }
  const { EventStoreDbEventStore } = await import('./eventstoredb/eventstoredb-event-store.js');
  return new EventStoreDbEventStore({ url: eventStoreUrl, streamPrefix, onFault });
}
