import { isTransient } from '../../database/transient.js';
import { canonicalJson } from '../../events/canonical-json.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions } from '../../events/stored-event.js';
import type { Entitlement } from '../../policy/entitlement.js';
import type { PartialEvent } from '../engine/partial-progress.js';
import type { ProjectionSource } from '../engine/projection-source.js';
import {
  EventFailedError,
  FaultLimitError,
  type ProjectedBatch,
  type ProjectionCursor,
  type Projector,
  type RetryLimits,
  type SetAside,
  type Unwritable,
} from '../engine/projector.js';
import { recentlySetAside, type SetAsideSummary } from '../engine/set-aside-summary.js';
import { UnreadableEvent } from '../engine/unreadable-event.js';
import { EventLoopShare } from '../engine/yield-if-due.js';
import { Catalogs, type PublishedCatalog } from './catalogs.js';
import { FactReducer } from './fact-reducer.js';
import { FactsLoader, type Queries } from './facts-loader.js';
import {
  type FailedUsers,
  FaultReducer,
  type FoldedAround,
  type FoldingSteps,
  type Given,
  isPublication,
  judgeFailure,
  type Under,
} from './fault-reducer.js';
import { type FoldingRules, RUNNING_RULES } from './folding-rules.js';
import { usersToJudge } from './known-users.js';
import { SetAsides, whereOf } from './set-aside.js';
import { SetAsideRetry } from './set-aside-retry.js';
import { advance, type JudgedUnder, passTime, type UserRow } from './user-row.js';
import { WorkingSet } from './working-set.js';
import { checkTexts, checkUser } from './writable.js';
import { WriteBatch } from './write-batch.js';

export interface EntitlementsProjectorOptions {
  readonly pool: Queries;
  readonly generation: number;
  /** Left out: the rules of this code. */
  readonly rules?: FoldingRules;
  /** Left out: everyone. Facts are folded whole in any case, so what is judged is judged rightly. */
  readonly judgedUsers?: ReadonlySet<string>;
  /** Users judged anew in one transaction when a catalogue is published; between two such, other events are folded. */
  readonly sliceSize?: number;
  /** Streams and users that may be newly set aside within 10,000 events; left out: 20. One more stops the projection. */
  readonly faultLimit?: number;
  /** Bytes of facts kept in memory between batches; beyond it what was not used for the longest time is dropped. */
  readonly bytesInMemory?: number;
  /** The clock that snapshots are served by, Unix ms: decides what changes by time were served. Left out: the database's. */
  readonly now?: () => number;
}

/** A batch of this projection, the rows of users that it makes, and what who was never heard of may do after it. */
export interface EntitlementsBatch extends ProjectedBatch {
  readonly users: ReadonlyMap<string, UserRow>;
  /** `null` before the first catalogue. */
  readonly byDefault: Entitlement | null;
}

/** Name of the projection in checkpoints and locks. */
export const ENTITLEMENTS = 'entitlements';
const DEFAULT_SLICE = 1_000;
const DEFAULT_BYTES = 64_000_000;
const DEFAULT_FAULT_LIMIT = 20;

/**
 * Folds the log into the read models of DESIGN 9: facts by subscription, customer and checkout, whose they are, what
 * each user may do, and every version and snapshot that ever held. Pure with respect to the log: its clock is the
 * events' `recordedAt`, and every event is judged on its own, whatever the batch size.
 */
export class EntitlementsProjector implements Projector<EventEnvelope> {
  readonly name = ENTITLEMENTS;
  readonly #rules: FoldingRules;
  readonly #loopShare = new EventLoopShare();
  readonly #workingSet = new WorkingSet();
  readonly #loader: FactsLoader;
  readonly #catalogs: Catalogs;
  readonly #asides = new SetAsides();
  readonly #faults: FaultReducer;
  readonly #retry: SetAsideRetry;

  constructor(private readonly options: EntitlementsProjectorOptions) {
    this.#loader = new FactsLoader(options.pool, options.generation, this.#workingSet);
    this.#rules = options.rules ?? RUNNING_RULES;
    this.#catalogs = new Catalogs(options.pool, options.generation, this.#rules);
    const steps: FoldingSteps = {
      codeVersion: this.codeVersion,
      asides: this.#asides,
      instantOf,
      fold: (event, index, changes) =>
        this.#fold(event, index, new FactReducer(this.#workingSet, this.#loader, changes)),
      judge: async (users, under, changes) => {
        await this.#publishFirst(users, under.partialProgress, changes);
        return this.#judge(users, under, changes);
      },
      allFail: (users, under) => this.#allFail(users, under),
      stay: (users, now, changes) => this.#stay(users, now, changes),
      publishLate: (event, under, changes) => this.#publishLate(event, under, changes),
      follow: (changes) => this.#asides.follow(this.#workingSet, this.#loader, changes.setAside),
      anew: async () => {
        this.forget();
        await this.#load();
      },
    };
    this.#faults = new FaultReducer(steps);
    this.#retry = new SetAsideRetry(steps, this.#faults);
  }

  get codeVersion(): string {
    return this.#rules.codeVersion;
  }

  forget(): void {
    this.#workingSet.clear();
    this.#asides.clear();
    this.#catalogs.forget();
  }

  async project(events: readonly Given[], from: ProjectionCursor): Promise<EntitlementsBatch> {
    this.#workingSet.keepWithin(this.options.bytesInMemory ?? DEFAULT_BYTES);
    await this.#load();
    this.#catalogs.keep(from.partialProgress.map(({ position }) => position));
    const [first] = events;
    if (first !== undefined && this.#publishes(first)) return this.#publish(first, from, NOBODY_FAILED);

    const end = events.findIndex((event) => this.#publishes(event));
    const batch = end < 0 ? events : events.slice(0, end);
    const changes = new WriteBatch();
    const folder = new FactReducer(this.#workingSet, this.#loader, changes);
    const newly = [...(await this.#prefetch(folder, batch, from.partialProgress, changes))];
    const apart = new Set<string>();
    let [now, applied] = [from.logicalTime, 0];
    for (const event of batch) {
      if (this.#asides.holds(event.stream)) this.#asides.wait(event, changes.setAside);
      else {
        if (event instanceof UnreadableEvent) {
          throw new EventFailedError(applied, { stage: 'read', cause: event.cause });
        }
        now = Math.max(now, instantOf(event));
        const affected = await this.#fold(event, applied, folder);
        for (const userId of affected) if (this.#isUnwritable(userId)) apart.add(userId);
        newly.push(...(await this.#publishFirst(affected, from.partialProgress, changes)));
        const failed = await this.#judge(
          affected,
          { event, now, lateAt: null, partialProgress: from.partialProgress },
          changes,
        );
        if (failed.size > 0) throw new EventFailedError(applied, judgeFailure(failed));
      }
      await this.#asides.follow(this.#workingSet, this.#loader, changes.setAside);
      applied += 1;
      // Who could not be written is written after every event: a row that fails must not hide behind one that does not.
      if (apart.size > 0) break;
    }
    const around = { changes, now, newly };
    return this.#batch(
      around,
      { applied, partialProgress: from.partialProgress, from, apart },
      changedUsers(changes),
    );
  }

  async writePart(from: ProjectionCursor, unwritable: Unwritable | null): Promise<EntitlementsBatch> {
    await this.#load();
    const changes = new WriteBatch();
    const { partialProgress, newly } = await this.#publishSlice(
      from.partialProgress,
      unwritable?.users ?? NOBODY_FAILED,
      changes,
    );
    await this.#asides.follow(this.#workingSet, this.#loader, changes.setAside);
    const apart = this.#unwritableOf(changes);
    const around = { changes, now: from.logicalTime, newly };
    return this.#batch(around, { applied: 0, partialProgress, from, apart }, changedUsers(changes));
  }

  async setAside(event: Given, failed: EventFailedError, from: ProjectionCursor): Promise<EntitlementsBatch> {
    await this.#load();
    const { failure } = failed;
    // Without a catalogue nothing can be said of anyone: there is nothing to go on with.
    if (this.#catalogs.inForce === null && whereOf(event).type === 'PlanCatalogPublished')
      throw failure.cause;
    if (this.#publishes(event) && failure.stage === 'write' && failure.unwritable.whole === null) {
      return this.#publish(event, from, failure.unwritable.users);
    }
    const around = await this.#faults.setAside(event, failed, from);
    const at = { applied: 1, partialProgress: from.partialProgress, from, apart: NOBODY };
    return this.#batch(around, at, changedUsers(around.changes));
  }

  async retrySetAside(
    source: ProjectionSource,
    from: ProjectionCursor,
    limits: RetryLimits,
  ): Promise<EntitlementsBatch | null> {
    await this.#load();
    const around = await this.#retry.retry(source, from, limits);
    if (around === null) return null;
    return this.#batch(
      around,
      { applied: 0, partialProgress: from.partialProgress, from, apart: NOBODY },
      'all',
    );
  }

  /** Loads what every batch needs. */
  async #load(): Promise<void> {
    await this.#catalogs.load();
    await this.#asides.load(this.options.pool, this.options.generation);
  }

  /** Loads what a batch is about at once; where some of it cannot be, each event loads its own, and fails alone. */
  async #prefetch(
    folder: FactReducer,
    batch: readonly Given[],
    underWay: readonly PartialEvent[],
    changes: WriteBatch,
  ): Promise<readonly SetAside[]> {
    const events = batch.filter(
      (event): event is EventEnvelope =>
        !(event instanceof UnreadableEvent) && !this.#asides.holds(event.stream),
    );
    try {
      await folder.prefetch(events);
      const { inForce } = this.#catalogs;
      if (inForce === null) return [];
      const likely = folder.ownersOf(events);
      await this.#loader.users(likely, inForce.byDefault);
      return await this.#publishFirst(likely, underWay, changes);
    } catch (error) {
      if (isTransient(error)) throw error;
      return [];
    }
  }

  #publishes(event: Given): event is Extract<EventEnvelope, { type: 'PlanCatalogPublished' }> {
    return isPublication(event) && !this.#asides.holds(event.stream);
  }

  #isUnwritable(userId: string): boolean {
    return this.#asides.ownFault(userId)?.stage === 'write';
  }

  /** Users of a batch of whom something is written that could not be before; a heal in memory is not written yet. */
  #unwritableOf({ users, setAside }: WriteBatch): ReadonlySet<string> {
    const isHealed = (userId: string): boolean => setAside.users.get(userId)?.own === null;
    return new Set([...users.keys()].filter((userId) => this.#isUnwritable(userId) || isHealed(userId)));
  }

  /** Folds the event at `index` of a batch; returns who is to be judged. @throws EventFailedError */
  async #fold(event: EventEnvelope, index: number, folder: FactReducer): Promise<readonly string[]> {
    try {
      checkTexts([...idsOf(event), event.metadata.stripeEventId]);
      return await folder.fold(event);
    } catch (error) {
      if (isTransient(error)) throw error;
      throw new EventFailedError(index, { stage: 'fold', cause: error });
    }
  }

  /**
   * Puts a catalogue in force: every event that comes later is judged by it, and who was never heard of has its default
   * plan. Users who are known are judged in slices, the first of them at once where no other publication is under way.
   */
  async #publish(
    event: Extract<EventEnvelope, { type: 'PlanCatalogPublished' }>,
    from: ProjectionCursor,
    unwritable: FailedUsers,
  ): Promise<EntitlementsBatch> {
    const { position, id, type, stream, revision } = event;
    const now = Math.max(from.logicalTime, instantOf(event));
    const changes = new WriteBatch();
    this.#enact(event, now, changes);
    const underWay = [...from.partialProgress, { position, id, type, stream, revision, now, after: null }];
    const { partialProgress, newly } =
      from.partialProgress.length > 0
        ? { partialProgress: underWay, newly: [] }
        : await this.#publishSlice(underWay, unwritable, changes);
    await this.#asides.follow(this.#workingSet, this.#loader, changes.setAside);
    const apart = this.#unwritableOf(changes);
    return this.#batch({ changes, now, newly }, { applied: 1, partialProgress, from, apart }, 'all');
  }

  /** Judges by a catalogue from now on. @throws EventFailedError */
  #enact(
    event: Extract<EventEnvelope, { type: 'PlanCatalogPublished' }>,
    publishedAt: number,
    changes: WriteBatch,
  ): void {
    try {
      const { catalog, hash } = event.data;
      checkTexts(Object.entries(catalog.plans).flatMap(([name, { role }]) => [name, role]));
      const { byDefault } = this.#catalogs.publish(event.position, catalog);
      // Users who are in memory without a row of their own start from the default plan of before.
      this.#workingSet.clear();
      changes.catalog = {
        position: event.position,
        hash,
        catalog: canonicalJson(catalog),
        defaultSnapshot: JSON.stringify(byDefault),
        publishedAt,
      };
    } catch (error) {
      throw new EventFailedError(0, { stage: 'fold', cause: error });
    }
  }

  /** A catalogue that was set aside: everybody at once, because nothing says how far it came. */
  async #publishLate(
    event: Extract<EventEnvelope, { type: 'PlanCatalogPublished' }>,
    under: Under,
    changes: WriteBatch,
  ): Promise<{ readonly users: readonly string[]; readonly failed: FailedUsers }> {
    this.#enact(event, Date.parse(event.metadata.recordedAt), changes);
    const { pool, generation, sliceSize: size = DEFAULT_SLICE } = this.options;
    const all: string[] = [];
    const failed = new Map<string, unknown>();
    for (;;) {
      const asked = { generation, catalog: event.position, isFirst: false, after: all.at(-1) ?? null };
      const users = await usersToJudge(pool, asked, size);
      for (const [userId, cause] of await this.#judge(users, under, changes)) failed.set(userId, cause);
      all.push(...users);
      if (users.length < size) return { users: all, failed };
    }
  }

  /** Judges the next slice of users by the publications that are under way; returns what is under way then. */
  async #publishSlice(
    underWay: readonly PartialEvent[],
    unwritable: FailedUsers,
    changes: WriteBatch,
  ): Promise<{ readonly partialProgress: readonly PartialEvent[]; readonly newly: readonly SetAside[] }> {
    const [first, ...rest] = underWay;
    if (first === undefined) throw new Error('no publication is under way');
    const { generation, pool, sliceSize: size = DEFAULT_SLICE } = this.options;
    const isFirst = await this.#catalogs.isFirst(first.position);
    const asked = { generation, catalog: first.position, isFirst, after: first.after };
    const users = await usersToJudge(pool, asked, size);
    const judged = users.filter((userId) => !unwritable.has(userId));
    const under = { event: first, now: first.now, lateAt: null, partialProgress: [] };
    const blamed = new Map([...unwritable].filter(([userId]) => users.includes(userId)));
    const newly = [
      ...this.#faults.blame(blamed, under, 'write', changes),
      ...(await this.#judgePublished(judged, underWay, changes)),
    ];
    const last = users.at(-1);
    const isWhole = last === undefined || users.length < size;
    return { partialProgress: isWhole ? rest : [{ ...first, after: last }, ...rest], newly };
  }

  /**
   * Judges users by the publications that are under way and have not judged them, before an event does: each as it would
   * have at its place in the log. Users that are not loaded yet are loaded.
   */
  async #publishFirst(
    users: readonly string[],
    underWay: readonly PartialEvent[],
    changes: WriteBatch,
  ): Promise<readonly SetAside[]> {
    const last = underWay.at(-1);
    const { inForce } = this.#catalogs;
    if (last === undefined || inForce === null) return [];
    const lost = await this.#loadUsers(users, this.#loader, inForce.byDefault);
    const unjudged = users.filter((userId) => {
      const catalog = this.#workingSet.users.get(userId)?.catalog ?? null;
      return !lost.has(userId) && comparePositions(catalog, last.position) < 0;
    });
    return unjudged.length > 0 ? this.#judgePublished(unjudged, underWay, changes) : [];
  }

  /**
   * What no event since a publication has touched is in the database as it was at the publication; so it is judged from
   * there, in memory of its own that nothing is kept of. Who cannot be judged is marked, and counts as judged.
   */
  async #judgePublished(
    users: readonly string[],
    underWay: readonly PartialEvent[],
    changes: WriteBatch,
  ): Promise<readonly SetAside[]> {
    const [first] = underWay;
    if (first === undefined) return [];
    const { byDefault } = await this.#catalogs.at(first.position);
    const { pool, generation } = this.options;
    const workingSet = new WorkingSet();
    const newly: SetAside[] = [];
    const judged = this.#judgedOf(users);
    const lost = await this.#loadUsers(judged, new FactsLoader(pool, generation, workingSet), byDefault);
    for (const userId of judged) {
      if (lost.has(userId)) continue; // the first event of this user says so
      const found = workingSet.users.get(userId);
      // Who has neither a row nor a subscription was not known when the catalogue was published.
      if (found?.catalog === null && workingSet.subscriptionsOfUser(userId).length === 0) continue;
      for (const publication of underWay) {
        const { position, id, type, now } = publication;
        const before = workingSet.users.get(userId);
        if (before === undefined || comparePositions(before.catalog, position) >= 0) continue;
        const under = { eventId: id, eventType: type, position, catalog: position, now, lateAt: null };
        const found = await this.#moved(userId, workingSet, await this.#catalogs.at(position), under);
        const moved = 'cause' in found ? passTime(before, now) : found.moved;
        const row = { ...moved.row, catalog: position };
        workingSet.users.set(userId, row);
        changes.moveUser(before, row, moved.history);
        if (this.#workingSet.users.has(userId)) this.#workingSet.users.set(userId, row);
        if (!('cause' in found)) this.#asides.heal(userId, changes.setAside);
        else if (this.#asides.ownFault(userId) === null) {
          const failed = new Map([[userId, found.cause]]);
          const by = { event: publication, now, lateAt: null, partialProgress: [] };
          newly.push(...this.#faults.mark(failed, by, 'judge', changes));
        }
      }
    }
    return newly;
  }

  #batch(
    { changes, now, newly }: FoldedAround,
    { applied, partialProgress, from, apart }: Progress,
    changed: ProjectedBatch['changed'],
  ): EntitlementsBatch {
    const { generation, now: served = null } = this.options;
    const byDefault = this.#catalogs.inForce?.byDefault ?? null;
    return {
      applied,
      partialProgress,
      logicalTime: now,
      changed,
      setAside: this.#summary(from, applied, newly),
      newlySetAside: newly,
      users: changes.users,
      byDefault,
      write: async (client) => {
        const failed = await changes.write(client, generation, served, apart);
        if (failed.size > 0) this.forget(); // what is in memory of them is not what is written
      },
      findUnwritable: (client) => changes.findUnwritable(client, generation, served),
    };
  }

  /** @throws FaultLimitError */
  #summary(from: ProjectionCursor, applied: number, newly: readonly SetAside[]): SetAsideSummary {
    const counts = this.#asides.counts;
    const last = newly.at(-1);
    if (last === undefined) return { ...from.setAside, ...counts };
    const limit = this.options.faultLimit ?? DEFAULT_FAULT_LIMIT;
    const at = from.events + Math.max(1, applied);
    const recent = [...recentlySetAside(from.setAside, this.codeVersion, at), ...newly.map(() => at)];
    if (recent.length > limit) throw new FaultLimitError(limit, last.message);
    return { ...counts, code: this.codeVersion, recent };
  }

  /**
   * Judges users, and answers who cannot be judged and could before: of them nothing is changed. Who could not before, and
   * still cannot, moves on by time alone. Facts that come before any catalogue are judged when the first one is published.
   */
  async #judge(users: readonly string[], under: Under, changes: WriteBatch): Promise<FailedUsers> {
    const failed = new Map<string, unknown>();
    const { inForce } = this.#catalogs;
    if (inForce === null || users.length === 0) return failed;
    const judged = this.#judgedOf(users);
    const lost = await this.#loadUsers(judged, this.#loader, inForce.byDefault);
    const { event, now, lateAt } = under;
    const by = { eventId: event.id, eventType: event.type, position: event.position, now, lateAt };
    for (const userId of judged) {
      const found = lost.has(userId)
        ? { cause: lost.get(userId) }
        : await this.#moved(userId, this.#workingSet, inForce, { ...by, catalog: inForce.position });
      if ('cause' in found) {
        if (this.#asides.ownFault(userId) === null) failed.set(userId, found.cause);
        else if (!lost.has(userId)) this.#stay([userId], now, changes);
        continue;
      }
      const { row, moved } = found;
      this.#asides.heal(userId, changes.setAside);
      // A deadline that came late found its change written: no row is touched, and none is made for a stranger.
      if (event.type === 'AccessDeadlineReached' && isUnmoved(row, moved)) continue;
      this.#workingSet.users.set(userId, moved.row);
      changes.moveUser(row, moved.row, moved.history);
    }
    return failed;
  }

  /** Brings users into memory; answers who cannot be, with why. */
  async #loadUsers(
    users: readonly string[],
    loader: FactsLoader,
    byDefault: Entitlement,
  ): Promise<FailedUsers> {
    const lost = new Map<string, unknown>();
    try {
      await loader.users(users, byDefault);
    } catch (error) {
      if (isTransient(error)) throw error;
      for (const userId of users) {
        await loader.users([userId], byDefault).catch((cause: unknown) => {
          if (isTransient(cause)) throw cause;
          lost.set(userId, cause);
        });
      }
    }
    return lost;
  }

  /** The row of a user, and how it moves on; or why that cannot be said, or written. */
  async #moved(
    userId: string,
    workingSet: WorkingSet,
    { catalog }: PublishedCatalog,
    under: JudgedUnder,
  ): Promise<
    { readonly row: UserRow; readonly moved: ReturnType<typeof advance> } | { readonly cause: unknown }
  > {
    await this.#loopShare.yieldIfDue();
    const row = workingSet.users.get(userId);
    if (row === undefined) throw new Error('a user was loaded and is not there');
    try {
      const facts = workingSet.factsOfUser(userId);
      const moved = advance(row, this.#rules.judge(facts, catalog, under.now), under);
      checkUser(moved.row, moved.history);
      return { row, moved };
    } catch (cause) {
      return { cause };
    }
  }

  /** Whether each of these users cannot be judged by what is folded now. */
  async #allFail(users: Iterable<string>, { event, now, lateAt }: Under): Promise<boolean> {
    const { inForce } = this.#catalogs;
    if (inForce === null) return true;
    const all = [...users];
    const lost = await this.#loadUsers(all, this.#loader, inForce.byDefault);
    const by = { eventId: event.id, eventType: event.type, position: event.position, now, lateAt };
    for (const userId of all) {
      if (lost.has(userId)) continue;
      const found = await this.#moved(userId, this.#workingSet, inForce, {
        ...by,
        catalog: inForce.position,
      });
      if (!('cause' in found)) return false;
    }
    return true;
  }

  /** Users who cannot be judged keep what they have: of that, time alone changes what it was said to. */
  #stay(users: Iterable<string>, now: number, changes: WriteBatch): void {
    for (const userId of users) {
      const row = this.#workingSet.users.get(userId);
      if (row === undefined) continue;
      const timed = passTime(row, now);
      if (timed.row === row) continue;
      this.#workingSet.users.set(userId, timed.row);
      changes.moveUser(row, timed.row, timed.history);
    }
  }

  #judgedOf(users: readonly string[]): readonly string[] {
    const only = this.options.judgedUsers;
    return only === undefined ? users : users.filter((userId) => only.has(userId));
  }
}

/** How far a batch came, from where; `apart` are users whose rows are written each by itself. */
interface Progress {
  readonly applied: number;
  readonly partialProgress: readonly PartialEvent[];
  readonly from: ProjectionCursor;
  readonly apart: ReadonlySet<string>;
}

const NOBODY: ReadonlySet<string> = new Set();
const NOBODY_FAILED: FailedUsers = new Map();

function changedUsers({ users, setAside }: WriteBatch): readonly string[] {
  return [...new Set([...users.keys(), ...setAside.users.keys()])];
}

/** Ids that become columns. */
function idsOf({ type, data }: EventEnvelope): readonly (string | null)[] {
  if (type === 'PlanCatalogPublished' || type === 'EventSkipped') return [];
  return [
    'subscription' in data ? data.subscription : null,
    'customer' in data ? data.customer : null,
    'session' in data ? data.session : null,
  ];
}

/** The time an event brings (Unix ms): when it was recorded; of a deadline its instant (DESIGN 8, "Time"). */
function instantOf(event: EventEnvelope): number {
  return Date.parse(event.type === 'AccessDeadlineReached' ? event.data.at : event.metadata.recordedAt);
}

function isUnmoved(before: UserRow, { row, history }: ReturnType<typeof advance>): boolean {
  const isSame = (part: 'successors' | 'adoptedPrices'): boolean =>
    JSON.stringify(before[part]) === JSON.stringify(row[part]);
  return history.length === 0 && isSame('successors') && isSame('adoptedPrices');
}
