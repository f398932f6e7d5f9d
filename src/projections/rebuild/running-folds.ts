import type { Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Checkpoint } from '../engine/checkpoint.js';
import type { Projector } from '../engine/projector.js';
import type { FoldedApart } from '../entitlements/projector-options.js';
import { BuildFold, LEAST_BY_GROUPS, type MoreFolders } from './build-fold.js';
import type { Generation } from './generation-table.js';

export interface RunningFoldsOptions {
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  readonly pool: Pool;
  readonly projection: string;
  readonly projectorOf: (generation: number, only: FoldedApart) => Projector<EventEnvelope>;
  /** Events in one transaction; more than the live fold takes, because nobody waits for their rows. */
  readonly batchSize?: number;
  /** Events that are left, at least, for a build to be folded group by group; see `BuildFold`. */
  readonly leastByGroups?: number;
  /** As of `BuildFold`. */
  readonly moreFolders?: MoreFolders;
}

/** The fold of a generation that is not live, as this instance goes on with it. */
export interface RunningFold {
  readonly generation: number;
  readonly runner: BuildFold;
  checkpoint: Checkpoint | null;
  /** Revision of the checkpoint at which it stopped at a fault: it does not try again there. */
  stuckAt: number | null;
}

const BATCH_SIZE = 2_000;

/** The folds that this instance goes on with, each with what it has in memory and at its threads. */
export class RunningFolds {
  readonly #folds = new Map<number, RunningFold>();

  constructor(private readonly options: RunningFoldsOptions) {}

  /** The fold of a generation, begun where there is none; `live` is where what is read stands. */
  of({ generation, role }: Generation, live: Checkpoint): RunningFold {
    const known = this.#folds.get(generation);
    if (known !== undefined) return known;
    const { projection, batchSize, leastByGroups } = this.options;
    // What the running code sets aside where it is read it is likely to set aside here: that is told in the log's order alone.
    const isWhole = live.setAside.streams + live.setAside.users === 0;
    // One that was read is gone back to as it was made, by whatever code: it is never taken back.
    const byGroups = role === 'building' && isWhole;
    const runner = new BuildFold({
      ...this.options,
      key: { projection, generation },
      batchSize: batchSize ?? BATCH_SIZE,
      leastByGroups: byGroups ? (leastByGroups ?? LEAST_BY_GROUPS) : null,
    });
    const fold: RunningFold = { generation, runner, checkpoint: null, stuckAt: null };
    this.#folds.set(generation, fold);
    return fold;
  }

  /** Gives a fold up, with what it made and did not commit. */
  async discard(generation: number): Promise<void> {
    const fold = this.#folds.get(generation);
    this.#folds.delete(generation);
    await fold?.runner.stop();
  }

  /** Gives up every fold but those of some generations. */
  async discardOthers(wanted: readonly Pick<Generation, 'generation'>[]): Promise<void> {
    const kept = new Set(wanted.map(({ generation }) => generation));
    const others = [...this.#folds.keys()].filter((generation) => !kept.has(generation));
    await Promise.all(others.map((generation) => this.discard(generation)));
  }
}
