import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { type EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions } from '../../events/stored-event.js';
import {
  type Checkpoint,
  findCheckpoint,
  type ProjectionFault,
  readLiveCheckpoint,
} from '../engine/checkpoint.js';
import { noteFault } from '../engine/checkpoint-moves.js';
import { LeaderElection } from '../engine/leader-election.js';
import type { Projector, SetAside } from '../engine/projector.js';
import { WakeSignal } from '../engine/wake-signal.js';
import type { FoldedApart } from '../entitlements/projector-options.js';
import { BuildFold, LEAST_BY_GROUPS, type MoreFolders } from './build-fold.js';
import { type Generation, listGenerations } from './generation-table.js';
import type { RebuildJobRunner } from './rebuild-job-runner.js';

export interface RebuildProjectorRunnerOptions {
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  readonly pool: Pool;
  /** Connection string for the session that leads and listens. */
  readonly url: string;
  readonly projection: string;
  readonly codeVersion: string;
  readonly projectorOf: (generation: number, only: FoldedApart) => Projector<EventEnvelope>;
  readonly jobs: RebuildJobRunner;
  readonly onFault: (generation: number, fault: ProjectionFault) => void;
  readonly onSetAside: (generation: number, what: SetAside) => void;
  readonly onTrouble: (error: unknown) => void;
  /** Events in one transaction; more than the live fold takes, because nobody waits for their rows. */
  readonly batchSize?: number;
  /** Events that are left, at least, for a build to be folded group by group; see `BuildFold`. */
  readonly leastByGroups?: number;
  /** As of `BuildFold`. */
  readonly moreFolders?: MoreFolders;
}

const BATCH_SIZE = 2_000;
/** Interval between two looks whether a generation came or went, in milliseconds. */
const LOOK_MS = 500;
/** A batch under way at a stop has this long to end, in milliseconds. */
const FINISH_WITHIN_MS = 3_500;
/** A missed notification costs at most this long. */
const POLL_MS = 250;

/** The fold of a generation that is not live, as this instance goes on with it. */
interface Fold {
  readonly generation: number;
  readonly runner: BuildFold;
  checkpoint: Checkpoint | null;
  /** Revision of the checkpoint at which it stopped at a fault: it does not try again there. */
  stuckAt: number | null;
}

/**
 * Folds every generation that is not live and should be at its position: the build of a rebuild, from the beginning of the log on,
 * and those that were read before, until they are dropped. Never past the live one: so when the live one is locked,
 * the others come to exactly its position. Of several instances one does it (an advisory lock, with a session only while
 * there is something to fold); the compare-and-set of the checkpoints is the guarantee. Whoever takes over goes on from
 * the checkpoint. A build is left to the code that began it. Whoever folds also runs the jobs of builds.
 */
export class RebuildProjectorRunner {
  readonly #wakeSignal = new WakeSignal();
  readonly #folds = new Map<number, Fold>();
  #stopping = false;
  #running: Promise<void> | null = null;

  constructor(private readonly options: RebuildProjectorRunnerOptions) {}

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
        this.#folds.clear();
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
        if (await election.tryToLead()) return await this.#lead(election).finally(() => this.#letGo());
        if ((await this.#wanted()).length === 0) return;
        await this.#wakeSignal.wait(LOOK_MS);
      }
    } finally {
      if (!election.isLost) await election.close();
    }
  }

  /** Goes on with every fold, a batch of each in turn, until there is none left. */
  async #lead(election: LeaderElection): Promise<void> {
    this.#folds.clear();
    let lookedAt = Number.NEGATIVE_INFINITY;
    let wanted: readonly Generation[] = [];
    while (!this.#stopping && !election.isLost) {
      if (performance.now() - lookedAt >= LOOK_MS) {
        wanted = await this.#wanted();
        lookedAt = performance.now();
        if (wanted.length === 0) return;
        await this.#discardOthers(wanted);
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

  /** Gives up what was folded ahead of what is committed. */
  async #letGo(): Promise<void> {
    for (const { runner } of this.#folds.values()) await runner.stop();
  }

  async #discardOthers(wanted: readonly Generation[]): Promise<void> {
    const kept = new Set(wanted.map(({ generation }) => generation));
    for (const generation of [...this.#folds.keys()]) {
      if (!kept.has(generation)) await this.#discard(generation);
    }
  }

  /** Forgets a fold, with what it made and did not commit. */
  async #discard(generation: number): Promise<void> {
    const fold = this.#folds.get(generation);
    this.#folds.delete(generation);
    await fold?.runner.stop();
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
    const fold = this.#foldOf(which, live.checkpoint);
    fold.checkpoint ??= await findCheckpoint(pool, { projection, generation });
    if (fold.checkpoint === null) return 'gone';
    if (fold.stuckAt === fold.checkpoint.revision) return this.#lookAgain(fold);
    if (!(await fold.runner.log.holds(live.checkpoint))) return this.#stand(generation);
    const isCaughtUp = comparePositions(fold.checkpoint.handled, live.checkpoint.handled) >= 0;
    if (isCaughtUp && (await this.#wasMoved(fold))) {
      await this.#discard(generation);
      return 'more';
    }
    const round = await fold.runner.run(fold.checkpoint, live.checkpoint.handled);
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
        await this.#discard(generation);
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
    await this.#discard(generation);
    return 'stands';
  }

  /** Whether somebody else moved a checkpoint: ops, who want what is set aside to be retried. */
  async #wasMoved({ generation, checkpoint }: Fold): Promise<boolean> {
    const { pool, projection } = this.options;
    const found = await findCheckpoint(pool, { projection, generation });
    return found !== null && found.revision !== checkpoint?.revision;
  }

  /** One that stopped at a fault goes on once somebody else has moved it. */
  async #lookAgain(fold: Fold): Promise<'caught up'> {
    const { pool, projection } = this.options;
    fold.checkpoint = await findCheckpoint(pool, { projection, generation: fold.generation });
    return 'caught up';
  }

  #foldOf({ generation, role }: Generation, live: Checkpoint): Fold {
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
    const fold: Fold = { generation, runner, checkpoint: null, stuckAt: null };
    this.#folds.set(generation, fold);
    return fold;
  }
}

function exhausted(round: never): never {
  throw new TypeError(`a round without a meaning: ${JSON.stringify(round)}`);
}
