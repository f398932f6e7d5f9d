import type { QueryConfig } from 'pg';
import type { NewCatalog } from './row-statements.js';
import type { ServedMark } from './set-aside-rows.js';
import { arrayColumn, instant, SEPARATOR, textColumn } from './statement-values.js';
import { textOf, textOfSuccessors, type UserRow } from './user-row.js';

/** In the history of what is served: whoever has no row. No user id is empty. */
export const WITHOUT_ROW = '';

/** A user's row as it moved on under an event, at the fold's time then (Unix ms). */
export interface ServedMove {
  readonly before: UserRow;
  readonly after: UserRow;
  readonly at: number;
}

/** What of a batch is served by whoever reads its generation. */
export interface ServedChanges {
  readonly moves: readonly ServedMove[];
  readonly marks: readonly ServedMark[];
  readonly catalog: NewCatalog | null;
  /** `late`: what was set aside is folded on, and served from the moment of that. */
  readonly when: 'in order' | 'late';
}

/**
 * Adds what the generation that is read serves from now on to the history of that (DESIGN 9, "Two clocks"); to be sent in
 * the transaction of the rows, after them. `clock` replaces the database server's.
 */
export function servedStatements(
  { moves, marks, catalog, when }: ServedChanges,
  clock: (() => number) | null,
): readonly (() => QueryConfig)[] {
  const moved = moves.filter(isServedDifferently);
  const late = when === 'late' ? { at: clock?.() ?? null } : null;
  return [
    ...(catalog === null ? [] : [() => rowsStatement([rowOfDefault(catalog)], late)]),
    ...(moved.length > 0 ? [() => rowsStatement(moved.map(rowOfMove), late)] : []),
    ...(marks.length > 0 ? [() => marksStatement(marks, late)] : []),
  ];
}

/** Stamp of what is late: the clock's time (Unix ms), or `null` for the database server's. */
type LateStamp = { readonly at: number | null } | null;

interface ServedRow {
  readonly userId: string;
  readonly at: number;
  readonly snapshot: string;
  readonly successors: string;
  readonly counter: number;
  readonly position: string | null;
  readonly changedAt: number | null;
}

/** Whoever has a row for the first time is served by it, and no more as those who have none. */
function isServedDifferently({ before, after }: ServedMove): boolean {
  if (before.catalog === null) return true;
  if (before.entitlement !== after.entitlement || before.counter !== after.counter) return true;
  if (before.changedAt !== after.changedAt || before.position !== after.position) return true;
  if (before.successors.length === 0 && after.successors.length === 0) return false;
  return textOfSuccessors(before.successors) !== textOfSuccessors(after.successors);
}

function rowOfMove({ after, at }: ServedMove): ServedRow {
  const { userId, entitlement, successors, counter, position, changedAt } = after;
  const texts = { snapshot: textOf(entitlement), successors: textOfSuccessors(successors) };
  return { userId, at, ...texts, counter, position, changedAt };
}

function rowOfDefault({ defaultSnapshot: snapshot, knownFrom: at }: NewCatalog): ServedRow {
  const nothing = { successors: '[]', counter: 0, position: null, changedAt: null };
  return { userId: WITHOUT_ROW, at, snapshot, ...nothing };
}

function rowsStatement(rows: readonly ServedRow[], late: LateStamp): QueryConfig {
  return {
    name: `tenure-keep-served${late === null ? '' : '-late'}`,
    text: `insert into tenure.served_entitlement (user_id, known_from, snapshot, successors, counter, version_offset,
             position, changed_at)
           select r.u, ${stampOf(late, '$8')}, r.x, r.s, r.c, coalesce(o.version_offset, 0), r.p, r.h
           from unnest($1::text[], $2::timestamptz[], string_to_array($3, ${SEPARATOR}), string_to_array($4, ${SEPARATOR}),
             $5::int[], $6::bigint[], $7::timestamptz[]) with ordinality as r(u, k, x, s, c, p, h, n)
           left join tenure.revocation_offset o on o.user_id = r.u order by r.n`,
    values: [
      arrayColumn(rows, ({ userId }) => userId),
      arrayColumn(rows, ({ at }) => instant(at)),
      textColumn(rows, ({ snapshot }) => snapshot),
      textColumn(rows, ({ successors }) => successors),
      arrayColumn(rows, ({ counter }) => counter),
      arrayColumn(rows, ({ position }) => position),
      arrayColumn(rows, ({ changedAt }) => instant(changedAt)),
      ...(late === null ? [] : [instant(late.at)]),
    ],
  };
}

function marksStatement(marks: readonly ServedMark[], late: LateStamp): QueryConfig {
  return {
    name: `tenure-keep-marks${late === null ? '' : '-late'}`,
    text: `insert into tenure.served_mark (user_id, known_from, position, since)
           select r.u, ${stampOf(late, '$5')}, r.p, r.s
           from unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::timestamptz[]) with ordinality
             as r(u, k, p, s, n) order by r.n`,
    values: [
      arrayColumn(marks, ({ userId }) => userId),
      arrayColumn(marks, ({ at }) => instant(at)),
      arrayColumn(marks, ({ mark }) => mark?.position ?? null),
      arrayColumn(marks, ({ mark }) => instant(mark?.since ?? null)),
      ...(late === null ? [] : [instant(late.at)]),
    ],
  };
}

function stampOf(late: LateStamp, parameter: string): string {
  return late === null ? 'r.k' : `greatest(r.k, coalesce(${parameter}::timestamptz, clock_timestamp()))`;
}
