import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Position } from '../../events/stored-event.js';
import { NamedError } from '../../observability/named-error.js';
import type { LiveCheckpoint } from '../engine/checkpoint.js';
import { isWritten, type PartialEvent } from '../engine/partial-progress.js';
import { type Faulted, type Served, serve } from '../entitlements/snapshot.js';
import { defaultUserRow, entitlementSchema, readHeld } from '../entitlements/user-row.js';

/** No catalogue has been projected yet: nothing can be said of anyone. */
export class ReadModelNotReadyError extends NamedError {
  readonly code = 'read_model_not_ready';
  constructor() {
    super('the read models hold no plan catalogue yet');
  }
}

/** A cached snapshot counts only while the checkpoint was confirmed within this long. */
const CONFIRMED_MS = 1_000;
const CACHED_USERS = 50_000;
/** User ids in one statement. */
const MAX_BATCH = 500;

const nullable = z.string().nullable();
const row = z.object({
  user_id: z.string(),
  snapshot: nullable,
  successors: nullable,
  counter: z.number().nullable(),
  position: nullable,
  changed_at: z.date().nullable(),
  history_seq: z.number().nullable(),
  version_offset: z.number(),
  handled: nullable,
  default_snapshot: nullable,
  swaps: z.number(),
  fault_position: nullable,
  fault_since: z.date().nullable(),
});

/** One statement, so one moment: pointer, rows, offsets and checkpoint belong together. */
const READ = {
  name: 'tenure-read-entitlements',
  text: `select q.user_id, u.snapshot, u.successors, u.counter, u.position::text, u.changed_at, u.history_seq,
           coalesce(o.version_offset, 0) as version_offset, c.handled::text,
           f.position::text as fault_position, f.since as fault_since,
           (select swaps from tenure.live_generation) as swaps,
           (select p.default_snapshot from tenure.plan_catalog p
             where p.generation = (select generation from tenure.live_generation)
             order by p.position desc limit 1) as default_snapshot
         from unnest($1::text[]) as q(user_id)
         left join tenure.user_role u
           on u.generation = (select generation from tenure.live_generation) and u.user_id = q.user_id
         left join tenure.revocation_offset o on o.user_id = q.user_id
         left join tenure.faulted_user f
           on f.generation = (select generation from tenure.live_generation) and f.user_id = q.user_id
             and f.position is not null
         left join tenure.projection_checkpoint c
           on c.projection = 'entitlements' and c.generation = (select generation from tenure.live_generation)`,
};

/** A read on its way to the database; users that change meanwhile must not be cached from it. */
interface Flight {
  readonly changed: Set<string>;
  all: boolean;
}

/**
 * The read side of the snapshots. What is in memory is of one generation: the first answer of a later swap, or word of
 * it, drops everything from before, and an answer from before a swap that is known is not kept. Reads by the clock through the stored successors; concurrent reads share one
 * statement; snapshots are kept with their serialised body, dropped when they change, and served from memory only
 * while this instance confirmed the checkpoint within the last second.
 */
export class EntitlementReader {
  readonly #cache = new LRUCache<string, Served>({ max: CACHED_USERS });
  readonly #flights = new Set<Flight>();
  #confirmedAt = 0;
  #handled = '0';
  #partialProgress: readonly PartialEvent[] = [];
  /** The latest swap of generations that this instance knows of. */
  #liveEpoch = 0;
  #waiting: Map<string, PromiseWithResolvers<Served>> | null = null;

  constructor(
    private readonly pool: Pool,
    private readonly now: () => number = Date.now,
  ) {}

  /** The snapshot from memory, or `null` when the database must be asked. */
  peek(userId: string): Served | null {
    const now = this.now();
    if (now - this.#confirmedAt >= CONFIRMED_MS) return null;
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

  /** The snapshot of one user; one never heard of has the default plan and version 0. */
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

  /** To be called after a commit of this instance, before anyone is told of it. */
  changed(userIds: readonly string[] | 'all'): void {
    for (const flight of this.#flights) {
      if (userIds === 'all') flight.all = true;
      else for (const userId of userIds) flight.changed.add(userId);
    }
    if (userIds === 'all') this.#cache.clear();
    else for (const userId of userIds) this.#cache.delete(userId);
  }

  /**
   * To be called when the live checkpoint was read or written, with how long ago that was (milliseconds); `moved` when
   * another instance moved it. Late word from before a swap that is known confirms nothing.
   */
  confirmed({ liveEpoch, checkpoint }: LiveCheckpoint, moved: boolean, ageMs: number): void {
    if (liveEpoch < this.#liveEpoch) return;
    if (moved) this.changed('all');
    this.#sawEpoch(liveEpoch);
    this.#handled = checkpoint.handled ?? '0';
    this.#partialProgress = checkpoint.partialProgress;
    this.#confirmedAt = this.now() - ageMs;
  }

  /** Drops what is in memory of generations before the given swap; not confirmed for the later one until someone says so. */
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
      this.#fetch([...waiting.keys()]).then(
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

  async #fetch(userIds: readonly string[]): Promise<ReadonlyMap<string, Served>> {
    const flight: Flight = { changed: new Set(), all: false };
    this.#flights.add(flight);
    try {
      const found = await this.pool.query({ ...READ, values: [userIds] });
      const now = this.now();
      const rows = z.array(row).parse(found.rows);
      const served = rows.map((each) => toServed(each, now));
      const liveEpoch = rows[0]?.swaps ?? this.#liveEpoch;
      // What this statement saw is of the generation it names: it must not be dropped with what was there before.
      if (liveEpoch > this.#liveEpoch) {
        this.#flights.delete(flight);
        this.#sawEpoch(liveEpoch);
      }
      for (const each of served) {
        if (!flight.all && !flight.changed.has(each.userId)) this.#cache.set(each.userId, each);
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

function toServed(found: z.infer<typeof row>, now: number): Served {
  if (found.default_snapshot === null) throw new ReadModelNotReadyError();
  const { user_id: userId, snapshot, successors, counter, history_seq: historySeq } = found;
  const { fault_position: position, fault_since: since } = found;
  let faulted: Faulted | null =
    position === null || since === null ? null : { since: since.toISOString(), position };
  const byDefault = entitlementSchema.parse(JSON.parse(found.default_snapshot));
  let user = defaultUserRow(userId, byDefault);
  if (snapshot !== null && successors !== null && counter !== null && historySeq !== null) {
    const changedAt = found.changed_at?.getTime() ?? null;
    const held = readHeld(snapshot, successors);
    // A row that cannot be read back gives nothing, and says so: nobody else's answer hangs on it.
    if (held === null) {
      faulted ??= { since: new Date(changedAt ?? 0).toISOString(), position: found.position ?? '0' };
    }
    const { entitlement, successors: later } = held ?? user;
    user = {
      userId,
      entitlement,
      successors: later,
      counter,
      position: found.position,
      changedAt,
      historySeq,
      // By which catalogue they were judged is not served, nor what is for ops.
      catalog: null,
      adoptedPrices: [],
    };
  }
  return serve(user, faulted, found.version_offset, found.handled ?? '0', now);
}
