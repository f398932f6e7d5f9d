import type { PoolClient } from 'pg';
import type { Position } from '../../event-store/event-store.js';
import type { UnderWay } from './under-way.js';

/** Where a projector goes on from: what earlier batches left behind. `now` is Unix milliseconds. */
export interface ProjectionCursor {
  /** The last event that was applied. */
  readonly handled: Position | null;
  /** Events up to `handled` of which rows are still to be written, in their order. */
  readonly within: readonly UnderWay[];
  /** The projection's own clock, which never goes back. */
  readonly now: number;
}

/** What a projector made of a batch: how far it came and the row changes that make it so. */
export interface ProjectedBatch {
  /** How many events from the batch's start are applied. */
  readonly applied: number;
  /** Events up to those of which rows are still to be written. */
  readonly within: readonly UnderWay[];
  readonly now: number;
  /** Keys whose read models change, or `all`. */
  readonly changed: readonly string[] | 'all';
  /** Writes the rows, inside the engine's transaction. */
  write(client: PoolClient): Promise<void>;
}

/**
 * Folds events into read models. Pure with respect to the log: events and rows in, row changes out. It never sees a
 * clock and never touches its checkpoint. What it keeps in memory is right only while its batches commit.
 */
export interface Projector<Event> {
  readonly name: string;
  /** Changes whenever the same log would give other rows. */
  readonly codeVersion: string;
  /** Projects a non-empty, ordered batch; `applied` may stop short of its end, but something must move. */
  project(events: readonly Event[], from: ProjectionCursor): Promise<ProjectedBatch>;
  /** Writes the next part of the first event that is under way; there is one. */
  goOn(from: ProjectionCursor): Promise<ProjectedBatch>;
  /** Drops everything kept in memory: a batch did not commit, or another instance may have written. */
  forget(): void;
}
