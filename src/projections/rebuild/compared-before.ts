import type { PoolClient } from 'pg';
import { z } from 'zod';
import { partitionOf } from '../read-models/partitions.js';

/** Two generations, as they are when nothing is locked. */
interface Pair {
  readonly from: number;
  readonly to: number;
}

/** Users of whom two generations were found to differ while nothing was locked. */
export interface ComparedBefore extends Pair {
  /** Of whom something else may be served, and of whom the old one has history rows that the new one has not. */
  readonly users: readonly string[];
  readonly withHistory: readonly string[];
  /** The oldest transaction (`xid8`) that may have written since. */
  readonly mark: string;
}

/** Columns of a history row beside its key. */
const HISTORY_VALUES = [
  'valid_from',
  'cause',
  'event_id',
  'event_type',
  'position',
  'changed_at',
  'counter',
  'snapshot',
  'late_at',
];
/** Columns of a history row. */
const HISTORY_ROW = ['user_id', 'seq', ...HISTORY_VALUES];
export const HISTORY_COLUMNS = HISTORY_ROW.join(', ');

const markRow = z.tuple([z.object({ mark: z.string() })]);
const userRows = z.array(z.object({ user_id: z.string() }));

/**
 * Condition that the rows `a` and `b` of a user are not served alike. JSON texts are written by one function, so equal ones
 * mean the same.
 */
export const ROWS_DIFFER = differIn(['snapshot', 'successors', 'counter', 'position', 'changed_at']);

function differIn(columns: readonly string[]): string {
  return columns.map((column) => `a.${column} is distinct from b.${column}`).join(' or ');
}

/**
 * A query for the history rows (`HISTORY_COLUMNS`) of one generation of which the other has no equal, each given as SQL;
 * `only` is a condition on the rows of both, which begins with `and`.
 */
export function selectHistoryGone(from: string, to: string, only = ''): string {
  const rows = (generation: string): string =>
    `(select * from tenure.entitlement_history where generation = ${generation} ${only})`;
  return `select ${HISTORY_ROW.map((column) => `a.${column}`).join()} from ${rows(from)} a
    left join ${rows(to)} b using (user_id, seq) where b.generation is null or ${differIn(HISTORY_VALUES)}`;
}

/**
 * Finds of whom two generations differ while both are folded on: nearly all that a swap has to look for. `usersSince` makes
 * it good for the moment of the swap. `client` is in a read committed transaction.
 */
export async function compareBefore(client: PoolClient, { from, to }: Pair): Promise<ComparedBefore> {
  // First: whoever commits after it is not older.
  const { rows } = await client.query('select pg_snapshot_xmin(pg_current_snapshot())::text as mark');
  const [{ mark }] = markRow.parse(rows);
  const users = await client.query(
    `select user_id from (select * from tenure.user_role where generation = $1) a
     full join (select * from tenure.user_role where generation = $2) b using (user_id) where ${ROWS_DIFFER}`,
    [from, to],
  );
  const withHistory = await client.query(
    `select distinct user_id from (${selectHistoryGone('$1', '$2')}) as gone`,
    [from, to],
  );
  return { from, to, users: idsOf(users.rows), withHistory: idsOf(withHistory.rows), mark };
}

/**
 * Users of whom something else may be served now (Unix ms), by user id: those of before, those of whom either generation
 * wrote a row since, and those whose row has a change by time that is due.
 */
export async function usersSince(
  client: PoolClient,
  { from, to, users, mark }: ComparedBefore,
  now: number,
): Promise<readonly string[]> {
  const { rows } = await client.query(
    `select user_id from (
       ${writtenSince('user_role', from)} union ${writtenSince('user_role', to)}
       union select user_id from tenure.user_role where generation in (${from}, ${to}) and next_at <= $3
       union select unnest($2::text[]) collate "C"
     ) as each order by user_id collate "C"`,
    [mark, users, new Date(now).toISOString()],
  );
  return idsOf(rows);
}

/** Users of whom the old generation may have history rows now that the new one has not. */
export async function usersWithHistorySince(
  client: PoolClient,
  { from, to, withHistory, mark }: ComparedBefore,
): Promise<readonly string[]> {
  const { rows } = await client.query(
    `${writtenSince('entitlement_history', from)} union ${writtenSince('entitlement_history', to)}
     union select unnest($2::text[]) collate "C"`,
    [mark, withHistory],
  );
  return idsOf(rows);
}

/** Users with rows that are as young as the mark ($1), or younger: looks at each row, and into none. */
function writtenSince(table: 'user_role' | 'entitlement_history', generation: number): string {
  return `select user_id from tenure.${partitionOf(table, generation)} where age(xmin) <= age($1::xid8::xid)`;
}

function idsOf(rows: readonly unknown[]): readonly string[] {
  return userRows.parse(rows).map(({ user_id: userId }) => userId);
}
