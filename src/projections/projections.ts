import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { EventStore, Position } from '../event-store/event-store.js';
import { type ProjectionFault, readLiveCheckpoint } from './engine/checkpoint.js';
import { ProjectionEngine } from './engine/projection-engine.js';
import { DeadlineReader } from './entitlements/deadline.reader.js';
import { EntitlementReader } from './entitlements/entitlement.reader.js';
import { EntitlementsProjector } from './entitlements/entitlements.projector.js';
import { OpsReader } from './entitlements/ops.reader.js';

/** The one generation there is until rebuilds exist. */
const GENERATION = 1;

export interface ProjectionsOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  /** Knows the entities; for what is asked seldom. */
  readonly source: DataSource;
  /** Connection string for the session that leads and listens. */
  readonly url: string;
  readonly onFault?: (fault: ProjectionFault) => void;
  readonly onTrouble?: (error: unknown) => void;
  readonly batchSize?: number;
  readonly sliceSize?: number;
}

/** The read side of one process: the engine that drives it, and what reads it. */
export interface Projections {
  readonly engine: ProjectionEngine;
  readonly reader: EntitlementReader;
  readonly ops: OpsReader;
  readonly deadlines: DeadlineReader;
  /** Last event of the log that is in the read models now; `null` when there is none. */
  handledBefore(): Promise<Position | null>;
}

/** Puts engine, projector and readers together. Start the engine to make them move. */
export function createProjections(options: ProjectionsOptions): Projections {
  const { store, pool, source, url, onFault, onTrouble } = options;
  const reader = new EntitlementReader(pool);
  const projector = new EntitlementsProjector({
    pool,
    generation: GENERATION,
    ...(options.sliceSize === undefined ? {} : { sliceSize: options.sliceSize }),
  });
  const engine = new ProjectionEngine({
    store,
    pool,
    url,
    projector,
    generation: GENERATION,
    ...(options.batchSize === undefined ? {} : { batchSize: options.batchSize }),
    listener: {
      onChanged: (changed) => reader.changed(changed),
      onConfirmed: (checkpoint, moved) => reader.confirmed(checkpoint, moved),
      onFault: onFault ?? (() => undefined),
      onTrouble: onTrouble ?? (() => undefined),
    },
  });
  return {
    engine,
    reader,
    ops: new OpsReader(source),
    deadlines: new DeadlineReader(pool),
    handledBefore: async () => (await readLiveCheckpoint(pool, projector.name))?.checkpoint.handled ?? null,
  };
}
