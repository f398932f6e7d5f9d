import pg, { type Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import type { ProjectionFault } from '../engine/checkpoint.js';
import { ENTITLEMENTS, EntitlementsProjector } from '../entitlements/entitlements.projector.js';
import { type FoldingRules, RUNNING_RULES } from '../entitlements/folding-rules.js';
import { GenerationKeeper } from './generation-keeper.js';
import { Generations, PATIENCE_MS } from './generations.js';
import { OrderCarrier } from './order-carrier.js';

/**
 * Connections for rebuilding, of what may go on at once: two hold and compare, two drop, three verify (one for its lock, or
 * one that folds and two that compare), and one looks.
 */
const POOL_SIZE = 8;
/** What is under way at a stop has this long to end, in milliseconds; then its connections are cut, and it undone. */
const FINISH_WITHIN_MS = 5_000;

export interface FoldingBesideOptions {
  readonly store: EventStore;
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
  const { store, pool, url, onFault, onTrouble, sliceSize, buildBatchSize, patienceMs, now } = options;
  const rules = options.rules ?? RUNNING_RULES;
  const common = { store, projection: ENTITLEMENTS, codeVersion: rules.codeVersion };
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
    onChange: () => keeper.ring(),
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
