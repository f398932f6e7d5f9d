import { z } from 'zod';
import type { Statements } from '../database/in-transaction.js';
import { comparePositions, type Position } from '../events/stored-event.js';
import { parseSnapshotTexts } from '../projections/entitlements/user-row.js';
import { changesOf, type ServedState, type UncausedChange } from './user-changes.js';

const state = z
  .object({
    snapshot: z.string().nullable(),
    successors: z.string().nullable(),
    counter: z.number().nullable(),
    version_offset: z.number().nullable(),
    position: z.string().nullable(),
    changed_at: z.coerce.date().nullable(),
    known_from: z.coerce.date().nullable(),
  })
  .transform((row): ServedState | null => {
    if (row.snapshot === null || row.known_from === null) return null;
    const texts = parseSnapshotTexts(row.snapshot, row.successors ?? '[]');
    if (texts === null) return null;
    return {
      ...texts,
      counter: row.counter ?? 0,
      versionOffset: row.version_offset ?? 0,
      position: row.position,
      changedAt: row.changed_at?.getTime() ?? null,
      knownFrom: row.known_from.getTime(),
    };
  });

const served = z.object({
  ordinal: z.string(),
  user_id: z.string(),
  position: z.string().nullable(),
  by_swap: z.boolean(),
  after: state,
  before: state,
});

const COLUMNS = (row: string): string =>
  `json_build_object('snapshot', ${row}.snapshot, 'successors', ${row}.successors, 'counter', ${row}.counter,
     'version_offset', ${row}.version_offset, 'position', ${row}.position::text, 'changed_at', ${row}.changed_at,
     'known_from', ${row}.known_from)`;

/**
 * Rows in the order in which they were written, each with what was served before it: of that user, or of whoever has no row.
 * Rows are written under the live checkpoint, so none comes later with a smaller ordinal.
 */
const READ = `
  select s.ordinal::text, s.user_id, s.position::text, s.by_swap, ${COLUMNS('s')} as after,
         ${COLUMNS('b')} as before
       from tenure.served_entitlement s
       left join lateral (
         (select * from tenure.served_entitlement p where p.user_id = s.user_id and p.ordinal < s.ordinal
          order by p.ordinal desc limit 1)
         union all
         (select * from tenure.served_entitlement p where p.user_id = '' and p.ordinal < s.ordinal
          order by p.ordinal desc limit 1)
         limit 1
       ) b on true
       where s.ordinal > $1 order by s.ordinal limit $2`;

/** Changes of users behind an ordinal. `anchor` is the last event folded that is known to stand before each, in the log's order. */
export interface ServedChanges {
  readonly changes: readonly { readonly anchor: Position | null; readonly change: UncausedChange }[];
  /** The last row that was read. */
  readonly ordinal: string;
  /** Whether `limit` rows were read, and there may be more. */
  readonly isFull: boolean;
}

/**
 * Reads up to `limit` rows behind `ordinal`, and ends before the first whose event is behind `upTo`: it belongs to a later
 * page of the log. Rows that a swap wrote, and what cannot be read back, are passed by.
 */
export async function readServedChanges(
  database: Statements,
  {
    ordinal,
    upTo,
    limit,
  }: { readonly ordinal: string; readonly upTo: Position | null; readonly limit: number },
): Promise<ServedChanges> {
  const { rows } = await database.query(READ, [ordinal, limit]);
  const changes: ServedChanges['changes'][number][] = [];
  let last = ordinal;
  let anchor: Position | null = null;
  for (const row of z.array(served).parse(rows)) {
    const { before, after, user_id: userId, position } = row;
    if (comparePositions(position, upTo) > 0) return { changes, ordinal: last, isFull: false };
    last = row.ordinal;
    if (comparePositions(position, anchor) > 0) anchor = position;
    if (row.by_swap || userId === '' || before === null || after === null) continue;
    for (const change of changesOf(userId, row.ordinal, before, after)) changes.push({ anchor, change });
  }
  return { changes, ordinal: last, isFull: rows.length === limit };
}

/** The last row there is; "0" before the first. */
export async function lastServedOrdinal(database: Statements): Promise<string> {
  const { rows } = await database.query(
    'select coalesce(max(ordinal), 0)::text as ordinal from tenure.served_entitlement',
    [],
  );
  return z.tuple([z.object({ ordinal: z.string() })]).parse(rows)[0].ordinal;
}
