import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { EventStore, Position } from '../event-store/event-store.js';
import { type ProjectionFault, readLiveCheckpoint } from './engine/checkpoint.js';
import { type CommittedBatch, ProjectionEngine } from './engine/projection-engine.js';
import { DeadlineReader } from './entitlements/deadline.reader.js';
import { EntitlementReader } from './entitlements/entitlement.reader.js';
import { ENTITLEMENTS, EntitlementsProjector } from './entitlements/entitlements.projector.js';
import { RUNNING_RULES } from './entitlements/folding-rules.js';
import { OpsReader } from './entitlements/ops.reader.js';
import {
  type FoldingBeside,
  type FoldingBesideOptions,
  foldingBeside,
} from './generations/folding-beside.js';
import type { Generations } from './generations/generations.js';

export interface ProjectionsOptions extends Omit<FoldingBesideOptions, 'onFault' | 'onTrouble'> {
  readonly store: EventStore;
  readonly pool: Pool;
  /** Knows the entities; for what is asked seldom. */
  readonly source: DataSource;
  /** Connection string for the sessions that lead and listen, and for rebuilding. */
  readonly url: string;
  /** Hears of every batch that this instance committed to the live generation. */
  readonly onBatch?: (batch: CommittedBatch) => void;
  readonly onFault?: (fault: ProjectionFault) => void;
  readonly onTrouble?: (error: unknown) => void;
  readonly batchSize?: number;
}

/** The read side of one process: the engine that drives it, what reads it, and what rebuilds it. */
export interface Projections {
  readonly engine: ProjectionEngine;
  readonly reader: EntitlementReader;
  readonly ops: OpsReader;
  readonly generations: Generations;
  readonly deadlines: DeadlineReader;
  /** What the publication of a catalogue would change now; changes nothing. See `previewPublication`. */
  readonly previewPublication: FoldingBeside['previewPublication'];
  /** Last event of the log that is in the read models now; `null` when there is none. */
  handledBefore(): Promise<Position | null>;
  /** Folds the live generation and those beside it. */
  start(): Promise<void>;
  /** Finishes the batches at hand, and closes the connections that are its own. */
  stop(): Promise<void>;
}

/** Puts engine, projectors and readers together. Start them to make them move. */
export function createProjections(options: ProjectionsOptions): Projections {
  const { store, streamPrefix, pool, source, url, batchSize, sliceSize, now } = options;
  const rules = options.rules ?? RUNNING_RULES;
  const onFault = options.onFault ?? (() => undefined);
  const onTrouble = options.onTrouble ?? (() => undefined);
  const reader = new EntitlementReader(pool, now);
  const engine = new ProjectionEngine({
    store,
    streamPrefix,
    pool,
    url,
    projection: ENTITLEMENTS,
    codeVersion: rules.codeVersion,
    projectorOf: (generation) =>
      new EntitlementsProjector({
        pool,
        generation,
        rules,
        ...(sliceSize === undefined ? {} : { sliceSize }),
      }),
    ...(batchSize === undefined ? {} : { batchSize }),
    listener: {
      onChanged: (changed) => reader.changed(changed),
      onConfirmed: (live, moved) => reader.confirmed(live, moved),
      onBatch: options.onBatch ?? (() => undefined),
      onFault,
      onTrouble,
    },
  });
  const beside = foldingBeside({ ...options, onFault: (_, fault) => onFault(fault), onTrouble });
  return {
    engine,
    reader,
    ops: new OpsReader(source),
    deadlines: new DeadlineReader(pool),
    generations: beside.generations,
    previewPublication: beside.previewPublication,
    handledBefore: async () => (await readLiveCheckpoint(pool, ENTITLEMENTS))?.checkpoint.handled ?? null,
    start: async () => {
      await engine.start();
      beside.keeper.start();
    },
    stop: async () => {
      await beside.stop();
      await engine.stop();
    },
  };
}
