import pg, { type Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import type { ProjectionFault } from '../engine/checkpoint.js';
import { ENTITLEMENTS, EntitlementsProjector } from '../entitlements/entitlements.projector.js';
import { type FoldingRules, RUNNING_RULES } from '../entitlements/folding-rules.js';
import { GenerationKeeper } from './generation-keeper.js';
import { Generations } from './generations.js';

/** Connections for rebuilding: one that holds, one that compares, one that folds, and one to spare. */
const POOL_SIZE = 4;

export interface FoldingBesideOptions {
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  /** Connections that builds are folded through. */
  readonly pool: Pool;
  readonly url: string;
  readonly onFault: (generation: number, fault: ProjectionFault) => void;
  readonly onTrouble: (error: unknown) => void;
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

/** Everything beside the live fold: what rebuilds, and what folds. `stop` closes the connections that are its own. */
export interface FoldingBeside {
  readonly generations: Generations;
  readonly keeper: GenerationKeeper;
  stop(): Promise<void>;
}

/** Puts together what rebuilds the entitlements. Start the keeper to make builds move in this process. */
export function foldingBeside(options: FoldingBesideOptions): FoldingBeside {
  const { store, streamPrefix, pool, url, onFault, onTrouble, sliceSize, buildBatchSize, patienceMs, now } =
    options;
  const rules = options.rules ?? RUNNING_RULES;
  const common = { store, streamPrefix, projection: ENTITLEMENTS, codeVersion: rules.codeVersion };
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
  const keeper = new GenerationKeeper({
    ...common,
    pool,
    url,
    projectorOf: projectorOn(pool),
    onFault,
    onTrouble,
    ...(buildBatchSize === undefined ? {} : { batchSize: buildBatchSize }),
  });
  // Of its own: what compares and swaps may take longer than a statement of the hot paths is given.
  const own = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    application_name: 'tenure-generations',
    keepAlive: true,
  });
  own.on('error', onTrouble);
  const generations = new Generations({
    ...common,
    pool: own,
    projectorOf: projectorOn(own),
    onChange: () => keeper.ring(),
    ...(patienceMs === undefined ? {} : { patienceMs }),
    ...(now === undefined ? {} : { now }),
  });
  return {
    generations,
    keeper,
    stop: async () => {
      await keeper.stop();
      await own.end();
    },
  };
}
