import type { Pool } from 'pg';
import type { EventStore } from './event-store.js';
import { EventStoreDbEventStore } from './eventstoredb/eventstoredb-event-store.js';
import { PostgresEventStore } from './postgres/postgres-event-store.js';

/** What tells where the log is. */
export interface LogSettings {
  /** `null`: in the database. */
  readonly eventStoreUrl: string | null;
  readonly streamPrefix: string;
}

export interface LogParts {
  readonly pool: Pool;
  /** For the session that listens, where the log is in the database. */
  readonly databaseUrl: string;
  /** Hears faults that harm no call. */
  readonly onFault: (fault: unknown) => void;
}

/** The log where the settings say: in an EventStoreDB, else in the database. */
export function openEventStore(
  { eventStoreUrl, streamPrefix }: LogSettings,
  { pool, databaseUrl, onFault }: LogParts,
): EventStore {
  return eventStoreUrl === null
    ? new PostgresEventStore(pool, { session: { connectionString: databaseUrl }, onFault })
    : new EventStoreDbEventStore({ url: eventStoreUrl, streamPrefix, onFault });
}
