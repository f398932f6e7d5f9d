import { canonicalJson } from '../../events/canonical-json.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions } from '../../events/stored-event.js';
import type { Entitlement } from '../../policy/entitlement.js';
import type { PartialEvent } from '../engine/partial-progress.js';
import { EventFailedError, type SetAside } from '../engine/projector.js';
import { passTime } from './advance.js';
import type { Catalogs } from './catalogs.js';
import type { Queries } from './fact-queries.js';
import { FactsLoader } from './facts-loader.js';
import type { FailedUsers, FaultReducer, Under } from './fault-reducer.js';
import { usersToJudge } from './known-users.js';
import type { SetAsides } from './set-aside.js';
import { loadUsers, type UserJudge } from './user-judge.js';
import { WorkingSet } from './working-set.js';
import { checkTexts } from './writable.js';
import type { WriteBatch } from './write-batch.js';

/**
 * Users whose facts a publication has in memory at a time, fewer than a transaction writes: 12 MB of those who have been
 * there for two years.
 */
const USERS_IN_MEMORY = 250;

/** What a publication judges users from. */
export interface CatalogPublicationParts {
  readonly pool: Queries;
  readonly generation: number;
  /** Users judged in one transaction. */
  readonly sliceSize: number;
  readonly workingSet: WorkingSet;
  readonly loader: FactsLoader;
  readonly catalogs: Catalogs;
  readonly asides: SetAsides;
  readonly judge: UserJudge;
  readonly faults: FaultReducer;
}

/** An event that publishes a catalogue. */
export type Publication = Extract<EventEnvelope, { type: 'PlanCatalogPublished' }>;

/**
 * Publishes catalogues: puts one in force, and judges the users who are known in slices, in turn with other events. A user
 * whom an event reaches before the slices do is judged by the publication first.
 */
export class CatalogPublication {
  constructor(private readonly parts: CatalogPublicationParts) {}

  /** Judges by a catalogue from now on. @throws EventFailedError */
  enact(event: Publication, publishedAt: number, knownFrom: number, changes: WriteBatch): void {
    const { catalogs, workingSet } = this.parts;
    try {
      const { catalog, hash } = event.data;
      checkTexts(Object.entries(catalog.plans).flatMap(([name, { role }]) => [name, role]));
      const { byDefault } = catalogs.publish(event.position, catalog);
      // Users who are in memory without a row of their own start from the default plan of before.
      workingSet.clear();
      changes.catalog = {
        position: event.position,
        hash,
        catalog: canonicalJson(catalog),
        defaultSnapshot: JSON.stringify(byDefault),
        publishedAt,
        knownFrom,
      };
    } catch (error) {
      throw new EventFailedError(0, { stage: 'fold', cause: error });
    }
  }

  /** A catalogue that was set aside: everybody at once, because nothing says how far it came. */
  async publishLate(
    event: Publication,
    under: Under,
    changes: WriteBatch,
  ): Promise<{ readonly users: readonly string[]; readonly failed: FailedUsers }> {
    this.enact(event, Date.parse(event.metadata.recordedAt), under.now, changes);
    const { pool, generation, sliceSize: size, judge } = this.parts;
    const all: string[] = [];
    const failed = new Map<string, unknown>();
    for (;;) {
      const asked = { generation, catalog: event.position, isFirst: false, after: all.at(-1) ?? null };
      const users = await usersToJudge(pool, asked, size);
      for (const [userId, cause] of await judge.judge(users, under, changes)) failed.set(userId, cause);
      all.push(...users);
      if (users.length < size) return { users: all, failed };
    }
  }

  /** Judges the next slice of users by the publications that are under way; returns what is under way then. */
  async publishSlice(
    underWay: readonly PartialEvent[],
    unwritable: FailedUsers,
    changes: WriteBatch,
  ): Promise<{ readonly partialProgress: readonly PartialEvent[]; readonly newly: readonly SetAside[] }> {
    const [first, ...rest] = underWay;
    if (first === undefined) throw new Error('no publication is under way');
    const { generation, pool, sliceSize: size, catalogs, faults } = this.parts;
    const isFirst = await catalogs.isFirst(first.position);
    const asked = { generation, catalog: first.position, isFirst, after: first.after };
    const users = await usersToJudge(pool, asked, size);
    const judged = users.filter((userId) => !unwritable.has(userId));
    const under = { event: first, now: first.now, lateAt: null, partialProgress: [] };
    const blamed = new Map([...unwritable].filter(([userId]) => users.includes(userId)));
    const newly = [
      ...faults.blame(blamed, under, 'write', changes),
      ...(await this.#judgeUsers(judged, underWay, changes)),
    ];
    const last = users.at(-1);
    const isWhole = last === undefined || users.length < size;
    return { partialProgress: isWhole ? rest : [{ ...first, after: last }, ...rest], newly };
  }

  /**
   * Judges users by the publications that are under way and have not judged them, before an event does: each as it would
   * have at its place in the log. Users that are not loaded yet are loaded.
   */
  async publishFirst(
    users: readonly string[],
    underWay: readonly PartialEvent[],
    changes: WriteBatch,
  ): Promise<readonly SetAside[]> {
    const last = underWay.at(-1);
    const { catalogs, loader, workingSet } = this.parts;
    const { inForce } = catalogs;
    if (last === undefined || inForce === null) return [];
    const lost = await loadUsers(users, loader, inForce.byDefault);
    const unjudged = users.filter((userId) => {
      const catalog = workingSet.users.get(userId)?.catalog ?? null;
      return !lost.has(userId) && comparePositions(catalog, last.position) < 0;
    });
    return unjudged.length > 0 ? this.#judgeUsers(unjudged, underWay, changes) : [];
  }

  /** Judges users by the publications that are under way, a part of them in memory at a time. */
  async #judgeUsers(
    users: readonly string[],
    underWay: readonly PartialEvent[],
    changes: WriteBatch,
  ): Promise<readonly SetAside[]> {
    const [first] = underWay;
    if (first === undefined) return [];
    const { catalogs, judge } = this.parts;
    const { byDefault } = await catalogs.at(first.position);
    const judged = judge.judgedOf(users);
    const newly: SetAside[] = [];
    for (let from = 0; from < judged.length; from += USERS_IN_MEMORY) {
      const some = judged.slice(from, from + USERS_IN_MEMORY);
      newly.push(...(await this.#judgeSome(some, underWay, byDefault, changes)));
    }
    return newly;
  }

  /**
   * What no event since a publication has touched is in the database as it was at the publication; so it is judged from
   * there, in memory of its own that nothing is kept of. Who cannot be judged is marked, and counts as judged.
   */
  async #judgeSome(
    users: readonly string[],
    underWay: readonly PartialEvent[],
    byDefault: Entitlement,
    changes: WriteBatch,
  ): Promise<readonly SetAside[]> {
    const { pool, generation, catalogs, workingSet, asides, judge, faults } = this.parts;
    const asPublished = new WorkingSet();
    const newly: SetAside[] = [];
    const lost = await loadUsers(users, new FactsLoader(pool, generation, asPublished), byDefault);
    for (const userId of users) {
      if (lost.has(userId)) continue; // the first event of this user fails by that
      const found = asPublished.users.get(userId);
      // Who has neither a row nor anything that could give one was not known when the catalogue was published.
      if (found?.catalog === null && hasNothing(userId, asPublished)) continue;
      for (const publication of underWay) {
        const { position, id, type, now } = publication;
        const before = asPublished.users.get(userId);
        if (before === undefined || comparePositions(before.catalog, position) >= 0) continue;
        const under = { eventId: id, eventType: type, position, catalog: position, now, lateAt: null };
        const found = await judge.advance(userId, asPublished, await catalogs.at(position), under);
        const moved = 'cause' in found ? passTime(before, now) : found.moved;
        const row = { ...moved.row, catalog: position };
        asPublished.users.set(userId, row);
        changes.moveUser(before, row, moved.history, now);
        if (workingSet.users.has(userId)) workingSet.users.set(userId, row);
        if (!('cause' in found)) asides.heal(userId, now, changes.setAside);
        else if (asides.ownFault(userId) === null) {
          const failed = new Map([[userId, found.cause]]);
          const by = { event: publication, now, lateAt: null, partialProgress: [] };
          newly.push(...faults.mark(failed, by, 'judge', changes));
        }
      }
    }
    return newly;
  }
}

/** Whether nothing that a user is judged by is there. */
function hasNothing(userId: string, known: WorkingSet): boolean {
  const isBare = known.subscriptionsOfUser(userId).length + known.purchasesOfUser(userId).length === 0;
  const byHand = known.byHand.get(userId);
  return isBare && (byHand === undefined || byHand.grants.length + byHand.overrides.length === 0);
}
