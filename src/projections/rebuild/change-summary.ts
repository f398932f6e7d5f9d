import { type AccessPart, accessDifferences } from '../../policy/access-part.js';
import type { Entitlement } from '../../policy/entitlement.js';
import type { Timeline } from '../entitlements/served-version.js';
import { snapshotAt } from '../entitlements/user-row.js';

/** Most users that a report lists. */
export const IN_FULL = 100;

/** What is served of a user who would be served something else, by version, before and after. */
export interface UserChange {
  readonly userId: string;
  readonly kinds: readonly (keyof AccessPart)[];
  readonly before: Entitlement;
  readonly after: Entitlement;
  readonly versionBefore: number;
  readonly versionAfter: number;
}

/**
 * How many users change. `changed` are those whose role, plan, status, features or limits differ, each counted once under
 * every kind; `detailsOnly` those who differ in dates or in what follows by time alone, and whose version stays.
 */
export interface ChangeSummary {
  readonly changed: number;
  readonly detailsOnly: number;
  readonly byKind: Readonly<Record<keyof AccessPart, number>>;
  /** The first hundred of the changed, in the order in which they were counted. */
  readonly first: readonly UserChange[];
}

/** What the access of a user differs in at a moment, and whether anything at all does. */
export interface Difference {
  readonly before: ReturnType<typeof snapshotAt>;
  readonly after: ReturnType<typeof snapshotAt>;
  readonly kinds: readonly (keyof AccessPart)[];
  readonly differs: boolean;
}

/** Compares what two rows of a user say of the moment `now` (Unix ms) and of what follows by time alone. */
export function differenceOf(old: Timeline, next: Timeline, now: number): Difference {
  const [before, after] = [snapshotAt(old, now), snapshotAt(next, now)];
  return {
    before,
    after,
    kinds: accessDifferences(before.entitlement, after.entitlement),
    // JSON texts are written by one function, so equal snapshots are equal texts.
    differs:
      JSON.stringify(before.entitlement) !== JSON.stringify(after.entitlement) ||
      JSON.stringify(laterOf(old, now)) !== JSON.stringify(laterOf(next, now)),
  };
}

/** Counts changes as they are found. */
export class ChangeCounter {
  readonly #byKind = { role: 0, plan: 0, status: 0, features: 0, limits: 0 };
  readonly #first: UserChange[] = [];
  #changed = 0;
  #detailsOnly = 0;

  /** Counts a user: with what changes, or `details only`. */
  add(change: UserChange | 'details only'): void {
    if (change === 'details only') {
      this.#detailsOnly += 1;
      return;
    }
    this.#changed += 1;
    for (const kind of change.kinds) this.#byKind[kind] += 1;
    if (this.#first.length < IN_FULL) this.#first.push(change);
  }

  get changes(): ChangeSummary {
    return {
      changed: this.#changed,
      detailsOnly: this.#detailsOnly,
      byKind: { ...this.#byKind },
      first: [...this.#first],
    };
  }
}

/** What follows by time alone; the counters belong to the generation. */
function laterOf(row: Timeline, now: number): readonly unknown[] {
  return row.successors.filter(({ at }) => at > now).map(({ at, entitlement }) => ({ at, entitlement }));
}
