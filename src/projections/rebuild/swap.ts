import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../../database/in-transaction.js';
import { PROJECTION_CHANNEL } from '../engine/leader-election.js';
import { type AlignedCheckpoints, holdAligned } from './aligned-checkpoints.js';
import {
  compareBefore,
  HISTORY_COLUMNS,
  selectHistoryGone,
  usersSince,
  usersWithHistorySince,
} from './compared-before.js';
import { type ComparisonReport, compareGenerations, type OffsetChange } from './comparison.js';
import { NothingToRollBackError, UnknownGenerationError } from './errors.js';
import { gatherStatistics } from './generation-statistics.js';
import { noteEnd } from './rebuild-jobs.js';
import { keepServedDefaults, keepServedOf, keepServedOfAll } from './served-from.js';

/** A move of the pointer: to which generation, by whom and why. `now` is the moment (Unix ms) it is served from. */
export interface SwapOrder {
  readonly projection: string;
  readonly to: number;
  readonly kind: 'swap' | 'rollback';
  readonly actor: string;
  readonly reason: string;
  readonly patienceMs: number;
  readonly now: () => number;
}

/** A move of the pointer as it is recorded. */
export type PointerMove = Pick<SwapOrder, 'projection' | 'actor' | 'reason'> & {
  readonly kind: SwapOrder['kind'] | 'adoption';
};

/** What a move of the pointer did; `swap` is its number. */
export interface SwapReport extends ComparisonReport {
  readonly swap: number;
  readonly kind: SwapOrder['kind'];
}

const liveRow = z.tuple([z.object({ generation: z.number() })]);

/** Memory for the joins of a swap: it holds the live fold still, so it should not spill. */
export const WORK_MEM = '64MB';

/**
 * Makes another generation the one that is read, in one transaction after PostgreSQL has looked at what is in it: compares while nothing is locked, holds both
 * checkpoints at one event, sets the offsets so that the served version of every user who sees a change is one higher and
 * every other stays, writes the revocation feed, keeps what is served from now on and the history rows that only the old
 * generation has, moves the pointer, and records who did it.
 * A read is one statement, so it sees all of it or nothing; it neither waits nor is waited for. The revision of both
 * checkpoints moves: whoever folds or caches under the old pointer loses its next compare-and-set, and looks again.
 * @throws UnknownGenerationError, GenerationIsLiveError, GenerationFaultedError, GenerationBehindError
 */
export async function swapGenerations(pool: Pool, order: SwapOrder): Promise<SwapReport> {
  await gatherStatistics(pool, order.to);
  return inTransaction(pool, async (client) => {
    // A version once served must not be forgotten by a crash of the server: this commit waits for its flush.
    await client.query(`set local synchronous_commit = on; set local work_mem = '${WORK_MEM}'`);
    await mayBeServed(client, order.to);
    const before = await compareBefore(client, { from: await liveGeneration(client), to: order.to });
    const aligned = await holdAligned(client, { ...order, bringOn: async () => undefined });
    await mayBeServed(client, order.to);
    const swap = aligned.liveEpoch + 1;
    const now = order.now();
    const served = { generation: order.to, now };
    const isOfOneCode = isFoldedByOneCode(aligned);
    // Another swap may have come between: what was found is of other generations then.
    const isOfThese = before.from === aligned.from.generation;
    const among = isOfThese ? await usersSince(client, before, now) : 'everyone';
    const compared = await compareGenerations(client, { ...aligned, now }, among, async (page) => {
      await writeOffsets(client, swap, page, now);
      const users = page.map(({ userId }) => userId);
      if (isOfOneCode) await keepServedOf(client, served, users);
    });
    // Code of before may have kept less of what was served.
    if (!isOfOneCode) await keepServedOfAll(client, served);
    await keepServedDefaults(client, served);
    const report = { ...compared, swap, kind: order.kind };
    const withHistory = isOfThese ? await usersWithHistorySince(client, before) : 'everyone';
    await keepHistory(client, swap, aligned, withHistory);
    await movePointer(client, order, aligned, report);
    await noteEnd(client, order.to, 'swapped', report);
    return report;
  });
}

/**
 * The generation that the last move of the pointer replaced: where a roll-back goes.
 * @throws NothingToRollBackError
 */
export async function generationBefore(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ generation: number }>(
    `select g.generation from tenure.generation_swap s
     join tenure.projection_generation g on g.generation = s.from_generation and g.state = 'served'
     where s.swap = (select swaps from tenure.live_generation)`,
  );
  const [found] = rows;
  if (found === undefined) throw new NothingToRollBackError();
  return found.generation;
}

function isFoldedByOneCode({ from, to }: AlignedCheckpoints): boolean {
  const all = [from.fold, to.fold];
  return from.fold.builtBy === to.fold.builtBy && all.every(({ mixedAfter }) => mixedAfter === null);
}

/** Only a build, or what was served before, can be read; neither while it is on its way out. */
async function mayBeServed(client: PoolClient, generation: number): Promise<void> {
  const { rows } = await client.query(
    `select from tenure.projection_generation where generation = $1 and state in ('building', 'served')`,
    [generation],
  );
  if (rows.length === 0) throw new UnknownGenerationError(generation);
}

/** Writes those offsets of a page of users that change, and to the feed who sees one; part of the transaction of a swap. */
export async function writeOffsets(
  client: PoolClient,
  swap: number,
  compared: readonly OffsetChange[],
  now: number,
): Promise<void> {
  const page = compared.filter(({ before, after, change }) => before !== after || change !== null);
  if (page.length === 0) return;
  const users = page.map(({ userId }) => userId);
  await client.query(
    `insert into tenure.revocation_offset (user_id, version_offset)
     select * from unnest($1::text[], $2::int[])
     on conflict (user_id) do update set version_offset = excluded.version_offset`,
    [users, page.map(({ after }) => after)],
  );
  await client.query(
    `insert into tenure.swap_user (swap, user_id, offset_before, offset_after, changed)
     select $1, * from unnest($2::text[], $3::int[], $4::int[], $5::boolean[])`,
    [
      swap,
      users,
      page.map(({ before }) => before),
      page.map(({ after }) => after),
      page.map(({ change }) => change !== null),
    ],
  );
  const raises = page.flatMap(({ change }) => change ?? []);
  await client.query(
    `with head as (
       update tenure.revocation_feed_head set cursor = cursor + cardinality($1::text[]) returning cursor
     )
     insert into tenure.revocation_feed (cursor, user_id, version, raised_at)
     select head.cursor - cardinality($1::text[]) + r.n, r.u, r.v, $3
     from head, unnest($1::text[], $2::int[]) with ordinality as r(u, v, n)`,
    [
      raises.map(({ userId }) => userId),
      raises.map(({ versionAfter }) => versionAfter),
      new Date(now).toISOString(),
    ],
  );
}

/** Keeps history rows of the old generation of which the new one has no equal; all of these are among the `users`. */
export async function keepHistory(
  client: PoolClient,
  swap: number,
  { from, to }: Pick<AlignedCheckpoints, 'from' | 'to'>,
  users: readonly string[] | 'everyone',
): Promise<void> {
  const ofUsers = users === 'everyone' ? '' : 'and user_id = any($4)';
  await client.query(
    `insert into tenure.swap_history (swap, ${HISTORY_COLUMNS})
     select $1, ${HISTORY_COLUMNS} from (${selectHistoryGone('$2', '$3', ofUsers)}) as gone`,
    [swap, from.generation, to.generation, ...(users === 'everyone' ? [] : [users])],
  );
}

async function liveGeneration(client: PoolClient): Promise<number> {
  const { rows } = await client.query('select generation from tenure.live_generation');
  const [{ generation }] = liveRow.parse(rows);
  return generation;
}

/** Moves the pointer, and the revisions of both checkpoints; records who did it, and notifies every instance. */
export async function movePointer(
  client: PoolClient,
  { projection, kind, actor, reason }: PointerMove,
  { liveEpoch, from, to }: AlignedCheckpoints,
  { at, changed }: Pick<ComparisonReport, 'at' | 'changed'>,
): Promise<void> {
  await client.query('update tenure.live_generation set generation = $1, swaps = $2', [
    to.generation,
    liveEpoch + 1,
  ]);
  await client.query(
    `update tenure.projection_checkpoint set revision = revision + 1
     where projection = $1 and generation = any($2)`,
    [projection, [from.generation, to.generation]],
  );
  await client.query(`update tenure.projection_generation set state = 'served' where generation = $1`, [
    to.generation,
  ]);
  await client.query(
    `insert into tenure.generation_swap (swap, kind, from_generation, to_generation, position, from_code, to_code,
       users_changed, actor, reason, swapped_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      liveEpoch + 1,
      kind,
      from.generation,
      to.generation,
      from.fold.checkpoint.handled,
      from.fold.builtBy,
      to.fold.builtBy,
      changed,
      actor,
      reason,
      at,
    ],
  );
  await client.query(`notify ${PROJECTION_CHANNEL}`);
}
