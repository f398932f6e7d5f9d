import type { Pool } from 'pg';
import { type EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Projector } from '../engine/projector.js';
import type { FoldedApart } from '../entitlements/projector-options.js';
import { type AdoptionOrder, type AdoptionReport, adoptLog } from './adoption.js';
import { onAlignedSnapshot } from './aligned-checkpoints.js';
import type { BuildProgress } from './build-progress.js';
import { untilCaughtUp } from './build-wait.js';
import { type ComparisonReport, compareGenerations } from './comparison.js';
import { VerificationInProgressError } from './errors.js';
import { gatherStatistics } from './generation-statistics.js';
import {
  beginGeneration,
  dropGeneration,
  findGeneration,
  type Generation,
  listGenerations,
} from './generation-table.js';
import { type Afterwards, findRebuild, type RebuildJob, type RebuildOrder } from './rebuild-jobs.js';
import { type RestoredLogOrder, serveRestoredLog } from './restored-log.js';
import { type OnProgress, sweepScratch } from './scratch-generation.js';
import { SerialQueue } from './serial-queue.js';
import { generationBefore, type SwapReport, swapGenerations } from './swap.js';
import { listSwaps, type RecordedSwap } from './swap-history.js';
import { type VerificationReport, verifyLive } from './verification.js';

export interface RebuildRuntimeOptions {
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  /** Connections of its own, without a limit on the time of a statement. */
  readonly pool: Pool;
  readonly projection: string;
  /** Version of the code that runs here. */
  readonly codeVersion: string;
  readonly projectorOf: (generation: number, only: FoldedApart) => Projector<EventEnvelope>;
  /** Something to fold came or went. */
  readonly onChange: () => void;
  /** How long nothing may move before a wait is given up, in milliseconds. */
  readonly patienceMs?: number;
  /** Events that are left, at least, for a verification to fold group by group; see `BuildFold`. */
  readonly leastByGroups?: number;
  /** Unix ms; the clock that snapshots are served by. */
  readonly now?: () => number;
}

/** Who asks for something, and why: kept with what is done. */
export interface Asked {
  readonly actor: string;
  readonly reason: string;
}

/** How long nothing may move before a wait is given up, in milliseconds. */
export const PATIENCE_MS = 30_000;
/** Events of a verification in one transaction. */
const VERIFY_BATCH = 2_000;

/**
 * Rebuilding the read models without downtime (DESIGN 12): builds next to the live generation, comparison, swap, roll-back,
 * verification. What is under way is in the database, not here: any process may go on with it, and a `RebuildProjectorRunner`
 * of any running service does the folding.
 */
export class RebuildRuntime {
  readonly #patienceMs: number;
  readonly #now: () => number;
  /** Comparisons and swaps, and drops, each one at a time: a process has so many connections and no more. */
  readonly #moves = new SerialQueue();
  readonly #drops = new SerialQueue();
  #verifying = false;

  constructor(private readonly options: RebuildRuntimeOptions) {
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#now = options.now ?? Date.now;
  }

  /** Every generation that is there, oldest first. */
  list(): Promise<readonly Generation[]> {
    return listGenerations(this.options.pool, this.options.projection);
  }

  /** The last `limit` moves of the pointer, newest first. */
  swaps(limit: number): Promise<readonly RecordedSwap[]> {
    return listSwaps(this.options.pool, limit);
  }

  /** The rebuild of a generation; `latest` is the newest that is under way or has a job. `null` when there is none. */
  rebuildOf(which: number | 'latest'): Promise<RebuildJob | null> {
    return findRebuild(this.options.pool, this.options.projection, which);
  }

  /**
   * Begins a rebuild; running services fold it. Returns the number of the new generation.
   * @throws RebuildInProgressError
   */
  begin(asked: Asked): Promise<number> {
    return this.#begin(asked, null);
  }

  /**
   * Begins a rebuild that running services fold and bring to its end, also when this process is gone. Returns the number
   * of the new generation, by which `rebuildOf` finds its progress; of an order of an id that was given before, the number
   * of the generation that was begun then, whatever became of it.
   * @throws RebuildInProgressError
   */
  order({ actor, reason, ...order }: Asked & RebuildOrder): Promise<number> {
    return this.#begin({ actor, reason }, order);
  }

  async #begin({ actor, reason }: Asked, order: RebuildOrder | null): Promise<number> {
    const { pool, projection, codeVersion, onChange } = this.options;
    await sweepScratch(pool, projection);
    const generation = await beginGeneration(pool, {
      projection,
      state: 'building',
      startedBy: actor,
      reason,
      codeVersion,
      order,
    });
    onChange();
    return generation;
  }

  /**
   * Waits until a build has caught up with what is read, as long as it moves.
   * @throws UnknownGenerationError when it is dropped, BuildOfOtherCodeError, GenerationFaultedError,
   * GenerationBehindError when nothing moved for a while
   */
  untilCaughtUp(generation: number, onProgress: (progress: BuildProgress) => void): Promise<void> {
    return untilCaughtUp({ ...this.options, patienceMs: this.#patienceMs }, generation, onProgress);
  }

  /**
   * What a swap to `to` would change, on a snapshot in which both are at the same event. Changes nothing.
   * @throws UnknownGenerationError, GenerationIsLiveError, GenerationFaultedError, GenerationBehindError
   */
  async compare(to: number): Promise<ComparisonReport> {
    const { pool, projection } = this.options;
    await findGeneration(pool, projection, to);
    const alignment = { projection, to, patienceMs: this.#patienceMs, bringOn: async () => undefined };
    return this.#moves.add(async () => {
      await gatherStatistics(pool, to);
      return onAlignedSnapshot(pool, alignment, (client, aligned) =>
        compareGenerations(client, { ...aligned, now: this.#now() }, 'everyone', async () => undefined),
      );
    });
  }

  /**
   * Makes a build, or a generation that was read before, the one that is read. The report says what it changed.
   * @throws UnknownGenerationError, GenerationIsLiveError, GenerationFaultedError, GenerationBehindError
   */
  swap(to: number, asked: Asked): Promise<SwapReport> {
    return this.#swap(to, 'swap', asked);
  }

  /**
   * Makes the generation that the last swap replaced the one that is read; again takes that back.
   * @throws NothingToRollBackError, GenerationFaultedError, GenerationBehindError
   */
  async rollBack(asked: Asked): Promise<SwapReport> {
    return this.#swap(await generationBefore(this.options.pool), 'rollback', asked);
  }

  /** What `rollBack` would change. @throws NothingToRollBackError and what `compare` throws */
  async compareRollBack(): Promise<ComparisonReport> {
    return this.compare(await generationBefore(this.options.pool));
  }

  /**
   * Removes a build, or a generation that is not read any more; going back to it is no longer possible.
   * @throws UnknownGenerationError, GenerationIsLiveError
   */
  async drop(generation: number): Promise<void> {
    const { pool, projection, onChange } = this.options;
    await this.#drops.add(() => dropGeneration(pool, projection, generation));
    onChange();
  }

  /**
   * A whole rebuild: build, wait until it has caught up, compare, and what is asked for then. The report is that of the swap where
   * there was one. When the wait is given up the build stays, and goes on while a service runs: swap or drop it.
   * @throws what `begin`, `untilCaughtUp` and `swap` throw
   */
  async rebuild(
    { afterwards, ...asked }: Asked & { readonly afterwards: Afterwards },
    onProgress: (progress: BuildProgress) => void,
  ): Promise<ComparisonReport> {
    const generation = await this.begin(asked);
    await this.untilCaughtUp(generation, onProgress);
    if (afterwards === 'swap') return this.swap(generation, asked);
    const report = await this.compare(generation);
    if (afterwards === 'drop') await this.drop(generation);
    return report;
  }

  /**
   * Folds the log again, judging all users or so many at random, and compares it with what is read. What `onProgress`
   * throws ends it.
   * @throws VerificationInProgressError when this process is at it already, GenerationFaultedError, GenerationBehindError
   */
  async verify(users: number | 'all', actor: string, onProgress: OnProgress): Promise<VerificationReport> {
    const options = { ...this.options, batchSize: VERIFY_BATCH, patienceMs: this.#patienceMs };
    if (this.#verifying) throw new VerificationInProgressError();
    this.#verifying = true;
    try {
      return await verifyLive(options, { users, actor, onProgress });
    } finally {
      this.#verifying = false;
    }
  }

  /**
   * Takes the log as it is for the right one, or reports what that would change: see `adoptLog`.
   * @throws LogIsKnownError, GenerationFaultedError, AdoptionInterruptedError
   */
  adoptLog(order: AdoptionOrder): Promise<AdoptionReport> {
    const { projectorOf } = this.options;
    const options = {
      ...this.options,
      now: this.#now,
      projectorOf: (generation: number) => projectorOf(generation, {}),
    };
    return this.#moves.add(() => adoptLog(options, order)).finally(() => this.options.onChange());
  }

  /**
   * Folds a log that was restored and has that read; answers its generation: see `serveRestoredLog`.
   * @throws GenerationFaultedError, AdoptionInterruptedError
   */
  serveRestoredLog(order: RestoredLogOrder): Promise<number> {
    const { projectorOf } = this.options;
    const options = {
      ...this.options,
      projectorOf: (generation: number) => projectorOf(generation, {}),
    };
    return this.#moves.add(() => serveRestoredLog(options, order));
  }

  #swap(to: number, kind: 'swap' | 'rollback', asked: Asked): Promise<SwapReport> {
    const { pool, projection } = this.options;
    const { actor, reason } = asked;
    const order = { projection, to, kind, actor, reason, patienceMs: this.#patienceMs, now: this.#now };
    return this.#moves.add(() => swapGenerations(pool, order)).finally(() => this.options.onChange());
  }
}
