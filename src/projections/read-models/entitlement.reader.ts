import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import type { Position } from '../../events/stored-event.js';
import type { LiveCheckpoint } from '../engine/checkpoint.js';
import { isWritten, type PartialEvent } from '../engine/partial-progress.js';
import { type Served, servedBytes } from '../entitlements/snapshot.js';
import { readServed } from './served-row.js';
import { type CommitId, isLater, type SnapshotCache } from './snapshot-cache.js';

/** A cached snapshot counts only while the checkpoint was confirmed within this long. */
const CONFIRMED_MS = 1_000;
/** Bytes of snapshots in memory: about 14,000 users. */
const BYTES_IN_MEMORY = 24_000_000;
/** User ids in one statement. */
const MAX_BATCH = 500;

/** A read on its way to the database; users that change meanwhile must not be cached from it. */
interface Flight {
  readonly changed: Set<string>;
  all: boolean;
}

/**
 * The read side of the snapshots. What is in memory is of one generation: the first answer of a later swap, or a message about
 * it, drops everything from before, and an answer from before a swap that is known is not kept. Reads by the clock through
 * the stored successors; concurrent reads share one statement; snapshots are kept with their serialised body, dropped when they change, and served from memory only
 * while this instance confirmed the checkpoint within the last second.
 */
export class EntitlementReader {
  readonly #cache = new LRUCache<string, Served>({
    maxSize: BYTES_IN_MEMORY,
    sizeCalculation: servedBytes,
  });
  readonly #flights = new Set<Flight>();
  /** Whom a commit changed that is not confirmed yet: of it what instances share may know nothing. */
  #changedSince: Set<string> | 'all' = new Set();
  #confirmedAt = 0;
  #handled = '0';
  #partialProgress: readonly PartialEvent[] = [];
  /** The latest swap of generations that this instance knows of. */
  #liveEpoch = 0;
  #waiting: Map<string, PromiseWithResolvers<Served>> | null = null;

  /** The latest commit of the fold that this instance knows of; `null` before the first. */
  #known: CommitId | null = null;

  /** `shared`: what instances share beside the database; `null` where they share nothing. */
  constructor(
    private readonly pool: Pool,
    private readonly now: () => number = Date.now,
    private readonly shared: SnapshotCache | null = null,
  ) {}

  /** The snapshot from memory, or `null` when the database must be asked. */
  peek(userId: string): Served | null {
    const now = this.now();
    if (!this.#isConfirmedAt(now)) return null;
    const served = this.#cache.get(userId);
    return served === undefined || now >= served.holdsUntil ? null : served;
  }

  /** The checkpoint (last position applied) that snapshots from memory are served at; "0" before the first event. */
  get handled(): string {
    return this.#handled;
  }

  /** Whether all that the event at `position` changes is in the read models, by the checkpoint that was last confirmed. */
  shows(position: Position): boolean {
    return isWritten({ handled: this.#handled, partialProgress: this.#partialProgress }, position);
  }

  /** Whether the checkpoint was confirmed within the last second, so that what is in memory counts. */
  get isConfirmed(): boolean {
    return this.#isConfirmedAt(this.now());
  }

  /** The snapshot of one user; one without a row has the default plan and version 0. */
  async read(userId: string): Promise<Served> {
    const cached = this.peek(userId);
    if (cached !== null)
      return cached.position === this.#handled ? cached : { ...cached, position: this.#handled };
    this.#waiting ??= this.#gather();
    const waiting = this.#waiting;
    const known = waiting.get(userId);
    if (known !== undefined) return known.promise;
    const asked = withResolvers<Served>();
    waiting.set(userId, asked);
    if (waiting.size >= MAX_BATCH) this.#waiting = null;
    return asked.promise;
  }

  /** Snapshots of several users as of one moment, in the order asked. */
  async readMany(userIds: readonly string[]): Promise<readonly Served[]> {
    const found = await this.#fetch([...new Set(userIds)]);
    return userIds.map((userId) => {
      const served = found.get(userId);
      if (served === undefined) throw new Error('a user that was asked for was not answered');
      return served;
    });
  }

  /** To be called after a commit of this instance, before anyone is notified of it. */
  changed(userIds: readonly string[] | 'all'): void {
    for (const flight of this.#flights) {
      if (userIds === 'all') flight.all = true;
      else for (const userId of userIds) flight.changed.add(userId);
    }
    if (userIds === 'all') {
      this.#cache.clear();
      this.#changedSince = 'all';
      return;
    }
    for (const userId of userIds) {
      this.#cache.delete(userId);
      if (this.#changedSince !== 'all') this.#changedSince.add(userId);
    }
  }

  /**
   * To be called when the live checkpoint was read or written, with how long ago that was (milliseconds); `moved` when
   * another instance moved it. A late message from before a swap that is known confirms nothing.
   */
  confirmed({ liveEpoch, checkpoint }: LiveCheckpoint, moved: boolean, ageMs: number): void {
    if (liveEpoch < this.#liveEpoch) return;
    if (moved) this.changed('all');
    this.#sawEpoch(liveEpoch);
    const { revision } = checkpoint;
    // Moved by somebody else it may have gone back: a server that failed over has lost its last commits.
    if (moved) this.#known = { liveEpoch, revision };
    else this.#knows({ liveEpoch, revision });
    this.#changedSince = new Set();
    this.#handled = checkpoint.handled ?? '0';
    this.#partialProgress = checkpoint.partialProgress;
    this.#confirmedAt = this.now() - ageMs;
  }

  /** Drops what is in memory of generations before the given swap; not confirmed for the later one until `confirmed` is called. */
  #sawEpoch(liveEpoch: number): void {
    if (liveEpoch <= this.#liveEpoch) return;
    this.#liveEpoch = liveEpoch;
    this.#confirmedAt = 0;
    this.changed('all');
  }

  /** Reads asked for in the same turn of the event loop go out together. */
  #gather(): Map<string, PromiseWithResolvers<Served>> {
    const waiting = new Map<string, PromiseWithResolvers<Served>>();
    setImmediate(() => {
      if (this.#waiting === waiting) this.#waiting = null;
      this.#find([...waiting.keys()]).then(
        (found) => {
          for (const [userId, asked] of waiting) {
            const served = found.get(userId);
            if (served === undefined) asked.reject(new Error('a user that was asked for was not answered'));
            else asked.resolve(served);
          }
        },
        (error: unknown) => {
          for (const asked of waiting.values()) asked.reject(error);
        },
      );
    });
    return waiting;
  }

  #isConfirmedAt(now: number): boolean {
    return now - this.#confirmedAt < CONFIRMED_MS;
  }

  #knows(commit: CommitId): void {
    if (this.#known === null || isLater(commit, this.#known)) this.#known = commit;
  }

  async #find(userIds: readonly string[]): Promise<ReadonlyMap<string, Served>> {
    if (this.shared === null) return this.#fetch(userIds);
    const found = await this.#findShared(userIds, this.shared);
    const others = userIds.filter((userId) => !found.has(userId));
    if (others.length === 0) return found;
    return new Map([...found, ...(await this.#fetch(others))]);
  }

  /** What instances share of these users, where this one knows of nothing later; it is kept in memory as what was read. */
  async #findShared(userIds: readonly string[], shared: SnapshotCache): Promise<ReadonlyMap<string, Served>> {
    const found = new Map<string, Served>();
    const changed = this.#changedSince;
    if (!this.#isConfirmedAt(this.now()) || changed === 'all') return found;
    const flight: Flight = { changed: new Set(), all: false };
    this.#flights.add(flight);
    try {
      const snapshots = await shared.find(userIds, () => this.#known);
      const now = this.now();
      if (flight.all || !this.#isConfirmedAt(now)) return found;
      for (const [userId, snapshot] of snapshots) {
        if (changed.has(userId) || flight.changed.has(userId) || now >= snapshot.holdsUntil) continue;
        const served = { userId, ...snapshot, position: this.#handled };
        this.#cache.set(userId, served);
        found.set(userId, served);
      }
      return found;
    } finally {
      this.#flights.delete(flight);
    }
  }

  async #fetch(userIds: readonly string[]): Promise<ReadonlyMap<string, Served>> {
    const flight: Flight = { changed: new Set(), all: false };
    this.#flights.add(flight);
    try {
      const { served, liveEpoch, revision } = await readServed(this.pool, userIds, this.now);
      // What this statement saw is of the generation it names: it must not be dropped with what was there before.
      if (liveEpoch !== null && liveEpoch > this.#liveEpoch) {
        this.#flights.delete(flight);
        this.#sawEpoch(liveEpoch);
      }
      const unchanged = flight.all ? [] : served.filter(({ userId }) => !flight.changed.has(userId));
      for (const each of unchanged) this.#cache.set(each.userId, each);
      if (liveEpoch !== null) {
        this.#knows({ liveEpoch, revision });
        this.shared?.offer(unchanged, { liveEpoch, revision });
      }
      return new Map(served.map((each) => [each.userId, each]));
    } finally {
      this.#flights.delete(flight);
    }
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
