import { z } from 'zod';
import { canonicalJson } from '../../events/canonical-json.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import { type PlanCatalog, planCatalogSchema } from '../../plans/plan-catalog.js';
import type { Entitlement } from '../../policy/entitlement.js';
import type { ProjectedBatch, ProjectionCursor, Projector } from '../engine/projector.js';
import { Turns } from '../engine/turns.js';
import { FactFolder } from './fact-folder.js';
import { FactsInMemory } from './facts-in-memory.js';
import { FactsLoader, type Queries } from './facts-loader.js';
import { type FoldingRules, RUNNING_RULES } from './folding-rules.js';
import { RowChanges } from './row-changes.js';
import { moveOn, type UserRow } from './user-row.js';

export interface EntitlementsProjectorOptions {
  readonly pool: Queries;
  readonly generation: number;
  /** Left out: the rules of this code. */
  readonly rules?: FoldingRules;
  /** Left out: everyone. Facts are folded whole in any case, so what is judged is judged rightly. */
  readonly judgedUsers?: ReadonlySet<string>;
  /** Users judged anew in one transaction when a catalogue is published. */
  readonly sliceSize?: number;
  /** Rows kept in memory; beyond it all are dropped and loaded again as needed. */
  readonly maxRowsInMemory?: number;
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
const DEFAULT_ROWS = 100_000;

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
  #catalog: { readonly catalog: PlanCatalog; readonly byDefault: Entitlement } | null = null;

  constructor(private readonly options: EntitlementsProjectorOptions) {
    this.#loader = new FactsLoader(options.pool, options.generation, this.#facts);
    this.#rules = options.rules ?? RUNNING_RULES;
  }

  get codeVersion(): string {
    return this.#rules.codeVersion;
  }

  forget(): void {
    this.#facts.clear();
    this.#catalog = null;
  }

  async project(events: readonly RecordedEvent[], from: ProjectionCursor): Promise<EntitlementsBatch> {
    if (this.#facts.size > (this.options.maxRowsInMemory ?? DEFAULT_ROWS)) this.#facts.clear();
    this.#catalog ??= await this.#loadCatalog();
    const [first] = events;
    if (first?.type === 'PlanCatalogPublished') return this.#publish(first, from);

    const end = events.findIndex((event) => event.type === 'PlanCatalogPublished');
    const batch = end < 0 ? events : events.slice(0, end);
    const changes = new RowChanges();
    const folder = new FactFolder(this.#facts, this.#loader, changes);
    await folder.prefetch(batch);
    if (this.#catalog !== null) await this.#loader.users(folder.ownersOf(batch), this.#catalog.byDefault);
    let now = from.now;
    for (const event of batch) {
      now = Math.max(now, instantOf(event));
      const affected = await folder.fold(event);
      await this.#judge(affected, event, now, changes);
    }
    return this.#batch(changes, { applied: batch.length, within: null, now }, [...changes.users.keys()]);
  }

  /** Judges existing users by a new catalogue, a slice at a time; `within` is the last user judged. */
  async #publish(
    event: Extract<RecordedEvent, { type: 'PlanCatalogPublished' }>,
    from: ProjectionCursor,
  ): Promise<EntitlementsBatch> {
    const { catalog, hash } = event.data;
    const now = Math.max(from.now, Date.parse(event.metadata.recordedAt));
    const byDefault = this.#rules.judge({ subscriptions: [] }, catalog, now).entitlement;
    this.#catalog = { catalog, byDefault };
    const changes = new RowChanges();
    if (from.within === null) {
      // Users who are in memory without a row of their own start from the default plan of before.
      this.#facts.clear();
      changes.catalog = {
        position: event.position,
        hash,
        catalog: canonicalJson(catalog),
        defaultSnapshot: JSON.stringify(byDefault),
        publishedAt: now,
      };
    }
    const size = this.options.sliceSize ?? DEFAULT_SLICE;
    const users = await this.#usersAfter(from.within, size);
    await this.#judge(users, event, now, changes);
    const last = users.at(-1);
    const isWhole = last === undefined || users.length < size;
    const progress = isWhole ? { applied: 1, within: null, now } : { applied: 0, within: last, now };
    return this.#batch(changes, progress, 'all');
  }

  #batch(
    changes: RowChanges,
    progress: Pick<ProjectedBatch, 'applied' | 'within' | 'now'>,
    changed: ProjectedBatch['changed'],
  ): EntitlementsBatch {
    const { generation, now } = this.options;
    const byDefault = this.#catalog?.byDefault ?? null;
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
    changes: RowChanges,
  ): Promise<void> {
    if (this.#catalog === null || users.length === 0) return;
    const { catalog, byDefault } = this.#catalog;
    const only = this.options.judgedUsers;
    const judged = only === undefined ? users : users.filter((userId) => only.has(userId));
    await this.#loader.users(judged, byDefault);
    for (const userId of judged) {
      await this.#turns.give();
      const row = this.#facts.users.get(userId);
      if (row === undefined) throw new Error('a user was loaded and is not there');
      const subscriptions = this.#facts.subscriptionsOfUser(userId).map((subscription) => ({
        ...subscription,
        checkouts: this.#facts.checkoutsOfSubscription(subscription.subscription),
      }));
      const judgement = this.#rules.judge({ subscriptions }, catalog, now);
      const under = { eventId: event.id, eventType: event.type, position: event.position, now };
      const moved = moveOn(row, judgement, under);
      // A deadline that came late found its change written: no row is touched, and none is made for a stranger.
      if (event.type === 'AccessDeadlineReached' && isUnmoved(row, moved)) continue;
      this.#facts.users.set(userId, moved.row);
      changes.moveUser(row, moved.row, moved.history);
    }
  }

  async #usersAfter(after: string | null, limit: number): Promise<readonly string[]> {
    const found = await this.options.pool.query(
      `select user_id from (
         (select user_id from tenure.user_role where generation = $1 and ($2::text is null or user_id > $2)
          order by user_id limit $3)
         union
         (select distinct owner from tenure.subscription where generation = $1 and ($2::text is null or owner > $2)
            and owner is not null order by owner limit $3)
       ) as known order by user_id limit $3`,
      [this.options.generation, after, limit],
    );
    return z
      .array(z.object({ user_id: z.string() }))
      .parse(found.rows)
      .map((row) => row.user_id);
  }

  async #loadCatalog(): Promise<{ catalog: PlanCatalog; byDefault: Entitlement } | null> {
    const found = await this.options.pool.query(
      'select catalog from tenure.plan_catalog where generation = $1 order by position desc limit 1',
      [this.options.generation],
    );
    const [row] = z.array(z.object({ catalog: z.string() })).parse(found.rows);
    if (row === undefined) return null;
    const catalog = planCatalogSchema.parse(JSON.parse(row.catalog));
    // The default plan does not depend on time: nothing of it ends.
    return { catalog, byDefault: this.#rules.judge({ subscriptions: [] }, catalog, 0).entitlement };
  }
}

/** The time an event brings (Unix ms): when it was recorded; of a deadline its instant (DESIGN 8, "Time"). */
function instantOf(event: RecordedEvent): number {
  return Date.parse(event.type === 'AccessDeadlineReached' ? event.data.at : event.metadata.recordedAt);
}

function isUnmoved(before: UserRow, { row, history }: ReturnType<typeof moveOn>): boolean {
  return history.length === 0 && JSON.stringify(before.successors) === JSON.stringify(row.successors);
}
