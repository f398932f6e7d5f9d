import type { PoolClient } from 'pg';
import { z } from 'zod';
import type { ThingKind } from '../entitlements/named-things.js';
import { GENERATION_TABLES } from '../read-models/partitions.js';
import type { RelatedIds } from './relations.js';
import { WORK_MEM } from './swap.js';
import { readTables, selectUnequal } from './unequal-rows.js';

/** Most differences that a report lists. */
const IN_FULL = 100;
type Table = (typeof GENERATION_TABLES)[number];

/** Tables with a row for a user; the others hold facts, and what is set aside. */
const USER_TABLES: readonly Table[] = [
  'user_role',
  'revocation_version',
  'entitlement_history',
  'faulted_user',
];
/** Columns that say what was tried, and when, not what follows from the log. */
const UNCOMPARED: Partial<Record<Table, readonly string[]>> = {
  set_aside_stream: ['message', 'tried_by', 'late_at'],
  faulted_user: ['tried_by', 'late_at'],
};
/** Tables that hold what users have or asked for by hand. */
const BY_HAND: readonly Table[] = ['grant', 'override', 'plan_change', 'usage'];
/** What a stream is about, by the tables that hold facts of it; the first tells whose row it is. */
const SUBJECTS: Partial<Record<Table, readonly (readonly [subject: ThingKind, column: string])[]>> = {
  subscription: [['subscription', 'subscription']],
  subscription_fact: [['subscription', 'subscription']],
  customer: [['customer', 'customer']],
  checkout: [
    ['session', 'session'],
    ['customer', 'customer'],
  ],
  payment: [['payment', 'payment']],
  payment_join: [
    ['payment', 'id'],
    ['payment', 'other'],
    ['subscription', 'id'],
    ['subscription', 'other'],
    ['session', 'id'],
    ['session', 'other'],
  ],
  user_stream: [
    ['subscription', 'id'],
    ['customer', 'id'],
    ['session', 'id'],
  ],
  subscription_customer: [
    ['subscription', 'subscription'],
    ['customer', 'customer'],
  ],
};
/**
 * Whether the times that the live generation ($1) kept are those that the log gives: not where events were set aside or other
 * code folded some, as of an event that could not be read at first it knew no time.
 */
const HAS_TIMES_OF_LOG = `not exists (select from tenure.set_aside_stream f where f.generation = $1)
  and not exists (select from tenure.faulted_user f where f.generation = $1 and f.late_at is not null)
  and not exists (select from tenure.projection_checkpoint f where f.generation = $1 and f.mixed_after is not null)`;

/** A row that is not in both: as it is read, or as the log gives it. Columns by name, as PostgreSQL writes them. */
export interface RowDifference {
  readonly table: string;
  readonly found: 'in the live generation' | 'in the log';
  readonly row: unknown;
}

/** The differences between two generations, and the users who are left out of the comparison. */
export interface RowComparison {
  /**
   * Users touched by events that were set aside and folded on late: their rows say when Tenure learned, which no fold of the
   * log does, and are not compared. A rebuild takes the mark away.
   */
  readonly foldedLate: { readonly users: number; readonly first: readonly string[] };
  /** Rows that differ: one that has other values counts on both sides. */
  readonly differences: number;
  readonly byTable: Readonly<Record<string, number>>;
  readonly first: readonly RowDifference[];
}

/** Users whose rows alone are compared, and what has to do with them; `null`: facts are compared whole. */
export interface ComparedUsers {
  readonly users: ReadonlySet<string>;
  readonly related: RelatedIds | null;
}

/** Compares every table of two generations, row by row and column by column; `null` as the sample is everyone. */
export async function compareRows(
  client: PoolClient,
  [live, scratch]: readonly [number, number],
  sample: ComparedUsers | null,
): Promise<RowComparison> {
  const byTable: Record<string, number> = {};
  const first: RowDifference[] = [];
  let differences = 0;
  await client.query(`set local work_mem = '${WORK_MEM}'`);
  for (const { table, columns } of await readTables(client)) {
    const among = sample === null ? null : comparedOf(table, sample);
    const only = `${among === null ? '' : `and t.${among.column} = any($3)`} ${uncompared(table, sample)}`;
    const unequal = selectUnequal({ table, columns, without: UNCOMPARED[table] ?? [], only });
    const { rows: found } = await client.query(
      `select found, row, count(*) over ()::int as count from (${unequal}) as differences
       order by row::text limit ${IN_FULL}`,
      [live, scratch, ...(among === null ? [] : [among.ids])],
    );
    const parsed = z.array(differenceRow).parse(found);
    byTable[table] = parsed[0]?.count ?? 0;
    differences += byTable[table];
    for (const { found: side, row } of parsed) {
      if (first.length < IN_FULL) first.push({ table, found: side, row });
    }
  }
  return { differences, byTable, first, foldedLate: await findLate(client, live) };
}

/** The rows of a table that are compared of a sample: those with one of these ids in a column; `null`: all. */
function comparedOf(
  table: Table,
  { users, related }: ComparedUsers,
): { readonly column: string; readonly ids: readonly string[] } | null {
  if (USER_TABLES.includes(table)) return { column: 'user_id', ids: [...users] };
  if (related === null) return null;
  if (BY_HAND.includes(table) || table === 'user_stream') return { column: 'user_id', ids: related.user };
  if (table === 'payment_join') return { column: 'id', ids: Object.values(related).flat() };
  const [subject] = SUBJECTS[table] ?? [];
  if (subject === undefined) return null;
  const [kind, column] = subject;
  return { column, ids: related[kind] };
}

/** Rows of `t` that are not compared with the live generation ($1), as conditions. */
function uncompared(table: Table, sample: ComparedUsers | null): string {
  const late = 'f.generation = $1 and f.late_at is not null';
  // Of a log that was folded in part nobody knows at which events times are kept.
  if (table === 'logical_time') return sample?.related == null ? `and ${HAS_TIMES_OF_LOG}` : 'and false';
  if (USER_TABLES.includes(table)) {
    return `and not exists (select from tenure.faulted_user f where ${late} and f.user_id = t.user_id)`;
  }
  if (table === 'set_aside_stream') {
    const isLate = `exists (select from tenure.set_aside_stream f where ${late} and f.stream = t.stream)`;
    // Who is not judged shows no event that cannot be judged.
    return sample === null ? `and not ${isLate}` : 'and false';
  }
  if (BY_HAND.includes(table) && sample !== null) {
    return 'and not exists (select from tenure.set_aside_stream f where f.generation = $1 and f.users::jsonb ? t.user_id)';
  }
  const subjects = SUBJECTS[table];
  if (sample === null || subjects === undefined) return '';
  const isOf = subjects
    .map(([subject, column]) => `f.subject::json->>'${subject}' = t.${column}`)
    .join(' or ');
  return `and not exists (select from tenure.set_aside_stream f where f.generation = $1 and (${isOf}))`;
}

async function findLate(client: PoolClient, live: number): Promise<RowComparison['foldedLate']> {
  const { rows } = await client.query(
    `select user_id, count(*) over ()::int as users from tenure.faulted_user
     where generation = $1 and late_at is not null order by user_id limit ${IN_FULL}`,
    [live],
  );
  const found = z.array(z.object({ user_id: z.string(), users: z.number() })).parse(rows);
  return { users: found[0]?.users ?? 0, first: found.map(({ user_id: userId }) => userId) };
}

const differenceRow = z.object({
  found: z.enum(['in the live generation', 'in the log']),
  row: z.unknown(),
  count: z.number(),
});
