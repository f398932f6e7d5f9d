import { randomUUID } from 'node:crypto';
import type { RedisConnection } from './redis-connection.js';
import { ADVANCE } from './scripts.js';
import { isSame, type KnownCommit } from './shared-value.js';

/** What is told behind the replies may take its time, in milliseconds. */
const WITHIN_MS = 2_000;
/** The level is written again this often while nothing changes: a Redis that was emptied is filled again. */
const REPEAT_EVERY_MS = 2_000;
const RETRY_MS = 200;
/** Users taken out by one script; where more changed, everything is. */
const MOST_USERS = 2_000;

export interface LevelWriterOptions {
  readonly redis: Pick<RedisConnection, 'ask'>;
  readonly levelKey: string;
  readonly pointerKey: string;
  readonly namespace: string;
  readonly keyOf: (userId: string) => string;
  /** Lifetime of the level, in milliseconds. */
  readonly lifetimeMs: number;
}

/**
 * Tells Redis, where this instance leads, what each commit changed, in one step with how far that goes: until a commit was
 * told, nobody who knows of it uses the cache. Told again until it is done; what cannot be told begins a new epoch.
 */
export class LevelWriter {
  /** Who changed since `#told`, up to `#now`; `all` where it is not known. */
  #pending = new Set<string>();
  #isAllPending = true;
  /** Who changed by a commit that is not confirmed yet. */
  #coming: Set<string> | 'all' = new Set();
  /** The last commit that Redis confirmed to have been told; `null` since this instance does not lead. */
  #told: KnownCommit | null = null;
  #now: KnownCommit | null = null;
  /** What is being told; `null` while nothing is. */
  #telling: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #isClosed = false;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly options: LevelWriterOptions) {
    this.#timer = setInterval(() => this.#tell(), REPEAT_EVERY_MS).unref();
  }

  /**
   * These users changed by the commit that `leads` tells of next. They are taken out with its level and not before: what
   * somebody read of them before that commit may still be offered, and is refused only from that level on.
   */
  changed(users: readonly string[] | 'all'): void {
    if (users === 'all') this.#coming = 'all';
    else if (this.#coming !== 'all') for (const user of users) this.#coming.add(user);
  }

  /** This instance leads, and the live checkpoint is at `commit`. */
  leads(commit: KnownCommit): void {
    this.#takeOut(this.#coming);
    this.#coming = new Set();
    if (this.#now !== null && isSame(this.#now, commit)) return;
    this.#now = commit;
    this.#tell();
  }

  /** Another instance tells Redis. */
  follows(): void {
    this.#now = null;
    this.#told = null;
    this.#coming = 'all';
    this.#takeOut('all');
  }

  /** Tells what is left, once, behind what is being told; after that nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#telling;
    if (this.#now !== null) await this.#tellOnce(this.#now);
  }

  #takeOut(users: Iterable<string> | 'all'): void {
    if (users === 'all') this.#isAllPending = true;
    else for (const user of users) this.#pending.add(user);
    if (this.#pending.size > MOST_USERS) this.#isAllPending = true;
    if (this.#isAllPending) this.#pending.clear();
  }

  /** Begins to tell, unless it is under way: what came meanwhile is told behind it. */
  #tell(): void {
    if (this.#now === null || this.#isClosed || this.#telling !== null) return;
    this.#telling = this.#tellOnce(this.#now).then((isTold) => {
      this.#telling = null;
      if (isTold && this.#now !== this.#told) this.#tell();
      if (!isTold && !this.#isClosed) this.#retry = setTimeout(() => this.#tell(), RETRY_MS).unref();
    });
  }

  /** Whether Redis confirmed it. */
  async #tellOnce(to: KnownCommit): Promise<boolean> {
    const users = [...this.#pending];
    const isAll = this.#isAllPending;
    this.#pending = new Set();
    this.#isAllPending = false;
    const from = isAll || this.#told?.liveEpoch !== to.liveEpoch ? null : this.#told.revision;
    const isTold = await this.#advance(from, to, users);
    if (this.#now === null) return isTold;
    if (isTold) this.#told = to;
    // Whether it was done is not known: the same users are told again, with those of meanwhile.
    else this.#takeOut(isAll ? 'all' : users);
    return isTold;
  }

  async #advance(from: number | null, to: KnownCommit, users: readonly string[]): Promise<boolean> {
    const { redis, levelKey, pointerKey, namespace, keyOf, lifetimeMs } = this.options;
    const answer = await redis.ask(
      (client) =>
        client.eval(ADVANCE, {
          keys: [levelKey, pointerKey, ...users.map(keyOf)],
          arguments: [
            String(to.liveEpoch),
            from === null ? '' : String(from),
            String(to.revision),
            randomUUID(),
            String(lifetimeMs),
            namespace,
            to.event,
          ],
        }),
      WITHIN_MS,
    );
    return answer !== null;
  }
}
