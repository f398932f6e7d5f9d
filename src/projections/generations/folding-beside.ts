import pg, { type Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import type { LoadedCatalog } from '../../plans/plan-file.js';
import type { ProjectionFault } from '../engine/checkpoint.js';
import { ENTITLEMENTS, EntitlementsProjector } from '../entitlements/entitlements.projector.js';
import type { Queries } from '../entitlements/facts-loader.js';
import { type FoldingRules, RUNNING_RULES } from '../entitlements/folding-rules.js';
import { GenerationKeeper } from './generation-keeper.js';
import { Generations, PATIENCE_MS } from './generations.js';
import { OrderCarrier } from './order-carrier.js';
import { type OnJudged, type PublicationReport, previewPublication } from './publication-preview.js';

/**
 * Connections for rebuilding, of what may go on at once: two hold and compare, two drop, three verify (one for its lock, or
 * one that folds and two that compare), and one looks.
 */
const POOL_SIZE = 8;
/** What is under way at a stop has this long to end, in milliseconds; then its connections are cut, and it undone. */
const FINISH_WITHIN_MS = 5_000;

export interface FoldingBesideOptions {
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  /** Connections that builds are folded through. */
  readonly pool: Pool;
  readonly url: string;
  readonly onFault: (generation: number, fault: ProjectionFault) => void;
  readonly onTrouble: (error: unknown) => void;
  /** Something to fold came or went; where the keeper does not run here, whoever runs it should look. */
  readonly onChange?: () => void;
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
  /**
   * What the publication of a catalogue would change now; see `previewPublication`.
   * @throws NoCatalogError, PublicationUnderWayError, PublicationWouldFaultError
   */
  previewPublication(given: LoadedCatalog, onJudged: OnJudged): Promise<PublicationReport>;
  stop(): Promise<void>;
}

/** Puts together what rebuilds the entitlements. Start the keeper to make builds move in this process. */
export function foldingBeside(options: FoldingBesideOptions): FoldingBeside {
  const { store, streamPrefix, pool, url, onFault, onTrouble, sliceSize, buildBatchSize, patienceMs, now } =
    options;
  const rules = options.rules ?? RUNNING_RULES;
  const common = { store, streamPrefix, projection: ENTITLEMENTS, codeVersion: rules.codeVersion };
  const projectorOn =
    (connections: Queries) =>
    (generation: number, judgedUsers: ReadonlySet<string> | 'everyone' = 'everyone') =>
      new EntitlementsProjector({
        pool: connections,
        generation,
        rules,
        ...(judgedUsers === 'everyone' ? {} : { judgedUsers }),
        ...(sliceSize === undefined ? {} : { sliceSize }),
      });
  // Of its own: what compares and swaps may take longer than a statement of the hot paths is given.
  const own = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    application_name: 'tenure-generations',
    keepAlive: true,
  });
  own.on('error', onTrouble);
  const cut = cutterOf(own);
  const generations = new Generations({
    ...common,
    pool: own,
    projectorOf: projectorOn(own),
    onChange: () => {
      keeper.ring();
      options.onChange?.();
    },
    ...(patienceMs === undefined ? {} : { patienceMs }),
    ...(now === undefined ? {} : { now }),
  });
  const orders = new OrderCarrier({
    pool: own,
    projection: ENTITLEMENTS,
    codeVersion: rules.codeVersion,
    generations,
    onTrouble,
    patienceMs: patienceMs ?? PATIENCE_MS,
  });
  const keeper = new GenerationKeeper({
    ...common,
    pool,
    url,
    projectorOf: projectorOn(pool),
    orders,
    onFault,
    onTrouble,
    ...(buildBatchSize === undefined ? {} : { batchSize: buildBatchSize }),
  });
  return {
    generations,
    keeper,
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
      await keeper.stop();
      const cutting = setInterval(cut, FINISH_WITHIN_MS);
      await orders.stop();
      await own.end();
      clearInterval(cutting);
    },
  };
}

/** Keeps hold of the connections of a pool; the answer cuts all that are open, whatever they are used for. */
function cutterOf(pool: Pool): () => void {
  const open = new Set<pg.Client>();
  const asClient = (client: unknown): pg.Client[] => (client instanceof pg.Client ? [client] : []);
  pool.on('connect', (made) => {
    for (const client of asClient(made)) open.add(client);
  });
  pool.on('remove', (gone) => {
    for (const client of asClient(gone)) open.delete(client);
  });
  return () => {
    for (const client of open) client.end().catch(() => undefined); // whoever uses it is told by its query
  };
}
