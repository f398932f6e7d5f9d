import type { EventEnvelope } from '../../events/event-envelope.js';
import type { BatchToCommit } from './batch-committer.js';
import { readKnownPage } from './batch-reader.js';
import type { Checkpoint } from './checkpoint.js';
import type { ProjectionSource } from './projection-source.js';
import type { ProjectedBatch, Projector } from './projector.js';
import { readEvent } from './unreadable-event.js';

/** A page of events to apply; `batch` is what was made of it already. */
export interface PageToApply extends Omit<BatchToCommit, 'batch'> {
  readonly batch: ProjectedBatch | null;
}

/** A page that is being read and folded, and the checkpoint that it goes on from; `null`: there is none. */
interface Ahead {
  readonly from: Checkpoint;
  readonly folding: Promise<PageToApply | null>;
}

/**
 * Folds the batch after the one that is being committed, so that this process folds while the database writes. Only plain
 * batches: whole pages, with nothing set aside and nothing written in parts. What cannot be folded ahead is folded in its
 * turn, as if nobody had tried.
 */
export class FoldAhead {
  #ahead: Ahead | null = null;

  constructor(
    private readonly source: Pick<ProjectionSource, 'readAll' | 'readOn' | 'holds'>,
    private readonly projector: Projector<EventEnvelope>,
  ) {}

  /** Begins with what comes after a batch, which is about to be committed; `next` is the checkpoint after it. */
  begin({ batch, events, limit }: BatchToCommit, next: Checkpoint): void {
    const { streams, users } = next.setAside;
    if (events.length < limit || batch.applied < events.length) return;
    if (next.partialProgress.length > 0 || streams + users > 0) return;
    if (batch.changed === 'all') return; // rows of users who are not in memory: they are there once they are written
    batch.seal();
    const folding = this.#fold(next, limit);
    folding.catch(() => undefined); // heard of by `take` and `drop`
    this.#ahead = { from: next, folding };
  }

  /** The page that was folded ahead from a checkpoint, or only read; `null` when there is none. */
  async take(read: Checkpoint): Promise<PageToApply | null> {
    if (this.#ahead === null) return null;
    const { from, folding } = this.#ahead;
    if (from !== read) {
      await this.drop();
      return null;
    }
    this.#ahead = null;
    try {
      return await folding;
    } catch {
      // It is folded again in its turn, and fails again then, where that is looked into.
      this.projector.forget();
      return null;
    }
  }

  /** Gives up what was folded ahead: what it is to come after is not committed. */
  async drop(): Promise<void> {
    if (this.#ahead === null) return;
    const { folding } = this.#ahead;
    this.#ahead = null;
    await folding.catch(() => undefined);
    this.projector.forget();
  }

  async #fold(read: Checkpoint, limit: number): Promise<PageToApply | null> {
    const { events, scanned, isKnown } = await readKnownPage(this.source, read, limit);
    if (!isKnown || events.length === 0) return null;
    const batch = await this.projector.projectAhead(events.map(readEvent), read);
    return { events, batch, read, scanned, limit };
  }
}
