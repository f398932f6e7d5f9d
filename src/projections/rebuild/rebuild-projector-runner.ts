import { setTimeout as pause } from 'node:timers/promises';
import { comparePositions } from '../../events/stored-event.js';
import { findCheckpoint, type ProjectionFault, readLiveCheckpoint } from '../engine/checkpoint.js';
import { noteFault } from '../engine/checkpoint-moves.js';
import { LeaderElection } from '../engine/leader-election.js';
import type { SetAside } from '../engine/projector.js';
import { WakeSignal } from '../engine/wake-signal.js';
import { type Generation, listGenerations } from './generation-table.js';
import type { RebuildJobRunner } from './rebuild-job-runner.js';
import { type RunningFold, RunningFolds, type RunningFoldsOptions } from './running-folds.js';

export interface RebuildProjectorRunnerOptions extends RunningFoldsOptions {
  /** Connection string for the session that leads and listens. */
  readonly url: string;
  readonly codeVersion: string;
  readonly jobs: RebuildJobRunner;
  readonly onFault: (generation: number, fault: ProjectionFault) => void;
  readonly onSetAside: (generation: number, what: SetAside) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Interval between two looks whether a generation came or went, in milliseconds. */
const LOOK_MS = 500;
/** A batch under way at a stop has this long to end, in milliseconds. */
const FINISH_WITHIN_MS = 3_500;
/** A missed notification costs at most this long. */
const POLL_MS = 250;

/**
 * Folds every generation that is not live and should be at its position: the build of a rebuild, from the beginning of the log on,
 * and those that were read before, until they are dropped. Never past the live one: so when the live one is locked,
 * the others come to exactly its position. Of several instances one does it (an advisory lock, with a session only while
 * there is something to fold); the compare-and-set of the checkpoints is the guarantee. Whoever takes over goes on from
 * the checkpoint. A build is left to the code that began it. Whoever folds also runs the jobs of builds.
 */
export class RebuildProjectorRunner {
  readonly #wakeSignal = new WakeSignal();
  readonly #folds: RunningFolds;
  #stopping = false;
  #running: Promise<void> | null = null;

  constructor(private readonly options: RebuildProjectorRunnerOptions) {
    this.#folds = new RunningFolds(options);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Looks at once what there is to fold. */
  wake(): void {
    this.#wakeSignal.wake();
  }

  /** Finishes the batch at hand; one that does not end in time is left to itself. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wakeSignal.wake();
    await Promise.race([this.#running, pause(FINISH_WITHIN_MS, undefined, { ref: false })]);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        if ((await this.#wanted()).length > 0) await this.#withSession();
      } catch (error) {
        this.options.onTrouble(error);
      }
      if (!this.#stopping) await this.#wakeSignal.wait(LOOK_MS);
    }
  }

  /** Generations other than the live one that this code may fold, and those whose job drops them. */
  async #wanted(): Promise<readonly Generation[]> {
    const { pool, projection, codeVersion, jobs } = this.options;
    const all = await listGenerations(pool, projection);
    await jobs.look(all);
    return all.filter(({ role, fold, afterwards }) => {
      if (fold === null) return role === 'dropping' && afterwards !== null;
      return role === 'previous' || (role === 'building' && fold.builtBy === codeVersion);
    });
  }

  async #withSession(): Promise<void> {
    const { url, projection } = this.options;
    const wake = (): void => this.#wakeSignal.wake();
    const hooks = { onNotification: wake, onLost: wake };
    const election = await LeaderElection.open(url, { projection, lead: 'rebuild' }, hooks);
    try {
      while (!this.#stopping && !election.isLost) {
        if (await election.tryToLead())
          return await this.#lead(election).finally(() => this.#folds.discardOthers([]));
        if ((await this.#wanted()).length === 0) return;
        await this.#wakeSignal.wait(LOOK_MS);
      }
    } finally {
      if (!election.isLost) await election.close();
    }
  }

  /** Goes on with every fold, a batch of each in turn, until there is none left. */
  async #lead(election: LeaderElection): Promise<void> {
    let lookedAt = Number.NEGATIVE_INFINITY;
    let wanted: readonly Generation[] = [];
    while (!this.#stopping && !election.isLost) {
      if (performance.now() - lookedAt >= LOOK_MS) {
        wanted = await this.#wanted();
        lookedAt = performance.now();
        if (wanted.length === 0) return;
        await this.#folds.discardOthers(wanted);
      }
      let more = false;
      for (const each of wanted) {
        const { generation, fold, afterwards } = each;
        const outcome = fold === null ? 'caught up' : await this.#advance(each);
        if (outcome === 'caught up' && afterwards !== null) this.options.jobs.advance(generation);
        if (outcome === 'gone') lookedAt = Number.NEGATIVE_INFINITY;
        else if (outcome === 'more') more = true;
      }
      if (!more) await this.#wakeSignal.wait(POLL_MS);
    }
  }

  /**
   * One batch of a fold: whether there is more to read, it caught up (or stopped at a fault), waits before a log that is
   * not the one that it, or what is read, was made from, or is not to be folded here.
   */
  async #advance(which: Generation): Promise<'more' | 'caught up' | 'stands' | 'gone'> {
    const { pool, projection } = this.options;
    const { generation } = which;
    const live = await readLiveCheckpoint(pool, projection);
    if (live === null || live.generation === generation) return 'gone';
    const fold = this.#folds.of(which, live.checkpoint);
    fold.checkpoint ??= await findCheckpoint(pool, { projection, generation });
    if (fold.checkpoint === null) return 'gone';
    if (fold.stuckAt === fold.checkpoint.revision) return this.#lookAgain(fold);
    if (!(await fold.runner.log.holds(live.checkpoint))) return this.#stand(generation);
    const isCaughtUp = comparePositions(fold.checkpoint.handled, live.checkpoint.handled) >= 0;
    if (isCaughtUp && (await this.#wasMoved(fold))) {
      await this.#folds.discard(generation);
      return 'more';
    }
    const round = await fold.runner.run(fold.checkpoint, live.checkpoint);
    switch (round.outcome) {
      case 'committed':
        fold.checkpoint = round.checkpoint;
        for (const what of round.batch.newlySetAside) this.options.onSetAside(generation, what);
        return 'more';
      case 'moved':
        fold.checkpoint = round.checkpoint;
        return 'more';
      case 'idle':
        fold.checkpoint = round.checkpoint;
        return 'caught up';
      case 'lost':
        await this.#folds.discard(generation);
        return 'gone';
      case 'other log':
        return this.#stand(generation);
      case 'fault':
        fold.stuckAt = fold.checkpoint.revision;
        this.options.onFault(generation, round.fault);
        await noteFault(pool, { projection, generation }, fold.checkpoint, round.fault);
        return 'caught up';
      default:
        return exhausted(round);
    }
  }

  /** What is in memory of a fold is not kept over a log that is another for a while. */
  async #stand(generation: number): Promise<'stands'> {
    await this.#folds.discard(generation);
    return 'stands';
  }

  /** Whether somebody else moved a checkpoint: ops, who want what is set aside to be retried. */
  async #wasMoved({ generation, checkpoint }: RunningFold): Promise<boolean> {
    const { pool, projection } = this.options;
    const found = await findCheckpoint(pool, { projection, generation });
    return found !== null && found.revision !== checkpoint?.revision;
  }

  /** One that stopped at a fault goes on once somebody else has moved it. */
  async #lookAgain(fold: RunningFold): Promise<'caught up'> {
    const { pool, projection } = this.options;
    fold.checkpoint = await findCheckpoint(pool, { projection, generation: fold.generation });
    return 'caught up';
  }
}

function exhausted(round: never): never {
  throw new TypeError(`a round without a meaning: ${JSON.stringify(round)}`);
}
