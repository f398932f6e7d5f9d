import type { Pool, QueryConfig } from 'pg';
import type { Position } from '../../events/stored-event.js';
import { type Checkpoint, findCheckpoint, type ProjectionFault } from './checkpoint.js';
import { partialProgressText } from './partial-progress.js';
import type { ProjectionKey } from './projection-key.js';
import type { RecentChange } from './recent-changes.js';
import { summaryText } from './set-aside-summary.js';

/** A move of a checkpoint: from where to where, by what code, over how many events. */
export interface CheckpointMove {
  readonly read: Checkpoint;
  readonly next: Checkpoint;
  readonly codeVersion: string;
  readonly applied: number;
  /** Whom the last commits changed, this one included. */
  readonly recent: readonly RecentChange[];
}

/**
 * Moves the checkpoint (and clears a fault). It changes one row, or none when the checkpoint was no longer where it was
 * read: another instance owns the projection or the generations were swapped, and the transaction must be rolled back.
 */
export function moveStatement(
  key: ProjectionKey,
  { read, next, codeVersion, applied, recent }: CheckpointMove,
): QueryConfig {
  return {
    name: 'tenure-move-checkpoint',
    text: `update tenure.projection_checkpoint
           set handled = $5, scanned = $6, within = $7, now_ms = $8, revision = $9, code_version = $10, fault = null,
             events = events + $11, event_id = $12, recent_changes = $13, set_aside = $14,
             mixed_after = case when built_by = $10 then mixed_after else coalesce(mixed_after, handled, 0) end
           where projection = $1 and generation = $2 and handled is not distinct from $3 and revision = $4`,
    values: [
      key.projection,
      key.generation,
      read.handled,
      read.revision,
      next.handled,
      next.scanned,
      partialProgressText(next.partialProgress),
      next.logicalTime,
      next.revision,
      codeVersion,
      applied,
      next.eventId,
      JSON.stringify(recent),
      summaryText(next.setAside),
    ],
  };
}

/** Notes how far the store was read where nothing was of ours; never moves `handled` and may come too late. */
export async function noteScanned(
  pool: Pool,
  key: ProjectionKey,
  read: Checkpoint,
  scanned: Position,
): Promise<void> {
  await pool.query(
    `update tenure.projection_checkpoint set scanned = $5
     where projection = $1 and generation = $2 and handled is not distinct from $3 and revision = $4`,
    [key.projection, key.generation, read.handled, read.revision, scanned],
  );
}

/** Records the event at which the projection stopped, unless another instance has moved on. */
export async function noteFault(
  pool: Pool,
  key: ProjectionKey,
  read: Checkpoint,
  fault: ProjectionFault,
): Promise<void> {
  await pool.query(
    `update tenure.projection_checkpoint set fault = $5
     where projection = $1 and generation = $2 and handled is not distinct from $3 and revision = $4`,
    [key.projection, key.generation, read.handled, read.revision, JSON.stringify(fault)],
  );
}

/**
 * Forgets the fault at which a generation stands, if there is one that is meant, and moves the checkpoint's revision: by
 * that whoever stopped there sees that it may try again. Answers the fault.
 */
export async function clearFault(
  pool: Pool,
  key: ProjectionKey,
  isMeant: (fault: ProjectionFault) => boolean,
): Promise<ProjectionFault | null> {
  for (;;) {
    const read = await findCheckpoint(pool, key);
    if (read === null || read.fault === null || !isMeant(read.fault)) return null;
    const cleared = await pool.query(
      `update tenure.projection_checkpoint set fault = null, revision = revision + 1
       where projection = $1 and generation = $2 and revision = $3 and fault is not null`,
      [key.projection, key.generation, read.revision],
    );
    if (cleared.rowCount === 1) return read.fault;
  }
}
