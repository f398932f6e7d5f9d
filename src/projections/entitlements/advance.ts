import { allowsTheSame, isSameEntitlement } from '../../policy/access-part.js';
import type { Entitlement, Judgement } from '../../policy/entitlement.js';
import type { Cause, HistoryEntry, UserRow, VersionedSuccessor } from './user-row.js';

/**
 * The event under which a user is judged, and the position of the catalogue in force; `now` is the projection's clock
 * (Unix ms).
 */
export interface JudgedUnder {
  readonly eventId: string;
  readonly eventType: string;
  readonly position: string;
  readonly catalog: string;
  readonly now: number;
  /** Last event folded before, where this one is folded on late; else `null`. */
  readonly lateAt: string | null;
}

/**
 * Moves a user's row on (DESIGN 8 "Time", 9): first the changes that time made before this event, each with its own
 * version and history, then the event's. The counter grows exactly when {role, plan, status, features, limits} change.
 */
export function advance(
  row: UserRow,
  judgement: Judgement,
  under: JudgedUnder,
): { readonly row: UserRow; readonly history: readonly HistoryEntry[] } {
  const { row: timed, history: before } = passTime(row, under.now);
  const history = [...before];
  const { eventId, eventType, position, now, lateAt } = under;
  const cause: Cause = { kind: 'event', eventId, eventType, position };
  const current = change(timed, judgement.entitlement, { at: now, cause, lateAt }, history);
  const successors = versioned(current, judgement);
  const { adoptedPrices } = judgement;
  return { row: { ...current, successors, catalog: under.catalog, adoptedPrices }, history };
}

/** The changes that time alone made by `now` (Unix ms), each with its own version and history; what is due later stays. */
export function passTime(
  row: UserRow,
  now: number,
): { readonly row: UserRow; readonly history: readonly HistoryEntry[] } {
  const history: HistoryEntry[] = [];
  const due = row.successors.filter(({ at }) => at <= now);
  if (due.length === 0) return { row, history };
  let current = row;
  for (const { at, entitlement } of due) {
    current = change(current, entitlement, { at, cause: { kind: 'time' }, lateAt: null }, history);
  }
  return { row: { ...current, successors: row.successors.slice(due.length) }, history };
}

function change(
  row: UserRow,
  entitlement: Entitlement,
  { at, cause, lateAt }: Pick<HistoryEntry, 'cause' | 'lateAt'> & { readonly at: number },
  history: HistoryEntry[],
): UserRow {
  if (isSameEntitlement(row.entitlement, entitlement)) return row;
  const raised = !allowsTheSame(row.entitlement, entitlement);
  const counter = row.counter + (raised ? 1 : 0);
  const seq = row.historySeq + 1;
  history.push({ userId: row.userId, seq, validFrom: at, cause, counter, raised, entitlement, lateAt });
  return {
    ...row,
    entitlement,
    counter,
    position: cause.kind === 'event' ? cause.position : row.position,
    changedAt: at,
    historySeq: seq,
  };
}

function versioned(row: UserRow, { successors }: Judgement): readonly VersionedSuccessor[] {
  let { counter, entitlement: before } = row;
  return successors.map(({ at, entitlement }) => {
    if (!allowsTheSame(before, entitlement)) counter += 1;
    before = entitlement;
    return { at, counter, entitlement };
  });
}
