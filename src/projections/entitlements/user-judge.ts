import { isTransient } from '../../database/transient.js';
import type { Entitlement } from '../../policy/entitlement.js';
import { EventLoopShare } from '../engine/yield-if-due.js';
import { advance, type JudgedUnder, passTime } from './advance.js';
import type { Catalogs, PublishedCatalog } from './catalogs.js';
import type { FactsLoader } from './facts-loader.js';
import type { FailedUsers, Under } from './fault-reducer.js';
import type { FoldingRules } from './folding-rules.js';
import type { SetAsides } from './set-aside.js';
import { textOfSuccessors, type UserRow } from './user-row.js';
import type { WorkingSet } from './working-set.js';
import { checkUser } from './writable.js';
import type { WriteBatch } from './write-batch.js';

/** What users are judged from, and by. */
export interface UserJudgeParts {
  readonly rules: FoldingRules;
  readonly workingSet: WorkingSet;
  readonly loader: FactsLoader;
  readonly catalogs: Catalogs;
  readonly asides: SetAsides;
  /** `undefined`: everyone. */
  readonly judgedUsers: ReadonlySet<string> | undefined;
}

/** Judges users by the facts in memory and the catalogue in force, and moves their rows on. */
export class UserJudge {
  readonly #loopShare = new EventLoopShare();
  /** Rows in memory that were made by a judgement here, of all that was known then. */
  readonly #judged = new WeakSet<UserRow>();

  constructor(private readonly parts: UserJudgeParts) {}

  /**
   * Judges users, and answers who cannot be judged and could before: of them nothing is changed. Who could not before, and
   * still cannot, moves on by time alone. Facts that come before any catalogue are judged when the first one is published.
   */
  async judge(users: readonly string[], under: Under, changes: WriteBatch): Promise<FailedUsers> {
    const failed = new Map<string, unknown>();
    const { catalogs, loader, workingSet, asides } = this.parts;
    const { inForce } = catalogs;
    if (inForce === null || users.length === 0) return failed;
    const judged = this.judgedOf(users);
    const lost = loader.hasUsers(judged) ? NOBODY : await loadUsers(judged, loader, inForce.byDefault);
    const { event, now, lateAt } = under;
    const by = { eventId: event.id, eventType: event.type, position: event.position, now, lateAt };
    for (const userId of judged) {
      if (this.#loopShare.isDue) await this.#loopShare.yieldIfDue();
      const found = lost.has(userId)
        ? { cause: lost.get(userId) }
        : this.#advance(userId, workingSet, inForce, { ...by, catalog: inForce.position });
      if ('cause' in found) {
        if (asides.ownFault(userId) === null) failed.set(userId, found.cause);
        else if (!lost.has(userId)) this.stay([userId], now, changes);
        continue;
      }
      const { row, moved } = found;
      asides.heal(userId, now, changes.setAside);
      // What is written already is not written again. A deadline that came late makes no row for a user without one, either.
      const isWritten = row.catalog === moved.row.catalog || event.type === 'AccessDeadlineReached';
      if (isWritten && isUnmoved(row, moved)) {
        this.#judged.add(row);
        continue;
      }
      workingSet.users.set(userId, moved.row);
      this.#judged.add(moved.row);
      changes.moveUser(row, moved.row, moved.history, now);
    }
    return failed;
  }

  /** Whether a user's row is as it was judged here, by the catalogue in force, and time has not changed it by `now` (Unix ms). */
  standsAt(userId: string, now: number): boolean {
    const { catalogs, workingSet } = this.parts;
    const row = workingSet.users.get(userId);
    if (row === undefined || !this.#judged.has(row) || row.catalog !== catalogs.inForce?.position)
      return false;
    return row.successors.every(({ at }) => at > now);
  }

  /** The row of a user, and how it moves on; or why that cannot be said, or written. */
  async advance(
    userId: string,
    workingSet: WorkingSet,
    catalog: PublishedCatalog,
    under: JudgedUnder,
  ): Promise<Advanced> {
    await this.#loopShare.yieldIfDue();
    return this.#advance(userId, workingSet, catalog, under);
  }

  #advance(
    userId: string,
    workingSet: WorkingSet,
    { catalog }: PublishedCatalog,
    under: JudgedUnder,
  ): Advanced {
    const row = workingSet.users.get(userId);
    if (row === undefined) throw new Error('a user was loaded and is not there');
    try {
      const facts = workingSet.factsOfUser(userId);
      const moved = advance(row, this.parts.rules.judge(facts, catalog, under.now), under);
      checkUser(moved.row, moved.history);
      return { row, moved };
    } catch (cause) {
      return { cause };
    }
  }

  /** Whether each of these users cannot be judged by what is folded now. */
  async allFail(users: Iterable<string>, { event, now, lateAt }: Under): Promise<boolean> {
    const { catalogs, loader, workingSet } = this.parts;
    const { inForce } = catalogs;
    if (inForce === null) return true;
    const all = [...users];
    const lost = await loadUsers(all, loader, inForce.byDefault);
    const by = { eventId: event.id, eventType: event.type, position: event.position, now, lateAt };
    for (const userId of all) {
      if (lost.has(userId)) continue;
      const found = await this.advance(userId, workingSet, inForce, {
        ...by,
        catalog: inForce.position,
      });
      if (!('cause' in found)) return false;
    }
    return true;
  }

  /** Users who cannot be judged keep what they have: of that, time alone changes what it was said to. */
  stay(users: Iterable<string>, now: number, changes: WriteBatch): void {
    const { workingSet } = this.parts;
    for (const userId of users) {
      const row = workingSet.users.get(userId);
      if (row === undefined) continue;
      const timed = passTime(row, now);
      if (timed.row === row) continue;
      workingSet.users.set(userId, timed.row);
      changes.moveUser(row, timed.row, timed.history, now);
    }
  }

  /** Those of these users who are judged at all. */
  judgedOf(users: readonly string[]): readonly string[] {
    const only = this.parts.judgedUsers;
    return only === undefined ? users : users.filter((userId) => only.has(userId));
  }
}

/** The row of a user, and how it moves on; or why that cannot be said, or written. */
type Advanced =
  | { readonly row: UserRow; readonly moved: ReturnType<typeof advance> }
  | { readonly cause: unknown };

const NOBODY: FailedUsers = new Map();

/** Loads users into memory; returns those who cannot be, each with what was thrown. */
export async function loadUsers(
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

function isUnmoved(before: UserRow, { row, history }: ReturnType<typeof advance>): boolean {
  if (history.length > 0 || before.successors.length !== row.successors.length) return false;
  const isSame =
    before.successors.length === 0 ||
    textOfSuccessors(before.successors) === textOfSuccessors(row.successors);
  if (before.adoptedPrices.length === 0 && row.adoptedPrices.length === 0) return isSame;
  return isSame && JSON.stringify(before.adoptedPrices) === JSON.stringify(row.adoptedPrices);
}
