import type { LiveCheckpoint } from '../projections/engine/checkpoint.js';
import type { Served } from '../projections/entitlements/snapshot.js';
import type { CommitId, SharedSnapshot, SnapshotCache } from '../projections/read-models/snapshot-cache.js';
import { LevelWriter } from './level-writer.js';
import { RedisConnection } from './redis-connection.js';
import { OFFER } from './scripts.js';
import { commitOf, isSame, type KnownCommit, parseLevel, parseValue, textOf } from './shared-value.js';

/** A read waits for Redis no longer than this, in milliseconds; then the database is asked. */
const READ_WITHIN_MS = 40;
const WRITE_WITHIN_MS = 1_000;
const LIFETIME_MS = 3_600_000;
/** Where the namespace of the one that wrote last is told, for readers of other programs. */
const POINTER = 'tenure:cache';
const NOTHING: ReadonlyMap<string, SharedSnapshot> = new Map();

export interface SharedSnapshotsOptions {
  readonly url: string;
  /** Tells this database, its timeline and this code from all others: see `cacheNamespace`. */
  readonly namespace: string;
  /** Hears why Redis is not used for a while. */
  readonly onTrouble: (error: unknown) => void;
  /** Hears of reads: how many were found, and how many were not. */
  readonly onRead: (found: number, missed: number) => void;
  /** Hears of each statement with which the database was read for what was not found. */
  readonly onStatement: () => void;
}

/**
 * Snapshots that instances share in Redis (docs/CACHE.md). The leader takes out what a commit changed, in one step with the
 * level up to which it has done so; whoever reads the database offers what it read. A value is used where the level has come
 * to whatever this instance knows of, and so by its own checkpoint nothing of that user came later. And only in an epoch whose
 * level it has met at the very commit of its own checkpoint: Redis may know commits of a database that was put back since from
 * an old copy, and that are not to come.
 */
export class SharedSnapshots implements SnapshotCache {
  readonly #redis: RedisConnection;
  readonly #level: LevelWriter;
  readonly #levelKey: string;
  /** The live checkpoint as it was last confirmed here; `null` before. */
  #confirmed: KnownCommit | null = null;
  /** The epoch that is of this database, as far back as this instance has followed it without a gap; `null`: none is known to be. */
  #trusted: string | null = null;

  constructor(private readonly options: SharedSnapshotsOptions) {
    const { url, namespace, onTrouble } = options;
    this.#redis = new RedisConnection(url, onTrouble);
    this.#levelKey = `${namespace}:level`;
    this.#level = new LevelWriter({
      redis: this.#redis,
      levelKey: this.#levelKey,
      pointerKey: POINTER,
      namespace,
      keyOf: (userId) => this.#keyOf(userId),
      lifetimeMs: LIFETIME_MS,
    });
  }

  async find(
    userIds: readonly string[],
    known: () => CommitId | null,
  ): Promise<ReadonlyMap<string, SharedSnapshot>> {
    const keys = [this.#levelKey, ...userIds.map((userId) => this.#keyOf(userId))];
    const answer = await this.#redis.ask((client) => client.mGet(keys), READ_WITHIN_MS);
    const found = answer === null ? NOTHING : this.#usable(answer, userIds, known());
    this.options.onRead(found.size, userIds.length - found.size);
    return found;
  }

  offer(served: readonly Served[], { liveEpoch, revision }: CommitId): void {
    this.options.onStatement();
    if (served.length === 0) return;
    const keys = [this.#levelKey, ...served.map(({ userId }) => this.#keyOf(userId))];
    const values = [String(liveEpoch), String(revision), String(LIFETIME_MS), ...served.map(textOf)];
    void this.#redis.ask((client) => client.eval(OFFER, { keys, arguments: values }), WRITE_WITHIN_MS);
  }

  changed(users: readonly string[] | 'all'): void {
    this.#level.changed(users);
  }

  confirmed(live: LiveCheckpoint, how: { moved: boolean; isLeading: boolean }): void {
    this.#confirmed = commitOf(live);
    if (how.moved) this.#trusted = null;
    if (!how.isLeading) {
      this.#level.follows();
      return;
    }
    if (how.moved) this.#level.changed('all');
    this.#level.leads(this.#confirmed);
  }

  async close(): Promise<void> {
    await this.#level.close();
    this.#redis.close();
  }

  #keyOf(userId: string): string {
    return `${this.options.namespace}:user:${userId}`;
  }

  /** Those that count, where Redis was told of everything that is known here; of another generation or epoch nothing counts. */
  #usable(
    [levelText = null, ...values]: readonly (string | null)[],
    userIds: readonly string[],
    known: CommitId | null,
  ): ReadonlyMap<string, SharedSnapshot> {
    const level = parseLevel(levelText);
    if (level === null || known === null) return NOTHING;
    if (this.#confirmed !== null && isSame(level, this.#confirmed)) this.#trusted = level.epoch;
    if (level.epoch !== this.#trusted) return NOTHING;
    if (level.liveEpoch !== known.liveEpoch || level.revision < known.revision) return NOTHING;
    const found = new Map<string, SharedSnapshot>();
    for (const [index, userId] of userIds.entries()) {
      const shared = parseValue(values[index] ?? null, userId, level.epoch);
      if (shared !== null) found.set(userId, shared);
    }
    return found;
  }
}
