import type { Pool } from 'pg';
import {
  BuildOfOtherCodeError,
  GenerationBehindError,
  GenerationError,
  GenerationFaultedError,
  GenerationIsLiveError,
  UnknownGenerationError,
} from './errors.js';
import type { GenerationFold } from './generation-fold.js';
import type { Generation } from './generation-table.js';
import { findRebuild, noteEnd, noteFailure, noteReport, type RebuildJob } from './rebuild-jobs.js';
import type { RebuildRuntime } from './rebuild-runtime.js';

export interface RebuildJobRunnerOptions {
  readonly pool: Pool;
  readonly projection: string;
  readonly codeVersion: string;
  readonly rebuilds: RebuildRuntime;
  readonly onTrouble: (error: unknown) => void;
  /** How long a build of other code may stand still before its job fails, in milliseconds. */
  readonly patienceMs: number;
}

/** Minimum pause after trouble, in milliseconds. */
const TROUBLE_PAUSE_MS = 1_000;

/**
 * Runs the job of a build: compare, then swap, keep or drop. The job, its end and its report are in the database, so whoever
 * folds the build next goes on; a swap ends its job in its own transaction. Two instances at once do no harm: the first end
 * counts.
 */
export class RebuildJobRunner {
  #task: Promise<void> | null = null;
  #notBefore = 0;
  #stopping = false;
  /** The build of other code with a job, and since when its checkpoint has been where it is; there is one build. */
  #foreignBuild: { readonly generation: number; readonly revision: number; readonly since: number } | null =
    null;

  constructor(private readonly options: RebuildJobRunnerOptions) {}

  /** To be called while a build with a job has caught up, or is being dropped: goes on with the job in the background. */
  advance(generation: number): void {
    if (this.#task !== null || this.#stopping || performance.now() < this.#notBefore) return;
    this.#task = this.#try(generation).finally(() => {
      this.#task = null;
    });
  }

  /**
   * To be called with everything that is there, now and then, by every instance: a job fails whose build stands
   * at a fault; or was begun by other code and moves no more, because nobody with that code runs.
   */
  async look(all: readonly Generation[]): Promise<void> {
    const { pool, codeVersion, patienceMs } = this.options;
    for (const { generation, role, fold, afterwards } of all) {
      if (role !== 'building' || afterwards === null || fold === null) continue;
      const { fault } = fold.checkpoint;
      if (fault !== null) await noteFailure(pool, generation, new GenerationFaultedError(generation, fault));
      else if (fold.builtBy !== codeVersion && this.#standsStill(generation, fold, patienceMs)) {
        await noteFailure(pool, generation, new BuildOfOtherCodeError(generation, fold.builtBy, codeVersion));
      }
    }
  }

  /** Begins nothing any more; comes back when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#task;
  }

  #standsStill(generation: number, { checkpoint: { revision } }: GenerationFold, forMs: number): boolean {
    const known = this.#foreignBuild;
    if (known?.generation === generation && known.revision === revision) {
      return performance.now() - known.since >= forMs;
    }
    this.#foreignBuild = { generation, revision, since: performance.now() };
    return false;
  }

  async #try(generation: number): Promise<void> {
    const { pool, projection, onTrouble } = this.options;
    try {
      const job = await findRebuild(pool, projection, generation);
      if (job !== null) await this.#runJob(job);
    } catch (error) {
      if (isPassing(error)) return;
      try {
        if (!(error instanceof GenerationError)) throw error;
        await noteFailure(pool, generation, error);
      } catch (trouble) {
        this.#notBefore = performance.now() + TROUBLE_PAUSE_MS;
        if (!this.#stopping) onTrouble(trouble);
      }
    }
  }

  async #runJob({ generation, phase, afterwards, actor, reason }: RebuildJob): Promise<void> {
    const { pool, rebuilds } = this.options;
    if (phase === 'dropping') return rebuilds.drop(generation);
    if (phase !== 'comparing') return;
    if (afterwards === 'swap') {
      await rebuilds.swap(generation, { actor, reason });
      return;
    }
    const report = await rebuilds.compare(generation);
    if (afterwards === 'keep') return noteEnd(pool, generation, 'kept', report);
    await noteReport(pool, generation, report);
    await rebuilds.drop(generation);
  }
}

/** Somebody else was faster, or something delays the live fold: what is in the database decides at the next look. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof GenerationBehindError ||
    error instanceof GenerationIsLiveError ||
    error instanceof UnknownGenerationError
  );
}
