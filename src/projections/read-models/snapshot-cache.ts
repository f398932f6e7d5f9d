import type { LiveCheckpoint } from '../engine/checkpoint.js';
import type { Served } from '../entitlements/snapshot.js';

/** A commit of the live fold: `revision` counts them within the epoch of one generation. */
export interface CommitId {
  readonly liveEpoch: number;
  readonly revision: number;
}

/** A snapshot as it is shared; `position` is that of the commit at which it was read. */
export type SharedSnapshot = Omit<Served, 'userId'>;

/** Snapshots that instances share beside the database. It may forget anything at any time, and never answers late or wrongly. */
export interface SnapshotCache {
  /**
   * Snapshots of those users of whom there is one that is no older than `known`, asked for when the answer is there. Rejects
   * with nothing: what cannot be had is not there.
   */
  find(
    userIds: readonly string[],
    known: () => CommitId | null,
  ): Promise<ReadonlyMap<string, SharedSnapshot>>;
  /** Takes snapshots that were read from the database as of a commit, behind the replies. */
  offer(served: readonly Served[], at: CommitId): void;
  /** Rows of these users (or of all) changed and are committed; told before the commit is confirmed. */
  changed(users: readonly string[] | 'all'): void;
  /** The live checkpoint was read or written by this instance; `moved` and `isLeading` as it knows. */
  confirmed(live: LiveCheckpoint, how: { readonly moved: boolean; readonly isLeading: boolean }): void;
}

/** Whether one commit is later than another: of a later swap, or further in the same. */
export function isLater(a: CommitId, b: CommitId): boolean {
  return a.liveEpoch > b.liveEpoch || (a.liveEpoch === b.liveEpoch && a.revision > b.revision);
}
