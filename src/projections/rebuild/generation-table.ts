import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction, withClient } from '../../database/in-transaction.js';
import { attachPartitions, GENERATION_TABLES, partitionOf } from '../read-models/partitions.js';
import { GenerationIsLiveError, RebuildInProgressError, UnknownGenerationError } from './errors.js';
import { FOLD_COLUMNS, type GenerationFold, parseFold } from './generation-fold.js';
import { dropSetDown } from './grouped/set-down-events.js';
import { AFTERWARDS, type Afterwards, findOrdered, type RebuildOrder, writeJob } from './rebuild-jobs.js';

/**
 * `building`: never served. `live`: read now. `previous`: was read, and is kept up to date. `scratch`: made to be compared
 * and thrown away. `dropping`: on its way out. `replaced`: made from a log before an adoption, kept for its history.
 */
export type GenerationRole = 'building' | 'live' | 'previous' | 'scratch' | 'dropping' | 'replaced';

/** A generation, who asked for it and why, and how far it came. `null` where its fold never began, or is given up. */
export interface Generation {
  readonly generation: number;
  readonly role: GenerationRole;
  readonly startedBy: string;
  readonly reason: string;
  readonly startedAt: Date;
  readonly fold: GenerationFold | null;
  /** What its job does with it once it has caught up; `null` when nothing. */
  readonly afterwards: Afterwards | null;
}

const generationRow = z.object({
  generation: z.number(),
  state: z.enum(['building', 'served', 'scratch', 'dropping', 'replaced']),
  is_live: z.boolean(),
  started_by: z.string(),
  reason: z.string(),
  started_at: z.date(),
  has_fold: z.boolean(),
  afterwards: z.enum(AFTERWARDS).nullable(),
});
const numberRow = z.tuple([z.object({ generation: z.number() })]);

/** Every generation that is there, oldest first, as of one moment. */
export async function listGenerations(pool: Pool, projection: string): Promise<readonly Generation[]> {
  const found = await pool.query(
    `select g.generation, g.state, l.generation = g.generation as is_live, g.started_by, g.reason, g.started_at,
       c.projection is not null as has_fold, o.afterwards, ${FOLD_COLUMNS}
     from tenure.projection_generation g cross join tenure.live_generation l
     left join tenure.projection_checkpoint c on c.projection = $1 and c.generation = g.generation
     left join tenure.rebuild_order o on o.generation = g.generation and o.outcome is null
     where g.state <> 'dropped' order by g.generation`,
    [projection],
  );
  return found.rows.map((row: unknown) => {
    const { state, is_live: isLive, has_fold: hasFold, ...rest } = generationRow.parse(row);
    return {
      generation: rest.generation,
      role: state !== 'served' ? state : isLive ? 'live' : 'previous',
      startedBy: rest.started_by,
      reason: rest.reason,
      startedAt: rest.started_at,
      fold: hasFold ? parseFold(row) : null,
      afterwards: rest.afterwards,
    };
  });
}

/** @throws UnknownGenerationError when there is none of that number, or it is dropped */
export async function findGeneration(
  pool: Pool,
  projection: string,
  generation: number,
): Promise<Generation> {
  const found = (await listGenerations(pool, projection)).find((each) => each.generation === generation);
  if (found === undefined) throw new UnknownGenerationError(generation);
  return found;
}

/**
 * What a new generation is for, who asked for it and why, and the version of the code that is to fold it. `order` is
 * what whoever folds it does with it then; `null` leaves that to whoever began it.
 */
export interface NewGeneration {
  readonly projection: string;
  readonly state: 'building' | 'scratch';
  readonly startedBy: string;
  readonly reason: string;
  readonly codeVersion: string;
  readonly order: RebuildOrder | null;
}

/**
 * Makes an empty generation: partitions, and a checkpoint at the beginning of the log, all in one transaction that waits
 * for no reader. Returns its number, which no generation had before; or that of the generation that was begun under the id
 * of the same order.
 * @throws RebuildInProgressError when it is to be built and another one is
 */
export async function beginGeneration(pool: Pool, given: NewGeneration): Promise<number> {
  const { projection, state, startedBy, reason, codeVersion, order } = given;
  return inTransaction(pool, async (client) => {
    await client.query('select from tenure.live_generation for update');
    const ordered = order === null ? null : await findOrdered(client, order);
    if (ordered !== null) return ordered;
    if (state === 'building') await refuseSecondBuild(client);
    const { rows } = await client.query(
      `insert into tenure.projection_generation (generation, state, started_by, reason, started_at)
       select max(generation) + 1, $1, $2, $3, now() from tenure.projection_generation returning generation`,
      [state, startedBy, reason],
    );
    const [{ generation }] = numberRow.parse(rows);
    for (const statement of attachPartitions(generation)) await client.query(statement);
    await client.query(
      `insert into tenure.projection_checkpoint (projection, generation, code_version, built_by)
       values ($1, $2, $3, $3)`,
      [projection, generation, codeVersion],
    );
    if (order !== null) await writeJob(client, generation, order);
    return generation;
  });
}

async function refuseSecondBuild(client: PoolClient): Promise<void> {
  const { rows } = await client.query(
    `select generation, started_by, started_at from tenure.projection_generation where state = 'building'`,
  );
  const build = z
    .object({ generation: z.number(), started_by: z.string(), started_at: z.date() })
    .optional()
    .parse(rows[0]);
  if (build !== undefined) {
    throw new RebuildInProgressError(build.generation, build.started_by, build.started_at);
  }
}

/** "tnrd": class of the advisory locks under which generations are dropped, one each. */
const DROP_LOCK = 0x746e7264;

/**
 * Removes a generation that is not live. Whoever folds it loses its checkpoint first, so nothing is written any more;
 * its partitions are detached without stopping a reader, after those have ended that began before. Interrupted in the
 * middle it is left `dropping`: dropping it again goes on.
 * @throws UnknownGenerationError, GenerationIsLiveError
 */
export async function dropGeneration(pool: Pool, projection: string, generation: number): Promise<void> {
  await underLock(pool, [DROP_LOCK, generation], async (session) => {
    await inTransaction(pool, async (client) => {
      const live = await client.query('select generation from tenure.live_generation for update');
      const [{ generation: isRead }] = numberRow.parse(live.rows);
      if (isRead === generation) throw new GenerationIsLiveError(generation);
      const marked = await client.query(
        `update tenure.projection_generation set state = 'dropping' where generation = $1 and state <> 'dropped'`,
        [generation],
      );
      if (marked.rowCount === 0) throw new UnknownGenerationError(generation);
      await client.query(
        'delete from tenure.projection_checkpoint where projection = $1 and generation = $2',
        [projection, generation],
      );
    });
    await session.query(dropSetDown(generation));
    for (const table of GENERATION_TABLES) await dropPartition(session, table, generation);
    await session.query(
      `with gone as (
         update tenure.projection_generation set state = 'dropped' where generation = $1 and state = 'dropping'
         returning generation
       )
       update tenure.rebuild_order o set outcome = 'dropped', finished_at = now()
       from gone where o.generation = gone.generation and o.outcome is null`,
      [generation],
    );
  });
}

/** Detaching `concurrently` is two transactions of its own; one that ended between them is finished. */
async function dropPartition(
  session: PoolClient,
  table: (typeof GENERATION_TABLES)[number],
  generation: number,
): Promise<void> {
  const name = `tenure.${partitionOf(table, generation)}`;
  const { rows } = await session.query(
    'select inhdetachpending as pending from pg_inherits where inhrelid = to_regclass($1)',
    [name],
  );
  const attached = z.object({ pending: z.boolean() }).optional().parse(rows[0]);
  if (attached !== undefined) {
    const how = attached.pending ? 'finalize' : 'concurrently';
    await session.query(`alter table tenure.${table} detach partition ${name} ${how}`);
  }
  await session.query(`drop table if exists ${name}`);
}

/** Does `work` on a connection that holds an advisory lock meanwhile; the session's end lets go of it. */
export async function underLock<T>(
  pool: Pool,
  key: readonly [number, number],
  work: (session: PoolClient) => Promise<T>,
): Promise<T> {
  return withClient(pool, async (session) => {
    await session.query('select pg_advisory_lock($1, $2)', [...key]);
    const result = await work(session);
    await session.query('select pg_advisory_unlock($1, $2)', [...key]);
    return result;
  });
}
