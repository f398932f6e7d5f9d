import type { Checkpoint } from '../../engine/checkpoint.js';
import type { Chunk } from './event-groups.js';
import type { Stretch } from './stretch-progress.js';

/** The turn of a chunk: the checkpoint that it is committed after, and how far the stretch is with it. */
export interface Turn {
  readonly read: Pick<Checkpoint, 'revision' | 'handled'>;
  readonly stretch: Stretch;
}

/** A chunk that is being read, folded and written. */
export interface TakenChunk {
  readonly chunk: Chunk;
  /**
   * Commits its rows and the checkpoint together; `false` where somebody else has moved that. To be called once.
   * @throws NotByGroupsError, and what may pass
   */
  commit(turn: Turn): Promise<boolean>;
}

/**
 * Folds chunks of a stretch, one after the other; several may be at it at once, in threads of their own, as chunks have no user
 * in common. What is written becomes seen in the order of the turns alone.
 */
export interface ChunkFolder {
  /** Begins with a chunk as soon as those before it leave room. */
  take(chunk: Chunk): TakenChunk;
  /** Gives up what is not committed; comes back when nothing is folded or written any more. */
  stop(): Promise<void>;
}

/** What a fold by groups cannot go past; the fold in the log's order sets such things aside, or stops at them. */
export class NotByGroupsError extends Error {
  override readonly name = 'NotByGroupsError';
}
