import type { EventEnvelope } from '../../events/event-envelope.js';
import { timeOf } from '../../events/two-clocks.js';
import type { ProjectionSource } from '../engine/projection-source.js';
import {
  EventFailedError,
  type ProjectionCursor,
  type Projector,
  type RetryLimits,
  type Unwritable,
} from '../engine/projector.js';
import { UnreadableEvent } from '../engine/unreadable-event.js';
import { CatalogPublication, type Publication } from './catalog-publication.js';
import { Catalogs } from './catalogs.js';
import { BatchMaker, changedUsers, type EntitlementsBatch } from './entitlements-batch.js';
import { EventFolding } from './event-folding.js';
import { FactsLoader } from './facts-loader.js';
import { whereOf } from './failed-event.js';
import {
  type FailedUsers,
  FaultReducer,
  type FoldingSteps,
  type Given,
  isPublication,
  judgeFailure,
} from './fault-reducer.js';
import { type FoldingRules, RUNNING_RULES } from './folding-rules.js';
import { LogicalTimes } from './logical-times.js';
import { DEFAULTS, type EntitlementsProjectorOptions } from './projector-options.js';
import { RepeatedSights } from './repeated-sights.js';
import { SetAsides } from './set-aside.js';
import { SetAsideRetry } from './set-aside-retry.js';
import { isUnwritable, unwritableOf } from './unwritable-users.js';
import { UserJudge } from './user-judge.js';
import { WorkingSet } from './working-set.js';
import { WriteBatch } from './write-batch.js';

/** Name of the projection in checkpoints and locks. */
export const ENTITLEMENTS = 'entitlements';

/**
 * Folds the log into the read models of DESIGN 9: facts by subscription, customer and checkout, whose they are, what
 * each user may do, and every version and snapshot that was ever in force. Pure with respect to the log: its clock is the
 * events' `recordedAt`, and every event is judged on its own, whatever the batch size.
 */
export class EntitlementsProjector implements Projector<EventEnvelope> {
  readonly name = ENTITLEMENTS;
  readonly #rules: FoldingRules;
  readonly #timeAt: (event: EventEnvelope) => number;
  readonly #workingSet = new WorkingSet();
  readonly #loader: FactsLoader;
  readonly #catalogs: Catalogs;
  readonly #asides = new SetAsides();
  readonly #times: LogicalTimes;
  readonly #folding: EventFolding;
  readonly #batches: BatchMaker;
  readonly #judge: UserJudge;
  readonly #repeated: RepeatedSights;
  readonly #publication: CatalogPublication;
  readonly #faults: FaultReducer;
  readonly #retry: SetAsideRetry;

  constructor(private readonly options: EntitlementsProjectorOptions) {
    this.#loader = new FactsLoader(options.pool, options.generation, this.#workingSet);
    this.#rules = options.rules ?? RUNNING_RULES;
    this.#timeAt = options.timeAt ?? timeOf;
    this.#times = new LogicalTimes(options.keepsTimes);
    this.#catalogs = new Catalogs(options.pool, options.generation, this.#rules);
    const shared = {
      workingSet: this.#workingSet,
      loader: this.#loader,
      catalogs: this.#catalogs,
      asides: this.#asides,
    };
    this.#folding = new EventFolding({ ...shared, judgedUsers: options.judgedUsers });
    const { now: served = null, faultLimit = DEFAULTS.faultLimit } = options;
    this.#batches = new BatchMaker({
      ...shared,
      generation: options.generation,
      codeVersion: this.codeVersion,
      faultLimit,
      served,
      forget: () => this.forget(),
    });
    this.#judge = new UserJudge({ ...shared, rules: this.#rules, judgedUsers: options.judgedUsers });
    this.#repeated = new RepeatedSights({ ...shared, rules: this.#rules, judge: this.#judge });
    const steps: FoldingSteps = {
      codeVersion: this.codeVersion,
      asides: this.#asides,
      instantOf: this.#timeAt,
      fold: (event, index, changes) => this.#folding.fold(event, index, this.#folding.reducer(changes)),
      judge: async (users, under, changes) => {
        await this.#publication.publishFirst(users, under.partialProgress, changes);
        return this.#judge.judge(users, under, changes);
      },
      allFail: (users, under) => this.#judge.allFail(users, under),
      stay: (users, now, changes) => this.#judge.stay(users, now, changes),
      publishLate: (event, under, changes) => this.#publication.publishLate(event, under, changes),
      follow: (now, changes) => this.#asides.follow(this.#workingSet, this.#loader, now, changes.setAside),
      anew: async () => {
        this.forget();
        await this.#load();
      },
    };
    this.#faults = new FaultReducer(steps);
    this.#retry = new SetAsideRetry(steps, this.#faults);
    const { pool, generation, sliceSize = DEFAULTS.sliceSize } = options;
    const parts = { ...shared, pool, generation, sliceSize, judge: this.#judge, faults: this.#faults };
    this.#publication = new CatalogPublication(parts);
  }

  get #bytesInMemory(): number {
    return this.options.bytesInMemory ?? DEFAULTS.bytesInMemory;
  }

  get codeVersion(): string {
    return this.#rules.codeVersion;
  }

  forget(): void {
    this.#workingSet.clear();
    this.#asides.clear();
    this.#catalogs.forget();
    this.#times.forget();
  }

  project(events: readonly Given[], from: ProjectionCursor): Promise<EntitlementsBatch> {
    const limit = this.#bytesInMemory;
    // Dropped in one go, so that not every batch has to wait until the one before it is written.
    if (this.#isOver(limit)) this.#workingSet.keepWithin(limit * KEPT_OF_FULL);
    return this.#project(events, from);
  }

  async projectAhead(events: readonly Given[], from: ProjectionCursor): Promise<EntitlementsBatch | null> {
    const [first] = events;
    // Users who are known are read of the database, and what is not written yet may not be dropped from memory.
    if (first !== undefined && this.#publishes(first)) return null;
    return this.#isOver(this.#bytesInMemory) ? null : this.#project(events, from);
  }

  /** Whether more is kept than that many bytes; where nothing is too much nothing is weighed. */
  #isOver(limit: number): boolean {
    return limit !== Number.POSITIVE_INFINITY && this.#workingSet.weigh() > limit;
  }

  async #project(events: readonly Given[], from: ProjectionCursor): Promise<EntitlementsBatch> {
    await this.#load();
    this.#catalogs.keep(from.partialProgress.map(({ position }) => position));
    const [first] = events;
    if (first !== undefined && this.#publishes(first)) return this.#publish(first, from, NOBODY_FAILED);

    const end = events.findIndex((event) => this.#publishes(event));
    const batch = end < 0 ? events : events.slice(0, end);
    const changes = new WriteBatch();
    const reducer = this.#folding.reducer(changes);
    const { partialProgress: underWay } = from;
    const newly = [...(await this.#folding.prefetch(reducer, batch, underWay, this.#publication, changes))];
    const apart = new Set<string>();
    let [now, applied] = [from.logicalTime, 0];
    for (const event of batch) {
      let brought: number | null = null;
      if (this.#asides.holds(event.stream)) this.#asides.wait(event, changes.setAside);
      else {
        if (event instanceof UnreadableEvent) {
          throw new EventFailedError(applied, { stage: 'read', cause: event.cause });
        }
        brought = this.#timeAt(event);
        now = Math.max(now, brought);
        const sight = underWay.length > 0 ? null : this.#repeated.before(event);
        const affected = await this.#folding.fold(event, applied, reducer);
        const stand = sight !== null && this.#repeated.standAsJudged(sight, affected, now);
        for (const userId of affected) if (isUnwritable(this.#asides, userId)) apart.add(userId);
        if (underWay.length > 0) {
          newly.push(...(await this.#publication.publishFirst(affected, underWay, changes)));
        }
        const under = { event, now, lateAt: null, partialProgress: underWay };
        const failed = stand ? NOBODY_FAILED : await this.#judge.judge(affected, under, changes);
        if (failed.size > 0) throw new EventFailedError(applied, judgeFailure(failed));
      }
      if (!this.#asides.isEmpty) {
        await this.#asides.follow(this.#workingSet, this.#loader, now, changes.setAside);
      }
      const { position } = whereOf(event);
      this.#times.note({ position, now, index: from.events + applied, brought }, changes.twoClocks.times);
      applied += 1;
      // Who could not be written is written after every event: a row that fails must not hide behind one that does not.
      if (apart.size > 0) break;
    }
    const around = { changes, now, newly };
    return this.#batches.batch(
      around,
      { applied, partialProgress: from.partialProgress, from, apart },
      changedUsers(changes),
    );
  }

  async writePart(from: ProjectionCursor, unwritable: Unwritable | null): Promise<EntitlementsBatch> {
    await this.#load();
    const changes = new WriteBatch();
    const { partialProgress, newly } = await this.#publication.publishSlice(
      from.partialProgress,
      unwritable?.users ?? NOBODY_FAILED,
      changes,
    );
    await this.#asides.follow(this.#workingSet, this.#loader, from.logicalTime, changes.setAside);
    const apart = unwritableOf(this.#asides, changes);
    const around = { changes, now: from.logicalTime, newly };
    return this.#batches.batch(around, { applied: 0, partialProgress, from, apart }, changedUsers(changes));
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
    const { position } = whereOf(event);
    const brought = event instanceof UnreadableEvent ? null : this.#timeAt(event);
    this.#times.note(
      { position, now: around.now, index: from.events, brought },
      around.changes.twoClocks.times,
    );
    const at = { applied: 1, partialProgress: from.partialProgress, from, apart: NOBODY };
    return this.#batches.batch(around, at, changedUsers(around.changes));
  }

  async retrySetAside(
    source: ProjectionSource,
    from: ProjectionCursor,
    limits: RetryLimits,
  ): Promise<EntitlementsBatch | null> {
    await this.#load();
    const around = await this.#retry.retry(source, from, limits);
    if (around === null) return null;
    return this.#batches.batch(
      around,
      { applied: 0, partialProgress: from.partialProgress, from, apart: NOBODY },
      'all',
    );
  }

  /** Loads what every batch needs. */
  async #load(): Promise<void> {
    await this.#catalogs.load();
    await this.#asides.load(this.options.pool, this.options.generation);
    await this.#times.load(this.options.pool, this.options.generation);
  }

  #publishes(event: Given): event is Publication {
    return isPublication(event) && !this.#asides.holds(event.stream);
  }

  /**
   * Puts a catalogue in force: every event that comes later is judged by it, and users without a row have its default
   * plan. Users who are known are judged in slices, the first of them at once where no other publication is under way.
   */
  async #publish(
    event: Publication,
    from: ProjectionCursor,
    unwritable: FailedUsers,
  ): Promise<EntitlementsBatch> {
    const { position, id, type, stream, revision } = event;
    const brought = this.#timeAt(event);
    const now = Math.max(from.logicalTime, brought);
    const changes = new WriteBatch();
    this.#publication.enact(event, now, now, changes);
    this.#times.note({ position, now, index: from.events, brought }, changes.twoClocks.times);
    const underWay = [...from.partialProgress, { position, id, type, stream, revision, now, after: null }];
    const { partialProgress, newly } =
      from.partialProgress.length > 0
        ? { partialProgress: underWay, newly: [] }
        : await this.#publication.publishSlice(underWay, unwritable, changes);
    await this.#asides.follow(this.#workingSet, this.#loader, now, changes.setAside);
    const apart = unwritableOf(this.#asides, changes);
    return this.#batches.batch({ changes, now, newly }, { applied: 1, partialProgress, from, apart }, 'all');
  }
}

/** Part of the bound that stays in memory once it was reached. */
const KEPT_OF_FULL = 0.75;

const NOBODY: ReadonlySet<string> = new Set();
const NOBODY_FAILED: FailedUsers = new Map();
