import type { Pool } from 'pg';
import { isEarlier, isSameCommit } from './checkpoint.js';
import type { EngineProgress } from './engine-progress.js';
import type { LogHead } from './log-head.js';
import type { ProjectionListener } from './projection.js';
import { changedBetween, readLiveChanges } from './recent-changes.js';
import type { WakeSignal } from './wake-signal.js';

/** Interval between two looks of a follower, in milliseconds: while somebody waits for a move, and otherwise. */
const AWAITED_POLL_MS = 25;
const STANDBY_POLL_MS = 200;

/** What the roles of an engine work on together. */
export interface RoleContext {
  readonly pool: Pool;
  readonly projection: string;
  readonly listener: ProjectionListener;
  readonly progress: EngineProgress;
  readonly head: LogHead;
  readonly wakeSignal: WakeSignal;
  /** Aborted when the engine stops. */
  readonly stopping: AbortSignal;
}

/** The role of an instance that does not lead: it looks where the live checkpoint is, as another instance moves it. */
export class Follower {
  #looking: Promise<void> | null = null;

  constructor(private readonly context: RoleContext) {}

  /** Looks once, and waits for the next notification or poll. */
  async standBy(): Promise<void> {
    await this.#follow();
    const { wakeSignal, progress } = this.context;
    await wakeSignal.wait(progress.hasWaiters ? AWAITED_POLL_MS : STANDBY_POLL_MS);
  }

  /** The look that is under way, or a new one: however many wait, they ask the database once. */
  look(): Promise<void> {
    this.#looking ??= this.#follow().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #follow(): Promise<void> {
    const { pool, projection, listener, progress, head, stopping } = this.context;
    const found = await readLiveChanges(pool, projection, progress.live);
    if (found === null) return;
    const { live, recent } = found;
    if (stopping.aborted || progress.state === 'leading') return;
    const { live: known, isSessionNew } = progress;
    // Waiters look too, so answers may overtake each other: a late one must not undo what is known since.
    if (known !== null && isEarlier(live, known) && !isSessionNew) return;
    const moved = isSessionNew || known === null || !isSameCommit(live, known);
    const changed =
      isSessionNew || known === null || live.liveEpoch !== known.liveEpoch
        ? 'all'
        : changedBetween(recent, known.checkpoint.revision, live.checkpoint.revision);
    progress.isSessionNew = false;
    progress.learn(live);
    const { stoppedAt } = progress;
    if (stoppedAt !== null && !isSameCommit(stoppedAt.at, live)) progress.stoppedAt = null;
    progress.fault = live.checkpoint.fault ?? progress.stoppedAt?.fault ?? null;
    progress.state = progress.fault === null ? 'standby' : 'faulted';
    if (changed !== 'all') listener.onChanged(changed);
    progress.confirmed(live, moved && changed === 'all');
    if (moved) progress.wakeWaiters();
    await head.ask();
  }
}
