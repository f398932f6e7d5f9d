import { comparePositions } from '../../event-store/event-store.js';
import { canonicalJson } from '../../events/canonical-json.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { Entitlement } from '../../policy/entitlement.js';
import type { ProjectedBatch, ProjectionCursor, Projector } from '../engine/projector.js';
import { Turns } from '../engine/turns.js';
import type { UnderWay } from '../engine/under-way.js';
import { Catalogs, type PublishedCatalog } from './catalogs.js';
import { FactFolder } from './fact-folder.js';
import { FactsInMemory } from './facts-in-memory.js';
import { FactsLoader, type Queries } from './facts-loader.js';
import { type FoldingRules, RUNNING_RULES } from './folding-rules.js';
import { usersToJudge } from './known-users.js';
import { RowChanges } from './row-changes.js';
import { type JudgedUnder, moveOn, type UserRow } from './user-row.js';

export interface EntitlementsProjectorOptions {
  readonly pool: Queries;
  readonly generation: number;
  /** Left out: the rules of this code. */
  readonly rules?: FoldingRules;
  /** Left out: everyone. Facts are folded whole in any case, so what is judged is judged rightly. */
  readonly judgedUsers?: ReadonlySet<string>;
  /** Users judged anew in one transaction when a catalogue is published; between two such, other events are folded. */
  readonly sliceSize?: number;
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

/**
 * Folds the log into the read models of DESIGN 9: facts by subscription, customer and checkout, whose they are, what
 * each user may do, and every version and snapshot that ever held. Pure with respect to the log: its clock is the
 * events' `recordedAt`, and every event is judged on its own, whatever the batch size.
 */
export class EntitlementsProjector implements Projector<RecordedEvent> {
  readonly name = ENTITLEMENTS;
  readonly #rules: FoldingRules;
  readonly #turns = new Turns();
  readonly #facts = new FactsInMemory();
  readonly #loader: FactsLoader;
  readonly #catalogs: Catalogs;

  constructor(private readonly options: EntitlementsProjectorOptions) {
    this.#loader = new FactsLoader(options.pool, options.generation, this.#facts);
    this.#rules = options.rules ?? RUNNING_RULES;
    this.#catalogs = new Catalogs(options.pool, options.generation, this.#rules);
  }

  get codeVersion(): string {
    return this.#rules.codeVersion;
  }

  forget(): void {
    this.#facts.clear();
    this.#catalogs.forget();
  }

  async project(events: readonly RecordedEvent[], from: ProjectionCursor): Promise<EntitlementsBatch> {
    this.#facts.keepWithin(this.options.bytesInMemory ?? DEFAULT_BYTES);
    await this.#catalogs.load();
    this.#catalogs.keep(from.within.map(({ position }) => position));
    const [first] = events;
    if (first?.type === 'PlanCatalogPublished') return this.#publish(first, from);

    const end = events.findIndex((event) => event.type === 'PlanCatalogPublished');
    const batch = end < 0 ? events : events.slice(0, end);
    const changes = new RowChanges();
    const folder = new FactFolder(this.#facts, this.#loader, changes);
    await folder.prefetch(batch);
    const { inForce } = this.#catalogs;
    if (inForce !== null) {
      const likely = folder.ownersOf(batch);
      await this.#loader.users(likely, inForce.byDefault);
      await this.#publishFirst(likely, from.within, changes);
    }
    let now = from.now;
    for (const event of batch) {
      now = Math.max(now, instantOf(event));
      const affected = await folder.fold(event);
      await this.#judge(affected, event, now, from.within, changes);
    }
    const progress = { applied: batch.length, within: from.within, now };
    return this.#batch(changes, progress, [...changes.users.keys()]);
  }

  async goOn(from: ProjectionCursor): Promise<EntitlementsBatch> {
    await this.#catalogs.load();
    const changes = new RowChanges();
    const within = await this.#publishSlice(from.within, changes);
    return this.#batch(changes, { applied: 0, within, now: from.now }, [...changes.users.keys()]);
  }

  /**
   * Puts a catalogue in force: every event that comes later is judged by it, and who was never heard of has its default
   * plan. Users who are known are judged in slices, the first of them at once where no other publication is under way.
   */
  async #publish(
    event: Extract<RecordedEvent, { type: 'PlanCatalogPublished' }>,
    from: ProjectionCursor,
  ): Promise<EntitlementsBatch> {
    const { catalog, hash } = event.data;
    const { position, id, type, stream, revision } = event;
    const now = Math.max(from.now, instantOf(event));
    const { byDefault } = this.#catalogs.publish(position, catalog);
    const changes = new RowChanges();
    // Users who are in memory without a row of their own start from the default plan of before.
    this.#facts.clear();
    changes.catalog = {
      position,
      hash,
      catalog: canonicalJson(catalog),
      defaultSnapshot: JSON.stringify(byDefault),
      publishedAt: now,
    };
    const underWay = [...from.within, { position, id, type, stream, revision, now, after: null }];
    const within = from.within.length > 0 ? underWay : await this.#publishSlice(underWay, changes);
    return this.#batch(changes, { applied: 1, within, now }, 'all');
  }

  /** Judges the next slice of users by the publications that are under way; returns what is under way then. */
  async #publishSlice(underWay: readonly UnderWay[], changes: RowChanges): Promise<readonly UnderWay[]> {
    const [first, ...rest] = underWay;
    if (first === undefined) throw new Error('no publication is under way');
    const { generation, pool, sliceSize: size = DEFAULT_SLICE } = this.options;
    const isFirst = await this.#catalogs.isFirst(first.position);
    const asked = { generation, catalog: first.position, isFirst, after: first.after };
    const users = await usersToJudge(pool, asked, size);
    await this.#judgePublished(users, underWay, changes);
    const last = users.at(-1);
    return last === undefined || users.length < size ? rest : [{ ...first, after: last }, ...rest];
  }

  /**
   * Judges users by the publications that are under way and have not judged them, before an event does: each as it would
   * have at its place in the log. Users that are not loaded yet are loaded.
   */
  async #publishFirst(
    users: readonly string[],
    underWay: readonly UnderWay[],
    changes: RowChanges,
  ): Promise<void> {
    const last = underWay.at(-1);
    const { inForce } = this.#catalogs;
    if (last === undefined || inForce === null) return;
    await this.#loader.users(users, inForce.byDefault);
    const unjudged = users.filter((userId) => {
      const catalog = this.#facts.users.get(userId)?.catalog ?? null;
      return comparePositions(catalog, last.position) < 0;
    });
    if (unjudged.length > 0) await this.#judgePublished(unjudged, underWay, changes);
  }

  /**
   * What no event since a publication has touched is in the database as it was at the publication; so it is judged from
   * there, in memory of its own that nothing is kept of.
   */
  async #judgePublished(
    users: readonly string[],
    underWay: readonly UnderWay[],
    changes: RowChanges,
  ): Promise<void> {
    const [first] = underWay;
    if (first === undefined) return;
    const { byDefault } = await this.#catalogs.at(first.position);
    const { pool, generation } = this.options;
    const facts = new FactsInMemory();
    const judged = this.#judgedOf(users);
    await new FactsLoader(pool, generation, facts).users(judged, byDefault);
    for (const userId of judged) {
      const found = facts.users.get(userId);
      // Who has neither a row nor a subscription was not known when the catalogue was published.
      if (found?.catalog === null && facts.subscriptionsOfUser(userId).length === 0) continue;
      for (const { position, id, type, now } of underWay) {
        const catalog = facts.users.get(userId)?.catalog ?? null;
        if (comparePositions(catalog, position) >= 0) continue;
        const under = { eventId: id, eventType: type, position, catalog: position, now };
        const { row, moved } = await this.#moved(userId, facts, await this.#catalogs.at(position), under);
        facts.users.set(userId, moved.row);
        changes.moveUser(row, moved.row, moved.history);
        if (this.#facts.users.has(userId)) this.#facts.users.set(userId, moved.row);
      }
    }
  }

  #batch(
    changes: RowChanges,
    progress: Pick<ProjectedBatch, 'applied' | 'within' | 'now'>,
    changed: ProjectedBatch['changed'],
  ): EntitlementsBatch {
    const { generation, now } = this.options;
    const byDefault = this.#catalogs.inForce?.byDefault ?? null;
    return {
      ...progress,
      changed,
      users: changes.users,
      byDefault,
      write: (client) => changes.write(client, generation, now ?? null),
    };
  }

  /** Facts that come before any catalogue are folded and judged when the first one is published. */
  async #judge(
    users: readonly string[],
    event: RecordedEvent,
    now: number,
    underWay: readonly UnderWay[],
    changes: RowChanges,
  ): Promise<void> {
    const { inForce } = this.#catalogs;
    if (inForce === null || users.length === 0) return;
    const judged = this.#judgedOf(users);
    await this.#loader.users(judged, inForce.byDefault);
    await this.#publishFirst(judged, underWay, changes);
    const { id: eventId, type: eventType, position } = event;
    const under = { eventId, eventType, position, catalog: inForce.position, now };
    for (const userId of judged) {
      const { row, moved } = await this.#moved(userId, this.#facts, inForce, under);
      // A deadline that came late found its change written: no row is touched, and none is made for a stranger.
      if (event.type === 'AccessDeadlineReached' && isUnmoved(row, moved)) continue;
      this.#facts.users.set(userId, moved.row);
      changes.moveUser(row, moved.row, moved.history);
    }
  }

  /** The row of a user, and how it moves on. */
  async #moved(
    userId: string,
    facts: FactsInMemory,
    { catalog }: PublishedCatalog,
    under: JudgedUnder,
  ): Promise<{ readonly row: UserRow; readonly moved: ReturnType<typeof moveOn> }> {
    await this.#turns.give();
    const row = facts.users.get(userId);
    if (row === undefined) throw new Error('a user was loaded and is not there');
    const subscriptions = facts.subscriptionsOfUser(userId).map((subscription) => ({
      ...subscription,
      checkouts: facts.checkoutsOfSubscription(subscription.subscription),
    }));
    return { row, moved: moveOn(row, this.#rules.judge({ subscriptions }, catalog, under.now), under) };
  }

  #judgedOf(users: readonly string[]): readonly string[] {
    const only = this.options.judgedUsers;
    return only === undefined ? users : users.filter((userId) => only.has(userId));
  }
}

/** The time an event brings (Unix ms): when it was recorded; of a deadline its instant (DESIGN 8, "Time"). */
function instantOf(event: RecordedEvent): number {
  return Date.parse(event.type === 'AccessDeadlineReached' ? event.data.at : event.metadata.recordedAt);
}

function isUnmoved(before: UserRow, { row, history }: ReturnType<typeof moveOn>): boolean {
  return history.length === 0 && JSON.stringify(before.successors) === JSON.stringify(row.successors);
}
