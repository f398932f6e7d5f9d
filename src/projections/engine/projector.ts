import type { PoolClient } from 'pg';
import type { Position } from '../../events/stored-event.js';
import { NamedError } from '../../observability/named-error.js';
import type { PartialEvent } from './partial-progress.js';
import type { ProjectionSource } from './projection-source.js';
import type { SetAsideSummary } from './set-aside-summary.js';
import type { UnreadableEvent } from './unreadable-event.js';

/** Where a projector goes on from: what earlier batches left behind. */
export interface ProjectionCursor {
  /** The last event that was applied. */
  readonly handled: Position | null;
  /** Events up to `handled` of which rows are still to be written, in their order. */
  readonly partialProgress: readonly PartialEvent[];
  /** The projection's own clock (Unix ms), which only events move, and which never goes back. */
  readonly logicalTime: number;
  /** Events folded so far, those that were set aside included. */
  readonly events: number;
  readonly setAside: SetAsideSummary;
}

/** Something that a batch set aside for the first time: a stream at an event, or a user under one. */
export interface SetAside {
  readonly kind: 'stream' | 'user';
  /** Name of the stream, or the user's id. */
  readonly id: string;
  readonly position: Position;
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

/** What of a batch the database refuses: all that belongs to no single user, and users. */
export interface Unwritable {
  /** `null` when the rest can be written. */
  readonly whole: unknown;
  readonly users: ReadonlyMap<string, unknown>;
}

/** What a projector made of a batch: how far it came and the row changes that make it so. */
export interface ProjectedBatch {
  /** How many events from the batch's start are applied. */
  readonly applied: number;
  /** Events up to those of which rows are still to be written. */
  readonly partialProgress: readonly PartialEvent[];
  readonly logicalTime: number;
  /** Keys whose read models change, or `all`. */
  readonly changed: readonly string[] | 'all';
  readonly setAside: SetAsideSummary;
  /** What this batch set aside, in order. */
  readonly newlySetAside: readonly SetAside[];
  /** To be called before anything else is folded while the rows are not written yet: they stay as they are now. */
  seal(): void;
  /** Writes the rows, inside the engine's transaction. */
  write(client: PoolClient): Promise<void>;
  /** Finds what cannot be written, inside a transaction that is rolled back. */
  findUnwritable(client: PoolClient): Promise<Unwritable>;
}

/** Most events that are retried in one batch, and the rows that are known not to be writable. */
export interface RetryLimits {
  readonly events: number;
  readonly unwritable: Unwritable | null;
}

/**
 * Folds events into read models. Pure with respect to the log: events and rows in, row changes out. It never sees a
 * clock and never touches its checkpoint. What it keeps in memory is right only while its batches commit.
 */
export interface Projector<Event> {
  readonly name: string;
  /** Changes whenever the same log would give other rows. */
  readonly codeVersion: string;
  /**
   * Projects a non-empty, ordered batch; `applied` may stop short of its end, but something must move.
   * @throws EventFailedError when an event cannot be folded, with its place in the batch: what is before it can
   */
  project(events: readonly (Event | UnreadableEvent)[], from: ProjectionCursor): Promise<ProjectedBatch>;
  /**
   * Projects a batch while the rows of the one before it, which was applied whole, are being written. `null` when it has to
   * wait for them: for some of it they must be there to be read.
   * @throws EventFailedError as `project`
   */
  projectAhead(
    events: readonly (Event | UnreadableEvent)[],
    from: ProjectionCursor,
  ): Promise<ProjectedBatch | null>;
  /** Writes the next part of the first event of `from.partialProgress`; there is one. `unwritable`: rows known not to be. */
  writePart(from: ProjectionCursor, unwritable: Unwritable | null): Promise<ProjectedBatch>;
  /**
   * The batch of one event that failed alone, as `failure` says: set aside, with those behind it, or the user alone.
   * @throws FaultLimitError when that were one too many
   */
  setAside(
    event: Event | UnreadableEvent,
    failure: EventFailedError,
    from: ProjectionCursor,
  ): Promise<ProjectedBatch>;
  /**
   * Folds the events that were set aside and are to be retried by this code, in the log's order, up to `handled`. `null`
   * when there is nothing to retry.
   * @throws FaultLimitError as `setAside`
   */
  retrySetAside(
    source: ProjectionSource,
    from: ProjectionCursor,
    limits: RetryLimits,
  ): Promise<ProjectedBatch | null>;
  /** Drops everything kept in memory: a batch did not commit, or another instance may have written. */
  forget(): void;
}

/** Where an event failed: read, folded, or judging (`cause` is a user's) or writing (`unwritable` names the rows). */
export type Failure =
  | { readonly stage: 'read' | 'fold'; readonly cause: unknown }
  | { readonly stage: 'judge'; readonly cause: unknown; readonly users: ReadonlyMap<string, unknown> }
  | { readonly stage: 'write'; readonly cause: unknown; readonly unwritable: Unwritable };

/** An event of a batch that could not be applied; `index` is its place. */
export class EventFailedError extends Error {
  override readonly name = 'EventFailedError';
  constructor(
    readonly index: number,
    readonly failure: Failure,
  ) {
    super(messageOf(failure.cause), { cause: failure.cause });
  }
}

/** So much was set aside within so few events that the code is at fault, not the events. */
export class FaultLimitError extends NamedError {
  readonly code = 'fault_limit';
  constructor(limit: number, cause: unknown) {
    super(`more than ${limit} streams or users would be set aside; the last one: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** The code of what was thrown, `projector_failed` when it has none. */
export function codeOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : 'projector_failed';
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
