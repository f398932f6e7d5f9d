import { z } from 'zod';
import type { Statements } from '../../database/in-transaction.js';
import type { Position } from '../../events/stored-event.js';
import type { Entitlement } from '../../policy/entitlement.js';
import { aroundInstance, offsetAfter, type Timeline } from '../entitlements/served-version.js';
import { entitlementSchema, parseSnapshotTexts } from '../entitlements/user-row.js';
import {
  ChangeCounter,
  type ChangeSummary,
  differenceOf,
  IN_FULL,
  type UserChange,
} from './change-summary.js';
import { ROWS_DIFFER } from './compared-before.js';
import type { GenerationFold } from './generation-fold.js';

/** Rows fetched at a time. */
const PAGE = 1_000;

/** A generation of a comparison, and the code that made it. */
export interface ComparedGeneration {
  readonly generation: number;
  readonly builtBy: string;
  readonly foldedBy: string;
  readonly mixedAfter: Position | null;
  /** Streams that it set aside, and users who are marked in it. */
  readonly setAside: { readonly streams: number; readonly users: number };
}

/**
 * What a swap from one generation to another would change at a moment. Both had handled the same events. `first` is by
 * user id.
 */
export interface ComparisonReport extends ChangeSummary {
  /** RFC 3339: the moment whose snapshots are compared. */
  readonly at: string;
  readonly position: Position | null;
  readonly from: ComparedGeneration;
  readonly to: ComparedGeneration;
  /** Whether users without a row are served something else; their version is 0 and stays. */
  readonly defaultChanged: boolean;
  /**
   * `null` when all of `to` was folded by one code. Else the users of `to` whom other code than its own has changed since
   * `after`: for them going back is not what was served before.
   */
  readonly mixed: {
    readonly after: Position;
    readonly users: number;
    readonly first: readonly string[];
  } | null;
}

/** What a swap makes of the offset of a user's version; `change` is null where what the user may do stays. */
export interface OffsetChange {
  readonly userId: string;
  readonly before: number;
  readonly after: number;
  readonly change: UserChange | null;
}

/** Two generations at the same event: what is to be compared, at which moment (Unix ms). */
export interface Compared {
  readonly from: { readonly generation: number; readonly fold: GenerationFold };
  readonly to: { readonly generation: number; readonly fold: GenerationFold };
  readonly now: number;
}

const side = z.object({ snapshot: z.string(), successors: z.string(), counter: z.number() }).nullable();
const pairRow = z.object({ user_id: z.string(), version_offset: z.number(), old: side, new: side });
const defaultsRow = z.tuple([z.object({ old: z.string().nullable(), new: z.string().nullable() })]);

/**
 * Compares inside the transaction of `client`, which must see both generations at one moment, and stay as it is until
 * the end. `among`: users by user id; nobody else may differ. `onPage` gets, in pages by user id, everyone of whom
 * something else may be served, and among them everyone whose version stays only by another offset.
 */
export async function compareGenerations(
  client: Statements,
  { from, to, now }: Compared,
  among: readonly string[] | 'everyone',
  onPage: (page: readonly OffsetChange[]) => Promise<void>,
): Promise<ComparisonReport> {
  const defaults = await readDefaults(client, from.generation, to.generation);
  const changes = new ChangeCounter();
  const pair = { from: from.generation, to: to.generation, now };
  for await (const rows of among === 'everyone'
    ? candidates(client, pair)
    : candidatesAmong(client, pair, among)) {
    const page: OffsetChange[] = [];
    for (const row of z.array(pairRow).parse(rows)) {
      const user = compareUser(row, defaults, now);
      const { change } = user.offsets;
      page.push(user.offsets);
      if (change !== null) changes.add(change);
      else if (user.differs) changes.add('details only');
    }
    if (page.length > 0) await onPage(page);
  }
  return {
    at: new Date(now).toISOString(),
    position: from.fold.checkpoint.handled,
    from: codesOf(from),
    to: codesOf(to),
    ...changes.changes,
    defaultChanged: JSON.stringify(defaults.old) !== JSON.stringify(defaults.new),
    mixed: await findMixed(client, to),
  };
}

/** The numbers of two generations, and the moment (Unix ms) at which they are compared. */
interface Pair {
  readonly from: number;
  readonly to: number;
  readonly now: number;
}

/** Pages of users who may differ, by user id, as `pairRow` reads them. */
async function* candidates(client: Statements, pair: Pair): AsyncGenerator<readonly unknown[]> {
  const { from, to } = pair;
  await client.query(
    `declare candidates no scroll cursor for select user_id, ${PAIR}
     from (select * from tenure.user_role where generation = ${from}) a
     full join (select * from tenure.user_role where generation = ${to}) b using (user_id)
     left join tenure.revocation_offset o using (user_id)
     where ${mayDiffer(pair)} order by user_id`,
  );
  for (let isFull = true; isFull; ) {
    const { rows } = await client.query(`fetch ${PAGE} from candidates`);
    yield rows;
    isFull = rows.length === PAGE;
  }
  await client.query('close candidates');
}

/**
 * The same of some users alone, in their order. Each is looked up by itself, in lateral queries that PostgreSQL cannot flatten
 * (`offset 0`): of a generation without statistics, as each is in its first minutes, it would read everybody for every page.
 */
async function* candidatesAmong(
  client: Statements,
  pair: Pair,
  users: readonly string[],
): AsyncGenerator<readonly unknown[]> {
  const of = (table: string, only: string): string =>
    `left join lateral (select * from tenure.${table} where ${only}user_id = q.user_id offset 0)`;
  for (let first = 0; first < users.length; first += PAGE) {
    const { rows } = await client.query(
      `select q.user_id, ${PAIR} from unnest($1::text[]) with ordinality as q(user_id, n)
       ${of('user_role', `generation = ${pair.from} and `)} a on true
       ${of('user_role', `generation = ${pair.to} and `)} b on true
       ${of('revocation_offset', '')} o on true
       where ${mayDiffer(pair)} order by n`,
      [users.slice(first, first + PAGE)],
    );
    yield rows;
  }
}

/** What is selected of a user beside the id. */
const PAIR = `coalesce(o.version_offset, 0) as version_offset, ${sideOf('a')} as old, ${sideOf('b')} as new`;

function sideOf(name: string): string {
  return `case when ${name}.user_id is not null then json_build_object('snapshot', ${name}.snapshot,
    'successors', ${name}.successors, 'counter', ${name}.counter) end`;
}

/** Who has rows in both that are served alike, none of which ends by `now`, is served the same version by the same offset. */
function mayDiffer({ now }: Pair): string {
  const moment = `timestamptz '${new Date(now).toISOString()}'`;
  return `(${ROWS_DIFFER} or a.next_at <= ${moment} or b.next_at <= ${moment})`;
}

interface Defaults {
  readonly old: Entitlement | null;
  readonly new: Entitlement | null;
}

async function readDefaults(client: Statements, from: number, to: number): Promise<Defaults> {
  const of = (parameter: string): string =>
    `(select default_snapshot from tenure.plan_catalog where generation = ${parameter} order by position desc limit 1)`;
  const { rows } = await client.query(`select ${of('$1')} as old, ${of('$2')} as new`, [from, to]);
  const [found] = defaultsRow.parse(rows);
  const parse = (text: string | null): Entitlement | null =>
    text === null ? null : entitlementSchema.parse(JSON.parse(text));
  return { old: parse(found.old), new: parse(found.new) };
}

function compareUser(
  row: z.infer<typeof pairRow>,
  defaults: Defaults,
  now: number,
): { readonly offsets: OffsetChange; readonly differs: boolean } {
  const [old, next] = [userOf(row.old, defaults.old), userOf(row.new, defaults.new)];
  const { before, after, kinds, differs } = differenceOf(old, next, now);
  const offset = offsetAfter(old, row.version_offset, next, aroundInstance(now));
  const versionBefore = before.counter + row.version_offset;
  const versionAfter = after.counter + offset;
  const change: UserChange | null =
    kinds.length === 0
      ? null
      : {
          userId: row.user_id,
          kinds,
          before: before.entitlement,
          after: after.entitlement,
          versionBefore,
          versionAfter,
        };
  return {
    offsets: {
      userId: row.user_id,
      before: row.version_offset,
      after: offset,
      change,
    },
    differs,
  };
}

/** A row of one generation; who has none there is served the default plan with a counter of 0. */
function userOf(found: z.infer<typeof side>, byDefault: Entitlement | null): Timeline {
  if (found !== null) {
    const texts = parseSnapshotTexts(found.snapshot, found.successors);
    // What cannot be read back is served as the default plan.
    if (texts !== null) return { ...texts, counter: found.counter, changedAt: null };
  }
  if (byDefault === null) throw new Error('a user was judged without a catalogue');
  return { entitlement: byDefault, successors: [], counter: found?.counter ?? 0, changedAt: null };
}

function codesOf({ generation, fold }: Compared['from']): ComparedGeneration {
  const { builtBy, foldedBy, mixedAfter, checkpoint } = fold;
  const { streams, users } = checkpoint.setAside;
  return { generation, builtBy, foldedBy, mixedAfter, setAside: { streams, users } };
}

async function findMixed(
  client: Statements,
  { generation, fold: { mixedAfter } }: Compared['to'],
): Promise<ComparisonReport['mixed']> {
  if (mixedAfter === null) return null;
  const { rows } = await client.query(
    `select user_id, count(*) over ()::int as users from tenure.entitlement_history
     where generation = $1 and coalesce(late_at, position) > $2 group by user_id order by user_id limit ${IN_FULL}`,
    [generation, mixedAfter],
  );
  const users = z.array(z.object({ user_id: z.string(), users: z.number() })).parse(rows);
  return {
    after: mixedAfter,
    users: users[0]?.users ?? 0,
    first: users.map(({ user_id: userId }) => userId),
  };
}
