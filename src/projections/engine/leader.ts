import { setTimeout as pause } from 'node:timers/promises';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { BatchRunner } from './batch-runner.js';
import {
  type Checkpoint,
  isSameCommit,
  type LiveCheckpoint,
  openLiveCheckpoint,
  readLiveCheckpoint,
} from './checkpoint.js';
import { noteFault } from './checkpoint-moves.js';
import type { CommitNotifier } from './commit-notifier.js';
import type { RoleContext } from './follower.js';
import type { LeaderElection } from './leader-election.js';
import { projectionSource, type ReadableLog } from './projection-source.js';
import type { Projector } from './projector.js';
import type { Round } from './round.js';
import type { StallWatch } from './stall-watch.js';

/** What a leader folds, and by which code. */
export interface LeaderOptions {
  readonly store: ReadableLog;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  readonly codeVersion: string;
  /** Makes the projector of a generation: one is asked for whenever another generation went live. */
  readonly projectorOf: (generation: number) => Projector<EventEnvelope>;
  readonly batchSize?: number;
}

const BATCH_SIZE = 500;
/** A missed notification costs at most this long, in milliseconds. */
const POLL_MS = 250;
/**
 * Minimum interval between partial batches, in milliseconds, so that bursts are coalesced. The first event after a silence is
 * applied at once.
 */
const COALESCE_MS = 20;
/** Pause after a failed round, in milliseconds. */
export const TROUBLE_PAUSE_MS = 500;
/** Interval between two looks at a log that is not the one of the checkpoint, in milliseconds. */
const OTHER_LOG_PAUSE_MS = 1_000;
/** Maximum age of the known head while batches keep coming, in milliseconds. */
const HEAD_AGE_MS = 250;

/** The fold of one generation. */
interface Fold {
  readonly generation: number;
  readonly projector: Projector<EventEnvelope>;
  readonly runner: BatchRunner;
}

/** The role of the instance that was elected: it applies batch after batch to the generation that is live. */
export class Leader {
  #fold: Fold | null = null;
  /** Ends the round at hand with an error. */
  #abandonRound: (why: Error) => void = () => undefined;

  constructor(
    private readonly context: RoleContext,
    private readonly options: LeaderOptions,
    private readonly notifier: CommitNotifier,
    private readonly stallWatch: StallWatch,
  ) {}

  /** Leads until stopped, until a fault, or until its session is gone; then lets another one try. */
  async lead(election: LeaderElection): Promise<void> {
    const { progress } = this.context;
    try {
      while ((await this.#applyBatches(election)) === 'moved' && !election.isLost) await election.confirm();
    } finally {
      if (progress.state === 'leading') progress.state = 'standby';
      if (!election.isLost) await election.release();
    }
  }

  /** Ends the round at hand, which waits for an answer that does not come, with an error. */
  abandonRound(why: Error): void {
    this.#abandonRound(why);
  }

  /**
   * Applies batches to the generation that is live now; `moved` when somebody else moved its checkpoint, or the pointer to it:
   * another leader, if the session is gone; else a person who has something tried again, a swap, or a commit of its own whose
   * answer was lost.
   */
  async #applyBatches(election: LeaderElection): Promise<'ended' | 'moved'> {
    const { pool, projection, progress, head, wakeSignal, stopping } = this.context;
    let live = await openLiveCheckpoint(pool, projection, this.options.codeVersion);
    const fold = this.#foldOf(live.generation);
    fold.projector.forget();
    this.#begin(live);
    while (!stopping.aborted && !election.isLost) {
      const began = performance.now();
      const round = await this.#round(fold, live.checkpoint);
      if (round === null) continue;
      switch (round.outcome) {
        case 'lost':
          return 'moved';
        case 'fault':
          progress.stopAt(round.fault, live);
          await noteFault(pool, { projection, generation: live.generation }, live.checkpoint, round.fault);
          return 'ended';
        case 'other log':
          fold.projector.forget();
          await wakeSignal.wait(OTHER_LOG_PAUSE_MS);
          if ((await this.#confirm(live)) === 'lost') return 'moved';
          break;
        case 'idle':
          live = { ...live, checkpoint: round.checkpoint };
          progress.advance(live);
          if ((await this.#confirm(live)) === 'lost') return 'moved';
          await head.ask();
          await wakeSignal.wait(POLL_MS);
          break;
        case 'committed':
          live = { ...live, checkpoint: round.checkpoint };
          progress.advance(live);
          this.#committed(round, live, election, began);
          if (head.ageMs >= HEAD_AGE_MS) await head.ask();
          if (round.more) break;
          await wakeSignal.wait(POLL_MS);
          await waitToCoalesce(performance.now() - began);
          break;
        default:
          return exhausted(round);
      }
    }
    return 'ended';
  }

  #begin(live: LiveCheckpoint): void {
    const { progress } = this.context;
    progress.learn(live);
    progress.isSessionNew = false;
    progress.state = 'leading';
    this.stallWatch.moved();
    progress.confirmed(live, true);
    progress.wakeWaiters();
  }

  #committed(
    { batch }: Extract<Round, { outcome: 'committed' }>,
    live: LiveCheckpoint,
    election: LeaderElection,
    began: number,
  ): void {
    const { listener, progress } = this.context;
    const { generation } = live;
    const seconds = (performance.now() - began) / 1_000;
    listener.onBatch({ generation, events: batch.applied, seconds });
    for (const what of batch.newlySetAside) listener.onSetAside(generation, what);
    progress.committed(batch.applied);
    listener.onChanged(batch.changed);
    this.stallWatch.moved();
    progress.confirmed(live, false);
    progress.wakeWaiters();
    this.notifier.committed(election);
  }

  #foldOf(generation: number): Fold {
    if (this.#fold?.generation === generation) return this.#fold;
    const { pool, projection } = this.context;
    const { store, streamPrefix, projectorOf, batchSize } = this.options;
    const projector = projectorOf(generation);
    const source = projectionSource(store, streamPrefix, projection);
    const key = { projection, generation };
    const runner = new BatchRunner(source, pool, projector, key, batchSize ?? BATCH_SIZE);
    this.#fold = { generation, projector, runner };
    return this.#fold;
  }

  /** Reads the live checkpoint back: an idle leader must know that it still is one. */
  async #confirm(known: LiveCheckpoint): Promise<'confirmed' | 'lost'> {
    const { pool, projection, progress } = this.context;
    try {
      const live = await readLiveCheckpoint(pool, projection);
      if (live === null || !isSameCommit(live, known)) return 'lost';
      progress.confirmed(known, false);
    } catch (error) {
      progress.troubled(error);
    }
    return 'confirmed';
  }

  /** One round; `null` when something passing was in the way and the round is to be tried again. */
  async #round({ runner, projector }: Fold, read: Checkpoint): Promise<Round | null> {
    const { progress, head, wakeSignal } = this.context;
    const round = runner.run(read);
    try {
      const abandoned = new Promise<never>((_, reject) => {
        this.#abandonRound = reject;
      });
      return await Promise.race([round, abandoned]);
    } catch (error) {
      // A round that was abandoned and does not even end by that is left to itself, with the memory it uses.
      if (!(await endsSoon(round))) this.#fold = null;
      projector.forget();
      progress.troubled(error);
      await head.ask(); // what it cannot apply is its lag
      await wakeSignal.wait(TROUBLE_PAUSE_MS);
      return null;
    }
  }
}

/** Whether something comes to an end, whichever, within a second. */
function endsSoon(work: Promise<unknown>): Promise<boolean> {
  const ended = work.then(
    () => true,
    () => true,
  );
  return Promise.race([ended, pause(1_000, false, { ref: false })]);
}

/** Waits until `COALESCE_MS` have passed since a batch that began `spent` milliseconds ago. */
async function waitToCoalesce(spent: number): Promise<void> {
  if (spent < COALESCE_MS) await pause(COALESCE_MS - spent);
}

function exhausted(round: never): never {
  throw new TypeError(`a round without a meaning: ${JSON.stringify(round)}`);
}
