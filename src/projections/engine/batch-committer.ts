import type { Pool } from 'pg';
import { Flight } from '../../database/flight.js';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import { type Checkpoint } from './checkpoint.js';
import { moveStatement, noteScanned } from './checkpoint-moves.js';
import type { ProjectionKey } from './projection-key.js';
import { EventFailedError, type ProjectedBatch, type Projector } from './projector.js';
import { type RecentChange, withChange } from './recent-changes.js';
import { type Round, WriteFailedError } from './round.js';

/** A batch with the events it was made of, and the checkpoint that it goes on from. */
export interface BatchToCommit {
  readonly events: readonly StoredEvent[];
  readonly batch: ProjectedBatch;
  readonly read: Checkpoint;
  /** How far the log was read for it. */
  readonly scanned: Position | null;
  /** Most events that the page could have held; 0 when no page was read. */
  readonly limit: number;
}

/** Commits the rows of a batch and the checkpoint in one transaction. */
export class BatchCommitter {
  #recent: readonly RecentChange[] = [];

  constructor(
    private readonly pool: Pool,
    private readonly key: ProjectionKey,
    private readonly projector: Pick<Projector<unknown>, 'codeVersion' | 'forget'>,
  ) {}

  /** @throws WriteFailedError where rows are refused, and what the driver throws */
  commit(given: BatchToCommit): Promise<Round> {
    return this.commitTo(nextCheckpoint(given), given);
  }

  /** As `commit`, with the checkpoint after it (`nextCheckpoint`). */
  async commitTo(next: Checkpoint, { batch, read, events, limit }: BatchToCommit): Promise<Round> {
    if ((await this.#commit(read, next, batch)) === 'lost') {
      this.projector.forget();
      return { outcome: 'lost' };
    }
    const isPartial = batch.applied < events.length || next.partialProgress.length > 0;
    return { outcome: 'committed', checkpoint: next, batch, more: isPartial || events.length === limit };
  }

  /** Commits a step for which no page was read. */
  commitWithoutPage(batch: ProjectedBatch, read: Checkpoint): Promise<Round> {
    return this.commit({ events: [], batch, read, scanned: read.scanned, limit: 0 });
  }

  /** Notes how far the log was read where it held nothing of ours. */
  async commitNothing(read: Checkpoint, scanned: Position | null): Promise<Round> {
    if (scanned === null || scanned === read.scanned) return { outcome: 'idle', checkpoint: read };
    await noteScanned(this.pool, this.key, read, scanned);
    return { outcome: 'idle', checkpoint: { ...read, scanned } };
  }

  /** Finds which of refused rows are refused. */
  async findRefused({ batch, cause }: WriteFailedError): Promise<EventFailedError> {
    const client = await this.pool.connect();
    try {
      await client.query('begin');
      const found = await batch.findUnwritable(client);
      const nothing = found.whole === null && found.users.size === 0;
      const unwritable = nothing ? { ...found, whole: cause } : found;
      return new EventFailedError(0, { stage: 'write', cause, unwritable });
    } finally {
      client.release(true); // and with it what was tried
    }
  }

  async #commit(read: Checkpoint, next: Checkpoint, batch: ProjectedBatch): Promise<'moved' | 'lost'> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    const note = (error: Error): void => {
      broken = error; // a checked-out client without a listener would end the process
    };
    client.on('error', note);
    try {
      const recent = withChange(this.#recent, next.revision, batch.changed);
      const { codeVersion } = this.projector;
      const flight = new Flight(client);
      // Rows and checkpoint are lost together or not at all, and the log can be folded again: no flush of its own.
      await flight.send('begin; set local synchronous_commit = off');
      await flight.send(moveStatement(this.key, { read, next, codeVersion, applied: batch.applied, recent }));
      const isMoved = (await flight.landed())?.rowCount === 1;
      if (isMoved) {
        await batch.write(client).catch((error: unknown) => {
          throw new WriteFailedError(batch, error);
        });
        await client.query('commit');
        this.#recent = recent;
      } else {
        await client.query('rollback');
      }
      return isMoved ? 'moved' : 'lost';
    } catch (error) {
      this.projector.forget();
      broken = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.off('error', note);
      // A connection in the middle of a failed transaction is thrown away: its rollback is the server's business.
      client.release(broken);
    }
  }
}

/** The checkpoint after a batch. */
export function nextCheckpoint({ events, batch, read, scanned }: BatchToCommit): Checkpoint {
  const last = events[batch.applied - 1];
  const isWhole = batch.applied === events.length;
  return {
    handled: last?.position ?? read.handled,
    eventId: last?.id ?? read.eventId,
    scanned: isWhole ? scanned : (last?.position ?? read.scanned),
    partialProgress: batch.partialProgress,
    logicalTime: batch.logicalTime,
    revision: read.revision + 1,
    events: read.events + batch.applied,
    setAside: batch.setAside,
    fault: null,
  };
}
