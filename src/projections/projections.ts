import pg, { type Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { EventStore, Position } from '../event-store/event-store.js';
import { type ProjectionFault, readLiveCheckpoint } from './engine/checkpoint.js';
import { ProjectionEngine } from './engine/projection-engine.js';
import { EntitlementReader } from './entitlements/entitlement.reader.js';
import { ENTITLEMENTS, EntitlementsProjector } from './entitlements/entitlements.projector.js';
import { type FoldingRules, RUNNING_RULES } from './entitlements/folding-rules.js';
import { OpsReader } from './entitlements/ops.reader.js';
import { GenerationKeeper } from './generations/generation-keeper.js';
import { Generations } from './generations/generations.js';

/** Connections for rebuilding: one that holds, one that compares, one that folds, and one to spare. */
const GENERATIONS_POOL = 4;

export interface ProjectionsOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  /** Knows the entities; for what is asked seldom. */
  readonly source: DataSource;
  /** Connection string for the sessions that lead and listen, and for rebuilding. */
  readonly url: string;
  readonly onFault?: (fault: ProjectionFault) => void;
  readonly onTrouble?: (error: unknown) => void;
  readonly batchSize?: number;
  readonly sliceSize?: number;
  /** Left out: the rules of this code. */
  readonly rules?: FoldingRules;
  /** Events in one transaction of a build. */
  readonly buildBatchSize?: number;
  /** How long nothing may move before a wait for a build is given up, in milliseconds. */
  readonly patienceMs?: number;
  /** The clock that snapshots are served by, Unix ms. Left out: this machine's. */
  readonly now?: () => number;
}

/** The read side of one process: the engine that drives it, what reads it, and what rebuilds it. */
export interface Projections {
  readonly engine: ProjectionEngine;
  readonly reader: EntitlementReader;
  readonly ops: OpsReader;
  readonly generations: Generations;
  /** Last event of the log that is in the read models now; `null` when there is none. */
  handledBefore(): Promise<Position | null>;
  /** Folds the live generation and those beside it. */
  start(): Promise<void>;
  /** Finishes the batches at hand, and closes the connections that are its own. */
  stop(): Promise<void>;
}

/** Puts engine, projectors and readers together. Start them to make them move. */
export function createProjections(options: ProjectionsOptions): Projections {
  const { store, pool, source, url, batchSize, buildBatchSize, sliceSize, patienceMs, now } = options;
  const rules = options.rules ?? RUNNING_RULES;
  const onFault = options.onFault ?? (() => undefined);
  const onTrouble = options.onTrouble ?? (() => undefined);
  const reader = new EntitlementReader(pool, now);
  const common = { store, url, projection: ENTITLEMENTS, codeVersion: rules.codeVersion };
  const projectorOn =
    (connections: Pool) =>
    (generation: number, judgedUsers: ReadonlySet<string> | 'everyone' = 'everyone') =>
      new EntitlementsProjector({
        pool: connections,
        generation,
        rules,
        ...(judgedUsers === 'everyone' ? {} : { judgedUsers }),
        ...(sliceSize === undefined ? {} : { sliceSize }),
      });
  const engine = new ProjectionEngine({
    ...common,
    pool,
    projectorOf: projectorOn(pool),
    ...(batchSize === undefined ? {} : { batchSize }),
    listener: {
      onChanged: (changed) => reader.changed(changed),
      onConfirmed: (live, moved) => reader.confirmed(live, moved),
      onFault,
      onTrouble,
    },
  });
  const own = new pg.Pool({
    connectionString: url,
    max: GENERATIONS_POOL,
    application_name: 'tenure-generations',
    keepAlive: true,
  });
  own.on('error', onTrouble);
  const keeper = new GenerationKeeper({
    ...common,
    pool,
    projectorOf: projectorOn(pool),
    onFault: (_, fault) => onFault(fault),
    onTrouble,
    ...(buildBatchSize === undefined ? {} : { batchSize: buildBatchSize }),
  });
  return {
    engine,
    reader,
    ops: new OpsReader(source),
    generations: new Generations({
      ...common,
      pool: own,
      projectorOf: projectorOn(own),
      onChange: () => keeper.ring(),
      ...(patienceMs === undefined ? {} : { patienceMs }),
      ...(now === undefined ? {} : { now }),
    }),
    handledBefore: async () => (await readLiveCheckpoint(pool, ENTITLEMENTS))?.checkpoint.handled ?? null,
    start: async () => {
      await engine.start();
      keeper.start();
    },
    stop: async () => {
      await keeper.stop();
      await engine.stop();
      await own.end();
    },
  };
}
