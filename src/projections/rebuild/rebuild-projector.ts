import type { Pool } from 'pg';
import { openLongPool } from '../../database/long-watch.js';
import { cutPool } from '../../database/pools.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { LoadedCatalog } from '../../plans/plan-file.js';
import type { ProjectionFault } from '../engine/checkpoint.js';
import type { SetAside } from '../engine/projector.js';
import { ENTITLEMENTS, EntitlementsProjector } from '../entitlements/entitlements.projector.js';
import type { Queries } from '../entitlements/fact-queries.js';
import { type FoldingRules, RUNNING_RULES } from '../entitlements/folding-rules.js';
import type { FoldedApart } from '../entitlements/projector-options.js';
import type { MoreFolders } from './build-fold.js';
import { type OnJudged, type PublicationReport, previewPublication } from './publication-preview.js';
import { RebuildJobRunner } from './rebuild-job-runner.js';
import { RebuildProjectorRunner } from './rebuild-projector-runner.js';
import { PATIENCE_MS, RebuildRuntime } from './rebuild-runtime.js';

/**
 * Connections for rebuilding, of what may go on at once: two hold and compare, two drop, three verify (one for its lock, or
 * one that folds and two that compare), and one looks.
 */
const POOL_SIZE = 8;
/**
 * Bytes of facts that a fold keeps, five times as many as the live one: it comes by everybody in turn, and reads again what it
 * has dropped.
 */
const BYTES_IN_MEMORY = 128_000_000;
/** Work under way at a stop has this long to end, in milliseconds; then its connections are cut, and it is undone. */
const FINISH_WITHIN_MS = 2_500;

export interface RebuildProjectorOptions {
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  /** Connections that builds are folded through. */
  readonly pool: Pool;
  readonly url: string;
  readonly onFault: (generation: number, fault: ProjectionFault) => void;
  /** A build set something aside, and goes on. */
  readonly onSetAside: (generation: number, what: SetAside) => void;
  readonly onTrouble: (error: unknown) => void;
  /** Something to fold came or went; where the runner is not started here, whoever runs it should look. */
  readonly onChange?: () => void;
  readonly sliceSize?: number;
  /** The setting `FAULT_LIMIT`. */
  readonly faultLimit?: number;
  /** Left out: the rules of this code. */
  readonly rules?: FoldingRules;
  /** Events in one transaction of a build. */
  readonly buildBatchSize?: number;
  /** Events that are left, at least, for a generation to be folded group by group; see `BuildFold`. Left out: 20,000. */
  readonly leastByGroups?: number;
  /** Whoever folds chunks of a build beside the runner. Left out: nobody. */
  readonly moreFolders?: MoreFolders;
  /** Bytes of facts that a fold of a generation that is not live keeps in memory between batches. Left out: 128 MB. */
  readonly bytesInMemory?: number;
  /** How long nothing may move before a wait for a build is given up, in milliseconds. */
  readonly patienceMs?: number;
  /** The clock that snapshots are served by, Unix ms. Left out: this machine's. */
  readonly now?: () => number;
}

/** Everything of rebuilds: what runs them, and what folds their generations. `stop` closes the connections that are its own. */
export interface RebuildProjector {
  readonly rebuilds: RebuildRuntime;
  readonly runner: RebuildProjectorRunner;
  /**
   * What the publication of a catalogue would change now; see `previewPublication`.
   * @throws NoCatalogError, PublicationUnderWayError, PublicationWouldFaultError
   */
  previewPublication(given: LoadedCatalog, onJudged: OnJudged): Promise<PublicationReport>;
  stop(): Promise<void>;
}

/** Puts together what rebuilds the entitlements. Start the runner to make builds move in this process. */
export function openRebuildProjector(options: RebuildProjectorOptions): RebuildProjector {
  const { store, streamPrefix, pool, url, onFault, onSetAside, onTrouble } = options;
  const { sliceSize, faultLimit, buildBatchSize, leastByGroups, moreFolders, patienceMs, now } = options;
  const bytesInMemory = options.bytesInMemory ?? BYTES_IN_MEMORY;
  const rules = options.rules ?? RUNNING_RULES;
  const common = { store, streamPrefix, projection: ENTITLEMENTS, codeVersion: rules.codeVersion };
  const projectorOn =
    (connections: Queries) =>
    (generation: number, only: FoldedApart = {}) =>
      new EntitlementsProjector({
        pool: connections,
        generation,
        rules,
        bytesInMemory,
        ...only,
        ...(sliceSize === undefined ? {} : { sliceSize }),
        ...(faultLimit === undefined ? {} : { faultLimit }),
      });
  // Of its own: what compares and swaps may take longer than a statement of the hot paths is given.
  const own = openLongPool(url, POOL_SIZE, 'tenure-generations', onTrouble);
  const rebuilds = new RebuildRuntime({
    ...common,
    pool: own,
    projectorOf: projectorOn(own),
    onChange: () => {
      runner.wake();
      options.onChange?.();
    },
    ...(patienceMs === undefined ? {} : { patienceMs }),
    ...(now === undefined ? {} : { now }),
    ...(leastByGroups === undefined ? {} : { leastByGroups }),
  });
  const jobs = new RebuildJobRunner({
    pool: own,
    projection: ENTITLEMENTS,
    codeVersion: rules.codeVersion,
    rebuilds,
    onTrouble,
    patienceMs: patienceMs ?? PATIENCE_MS,
  });
  const runner = new RebuildProjectorRunner({
    ...common,
    pool,
    url,
    projectorOf: projectorOn(pool),
    jobs,
    onFault,
    onSetAside,
    onTrouble,
    ...(buildBatchSize === undefined ? {} : { batchSize: buildBatchSize }),
    ...(leastByGroups === undefined ? {} : { leastByGroups }),
    ...(moreFolders === undefined ? {} : { moreFolders }),
  });
  return {
    rebuilds,
    runner,
    previewPublication: (given, onJudged) =>
      previewPublication(
        {
          pool: own,
          projection: ENTITLEMENTS,
          projectorOn: (queries, generation) => projectorOn(queries)(generation),
          patienceMs: patienceMs ?? PATIENCE_MS,
          now: now ?? Date.now,
        },
        given,
        onJudged,
      ),
    stop: async () => {
      const why = new Error('Connection terminated: it stops');
      const cutting = setInterval(() => cutPool(own, why), FINISH_WITHIN_MS);
      await runner.stop();
      await jobs.stop();
      await own.end();
      clearInterval(cutting);
    },
  };
}
