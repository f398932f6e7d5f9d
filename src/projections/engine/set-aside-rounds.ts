import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import type { BatchCommitter } from './batch-committer.js';
import type { Checkpoint } from './checkpoint.js';
import type { PartialEvent } from './partial-progress.js';
import type { ProjectionSource } from './projection-source.js';
import type { EventFailedError, Projector, RetryLimits, Unwritable } from './projector.js';
import { emptyBatch, faultAt, forgetAfter, type Round, WriteFailedError } from './round.js';
import { readEvent } from './unreadable-event.js';

/** Events that were set aside and are folded on in one transaction. */
const LATE: RetryLimits = { events: 500, unwritable: null };

/**
 * The rounds that are not the next page of the log: going past an event that failed, retrying what was set aside, and writing the
 * next part of an event. Rows that the database refuses are found, and the round is repeated without them.
 */
export class SetAsideRounds {
  constructor(
    private readonly source: ProjectionSource,
    private readonly projector: Projector<EventEnvelope>,
    private readonly committer: BatchCommitter,
  ) {}

  /**
   * Goes past an event that failed alone: without rows where the log says that it is skipped, else as the projector
   * sets it aside; and stands at it where not even that can be done. `scanned` is how far the log was read for it.
   */
  async goPast(
    event: StoredEvent,
    failed: EventFailedError,
    read: Checkpoint,
    scanned: Position | null,
  ): Promise<Round> {
    try {
      const batch = (await this.source.isSkipped(event))
        ? emptyBatch(1, read)
        : await this.projector.setAside(readEvent(event), failed, read);
      return await this.committer.commit({ events: [event], batch, read, scanned, limit: 1 });
    } catch (error) {
      forgetAfter(this.projector, error);
      if (error instanceof WriteFailedError && failed.failure.stage !== 'write') {
        return this.goPast(event, await this.committer.findRefused(error), read, scanned);
      }
      return faultAt(event, error);
    }
  }

  /** Retries what is set aside and is to be tried by this code; `null` when there is nothing. */
  async retry(read: Checkpoint, limits = LATE): Promise<Round | null> {
    try {
      const batch = await this.projector.retrySetAside(this.source, read, limits);
      return batch === null ? null : await this.committer.commitWithoutPage(batch, read);
    } catch (error) {
      forgetAfter(this.projector, error);
      if (error instanceof WriteFailedError && limits.unwritable === null) {
        if (limits.events > 1) return this.retry(read, { ...limits, events: 1 });
        const { failure } = await this.committer.findRefused(error);
        if (failure.stage === 'write') {
          return this.retry(read, { events: 1, unwritable: failure.unwritable });
        }
      }
      return faultAt({ position: read.handled ?? '0', type: 'set aside' }, error);
    }
  }

  /** Writes the next part of an event; where that fails, and the log says that it is skipped, no other part. */
  async writePart(event: PartialEvent, read: Checkpoint, unwritable: Unwritable | null): Promise<Round> {
    try {
      const batch = await this.projector.writePart(read, unwritable);
      return await this.committer.commitWithoutPage(batch, read);
    } catch (error) {
      forgetAfter(this.projector, error);
      if (error instanceof WriteFailedError && unwritable === null) {
        const { failure } = await this.committer.findRefused(error);
        if (failure.stage === 'write' && failure.unwritable.whole === null) {
          return this.writePart(event, read, failure.unwritable);
        }
      }
      if (!(await this.source.isSkipped(event))) return faultAt(event, error);
      const rest = emptyBatch(0, { ...read, partialProgress: read.partialProgress.slice(1) });
      return this.committer.commitWithoutPage(rest, read);
    }
  }
}
