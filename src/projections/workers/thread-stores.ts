import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Pool } from 'pg';
import { openPool } from '../../database/pools.js';
import type { EventStore } from '../../event-store/event-store.js';
import { openEventStore } from '../../event-store/open-event-store.js';
import { eventStorePoolConfig } from '../../event-store/postgres/pg-session.js';
import type { TracingSettings } from '../../observability/tracing.js';

/** Connections of a thread: it folds one batch at a time. */
const POOL_SIZE = 4;

/** Where a thread finds what it folds, and writes it. */
export interface FoldingPlace {
  readonly databaseUrl: string;
  /** `null`: the log is in the database. */
  readonly eventStoreUrl: string | null;
  readonly streamPrefix: string;
  /** The setting `FAULT_LIMIT`. */
  readonly faultLimit: number;
  /** The setting `REBUILD_THREADS`. */
  readonly rebuildThreads: number;
  /** Where the thread sends its spans; `null`: nothing is traced. */
  readonly tracing: TracingSettings | null;
}

/** The port of a folding thread, and the place it was started with. Throws outside of a thread. */
export function beginning<Place extends FoldingPlace = FoldingPlace>(): {
  readonly port: MessagePort;
  readonly place: Place;
} {
  if (parentPort === null) throw new Error('this file is the beginning of a thread');
  return { port: parentPort, place: workerData };
}

/** A thread's own connections to the database and to the log. */
export interface ThreadStores {
  readonly pool: Pool;
  readonly store: EventStore;
  close(): Promise<void>;
}

/**
 * Opens them; nothing is sent before it is needed. With `pipeline` the statements of a batch are sent together, see `Flight`.
 * `onTrouble` receives the faults of idle connections.
 */
export async function openThreadStores(
  place: FoldingPlace,
  { pipeline }: { readonly pipeline: boolean },
  onTrouble: (error: unknown) => void,
): Promise<ThreadStores> {
  const { databaseUrl } = place;
  const pool = openThreadPool(place, { pipeline }, onTrouble);
  const store = await openEventStore(place, { pool, databaseUrl, onFault: onTrouble });
  return {
    pool,
    store,
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
}

/** A thread's own connections to the database alone; as of `openThreadStores`. */
export function openThreadPool(
  { databaseUrl }: Pick<FoldingPlace, 'databaseUrl'>,
  { pipeline }: { readonly pipeline: boolean },
  onTrouble: (error: unknown) => void,
): Pool {
  return openPool({ ...eventStorePoolConfig(databaseUrl, POOL_SIZE), pipeline }, onTrouble);
}
