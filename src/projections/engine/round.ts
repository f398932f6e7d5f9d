import { isTransient } from '../../database/transient.js';
import type { Position } from '../../events/stored-event.js';
import type { Checkpoint, ProjectionFault } from './checkpoint.js';
import { codeOf, messageOf, type ProjectedBatch, type Projector } from './projector.js';

/**
 * Outcome of one round: rows committed, nothing to read, another instance was faster, a fault at an event, or a log that
 * is not the one of the checkpoint.
 */
export type Round =
  | {
      readonly outcome: 'committed';
      readonly checkpoint: Checkpoint;
      readonly batch: ProjectedBatch;
      readonly more: boolean;
    }
  | { readonly outcome: 'idle'; readonly checkpoint: Checkpoint }
  | { readonly outcome: 'lost' }
  | { readonly outcome: 'other log' }
  | { readonly outcome: 'fault'; readonly fault: ProjectionFault };

/** The database refused the rows of a batch. */
export class WriteFailedError extends Error {
  override readonly name = 'WriteFailedError';
  constructor(
    readonly batch: ProjectedBatch,
    override readonly cause: unknown,
  ) {
    super(messageOf(cause), { cause });
  }
}

/** Batch of an event that is gone past without rows. */
export function emptyBatch(
  applied: number,
  {
    partialProgress,
    logicalTime,
    setAside,
  }: Pick<ProjectedBatch, 'partialProgress' | 'logicalTime' | 'setAside'>,
): ProjectedBatch {
  return {
    applied,
    partialProgress,
    logicalTime,
    setAside,
    changed: [],
    newlySetAside: [],
    seal: () => undefined,
    write: async () => undefined,
    findUnwritable: async () => ({ whole: null, users: new Map() }),
  };
}

/** The outcome of a round that cannot go past an event. */
export function faultAt(
  { position, type }: { readonly position: Position; readonly type: string },
  error: unknown,
): Round {
  const cause = error instanceof WriteFailedError ? error.cause : error;
  return { outcome: 'fault', fault: { position, type, code: codeOf(cause), message: messageOf(cause) } };
}

/** Drops what a projector keeps in memory of a round that failed. @throws what may pass, for the whole round to be tried again */
export function forgetAfter(projector: Pick<Projector<unknown>, 'forget'>, error: unknown): void {
  projector.forget();
  const cause = error instanceof WriteFailedError ? error.cause : error;
  if (isTransient(cause)) throw cause;
}
