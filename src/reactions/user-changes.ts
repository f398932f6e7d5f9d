import type { EventEnvelope } from '../events/event-envelope.js';
import type { Entitlement } from '../policy/entitlement.js';
import type { PastSnapshot } from '../projections/entitlements/snapshot.js';
import { textOf, type UserRow } from '../projections/entitlements/user-row.js';

/** What made a user's snapshot another one: an event of the log, or the clock alone. `at` is Unix milliseconds. */
export type ChangeCause =
  | { readonly kind: 'time'; readonly at: number }
  | { readonly kind: 'event'; readonly position: string; readonly event: EventEnvelope | null };

/** A change of what is served of a user. `id` is the same whenever it is read; `at` (Unix ms) is since when it holds. */
export interface UserChange {
  readonly id: string;
  readonly userId: string;
  readonly at: number;
  readonly cause: ChangeCause;
  readonly before: Entitlement;
  readonly after: PastSnapshot;
}

/** What was served of a user from a moment on, as the fold kept it; `knownFrom` and `changedAt` are Unix milliseconds. */
export interface ServedState extends Pick<UserRow, 'entitlement' | 'successors' | 'counter'> {
  readonly position: string | null;
  readonly changedAt: number | null;
  readonly versionOffset: number;
  readonly knownFrom: number;
}

/** A change without the event that caused it. */
export type UncausedChange = Omit<UserChange, 'cause'> & {
  readonly cause:
    | Extract<ChangeCause, { kind: 'time' }>
    | { readonly kind: 'event'; readonly position: string };
};

/**
 * The changes from one kept state of a user to the next: first what time alone had made by then, as it was foretold, then what
 * the event did. Nothing is judged here: the fold did (DESIGN 9).
 */
export function changesOf(
  userId: string,
  ordinal: string,
  before: ServedState,
  after: ServedState,
): readonly UncausedChange[] {
  const changes: UncausedChange[] = [];
  let served = before.entitlement;
  const move = (
    entitlement: Entitlement,
    what: Pick<UncausedChange, 'cause' | 'at'> & {
      readonly version: number;
      readonly position: string | null;
    },
  ): void => {
    if (textOf(served) === textOf(entitlement)) return;
    const { cause, at, version, position } = what;
    changes.push({
      id: `${ordinal}.${changes.length}`,
      userId,
      at,
      cause,
      before: served,
      after: {
        userId,
        ...entitlement,
        revocationVersion: version,
        position,
        changedAt: new Date(at).toISOString(),
      },
    });
    served = entitlement;
  };
  for (const { at, entitlement, counter } of before.successors) {
    if (at > after.knownFrom) break;
    const version = counter + before.versionOffset;
    move(entitlement, { cause: { kind: 'time', at }, at, version, position: before.position });
  }
  const { position, changedAt, counter, versionOffset, entitlement, knownFrom } = after;
  if (position !== null) {
    const version = counter + versionOffset;
    move(entitlement, { cause: { kind: 'event', position }, at: changedAt ?? knownFrom, version, position });
  }
  return changes;
}
