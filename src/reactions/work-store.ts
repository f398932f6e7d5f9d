import type { Pool } from 'pg';
import { z } from 'zod';
import { inTransaction, type Statements } from '../database/in-transaction.js';
import { type DueWork, type NewWork, stableId } from './reaction.js';

const workRow = z
  .object({
    id: z.string(),
    seq: z.string(),
    lane: z.string(),
    group: z.string(),
    payload: z.string(),
    attempts: z.number(),
    replayed: z.boolean(),
    created_at: z.date(),
  })
  .transform(
    ({ payload, created_at: createdAt, ...rest }): DueWork => ({
      ...rest,
      payload: JSON.parse(payload),
      createdAt,
    }),
  );

/**
 * Writes work of a reaction, in the transaction that moves its checkpoint: behind that row's lock, which whoever ends work
 * takes too, nobody changes which of a lane is first. What is written already stays as it is.
 *
 * Statistics of PostgreSQL are of no help: the table is large one minute and empty the next, and the planner may take ten
 * thousand rows for four. So no statement that writes leaves it a join: each reads the table a few times at most.
 */
export async function writeWork(
  database: Statements,
  reaction: string,
  work: readonly NewWork[],
): Promise<void> {
  if (work.length === 0) return;
  const lanes = [...new Set(work.map(({ lane }) => lane))];
  const { rows } = await database.query(WRITE, [
    reaction,
    work.map(({ key }) => stableId(reaction, key)),
    work.map(({ lane }) => lane),
    work.map(({ group }) => group),
    work.map(({ payload }) => JSON.stringify(payload)),
    firstOfLanes(work),
    lanes,
  ]);
  // Behind one that was written before, and so not now, another may be the first of its lane.
  if (rows.length < work.length) await promote(database, reaction, lanes);
}

/** Written with the time at which it is due: what is the first of its lane, where nothing of that waits. */
const WRITE = `
  insert into tenure.reaction_work (id, reaction, lane, "group", payload, due_at)
  select w.id, $1, w.lane, w.grp, w.payload,
    case when w.is_first and w.lane <> all (array(
      select distinct lane from tenure.reaction_work
      where reaction = $1 and state = 'waiting' and lane = any ($7::text[]))) then clock_timestamp() end
  from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[]) with ordinality
    as w(id, lane, grp, payload, is_first, n)
  order by w.n on conflict (id) do nothing returning 1`;

/** Of each whether it is the first of its lane here. */
function firstOfLanes(work: readonly NewWork[]): readonly boolean[] {
  const seen = new Set<string>();
  return work.map(({ lane }) => {
    const isFirst = !seen.has(lane);
    seen.add(lane);
    return isFirst;
  });
}

/** Holds the reaction's checkpoint until the transaction ends, which is durable then: see `writeWork`. */
export async function holdLanes(database: Statements, reaction: string): Promise<void> {
  await database.query(
    `select set_config('synchronous_commit', 'on', true) from tenure.reaction_checkpoint where reaction = $1 for update`,
    [reaction],
  );
}

/** Makes the first that waits in each of these lanes due, unless it is already. */
export async function promote(
  database: Statements,
  reaction: string,
  lanes: readonly string[],
): Promise<void> {
  await database.query(PROMOTE, [reaction, lanes, []]);
}

/** As ids that are found first: see `writeWork`. `$3` is what does not count as waiting. */
const PROMOTE = `
  update tenure.reaction_work set due_at = clock_timestamp()
  where id = any (array(
    select id from (
      select distinct on (lane) id, due_at from tenure.reaction_work
      where reaction = $1 and state = 'waiting' and lane = any ($2::text[]) and id <> all ($3::uuid[])
      order by lane, seq
    ) first where due_at is null))`;

/** What one look takes. */
export interface TakeOptions {
  /** Ids that are taken already. */
  readonly underWay: readonly string[];
  /** Groups of which nothing is taken. */
  readonly held: readonly string[];
  readonly perGroup: number;
  readonly inAll: number;
}

/** Work that is due now, longest first. However much waits, what is read is what is taken, of each group by its index. */
export async function takeDue(
  database: Statements,
  reaction: string,
  { underWay, held, perGroup, inAll }: TakeOptions,
): Promise<readonly DueWork[]> {
  const { rows } = await database.query(TAKE, [reaction, underWay, held, perGroup, inAll]);
  return z.array(workRow).parse(rows);
}

/** The clock is that of the statement's begin, rounded up as `due_at` may be: a time that moves while it runs is no bound of an index. */
const TAKE = `
  with recursive groups as (
    (select "group" from tenure.reaction_work
     where reaction = $1 and due_at is not null order by "group" limit 1)
    union all
    select (select w."group" from tenure.reaction_work w
            where w.reaction = $1 and w.due_at is not null and w."group" > g."group" order by w."group" limit 1)
    from groups g where g."group" is not null
  )
  select id, seq::text, lane, w."group", payload, attempts, replayed, created_at
  from groups g cross join lateral (
    select * from tenure.reaction_work
    where reaction = $1 and "group" = g."group" and id <> all ($2::uuid[])
      and due_at <= statement_timestamp() + interval '1 millisecond'
    order by due_at, seq limit $4
  ) w
  where g."group" <> all ($3::text[]) order by w.due_at, w.seq limit $5`;

/** How a try ended: `done`; to be tried again in so many milliseconds; or given up. */
export type TryEnd =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'again'; readonly inMs: number; readonly why: string }
  | { readonly outcome: 'dead'; readonly why: string };

/** A try that has ended. */
export interface EndedTry {
  readonly work: Pick<DueWork, 'id' | 'lane'>;
  readonly end: TryEnd;
}

/** Keeps how tries of different lanes ended, in one transaction, and lets the next of a lane go where one is over. */
export async function endTries(pool: Pool, reaction: string, ended: readonly EndedTry[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    await holdLanes(client, reaction);
    const done = ended.filter(({ end }) => end.outcome === 'done').map(({ work }) => work);
    if (done.length > 0) {
      const [lanes, ids] = [done.map(({ lane }) => lane), done.map(({ id }) => id)];
      await client.query(REMOVE_AND_PROMOTE, [reaction, lanes, ids]);
    }
    for (const { work, end } of ended) {
      if (end.outcome === 'again') await client.query(AGAIN, [work.id, end.why, end.inMs]);
      if (end.outcome !== 'dead') continue;
      await client.query(GIVE_UP, [work.id, end.why]);
      await promote(client, reaction, [work.lane]);
    }
  });
}

/** What is done is still seen by the other half of the statement, and is left out there. */
const REMOVE_AND_PROMOTE = `
  with done as (delete from tenure.reaction_work where id = any ($3::uuid[]))
  ${PROMOTE}`;

const AGAIN = `
  update tenure.reaction_work set attempts = attempts + 1, failure = $2,
    due_at = clock_timestamp() + $3 * interval '1 millisecond' where id = $1 and state = 'waiting'`;

const GIVE_UP = `
  update tenure.reaction_work set state = 'dead', dead_at = clock_timestamp(), due_at = null, failure = $2,
    attempts = attempts + 1, gap_told = false where id = $1 and state = 'waiting'`;

/** How much work waits, how much was given up, and since when the oldest waits (Unix ms), by reaction. */
export async function countWork(database: Statements): Promise<
  readonly {
    readonly reaction: string;
    readonly waiting: number;
    readonly dead: number;
    readonly oldestMs: number | null;
  }[]
> {
  const { rows } = await database.query(
    `select c.reaction, count(*) filter (where w.state = 'waiting')::int as waiting,
       count(*) filter (where w.state = 'dead')::int as dead,
       extract(epoch from min(w.created_at) filter (where w.state = 'waiting'))::float8 * 1000 as "oldestMs"
     from tenure.reaction_checkpoint c left join tenure.reaction_work w using (reaction) group by 1`,
    [],
  );
  return z
    .array(
      z.object({
        reaction: z.string(),
        waiting: z.number(),
        dead: z.number(),
        oldestMs: z.number().nullable(),
      }),
    )
    .parse(rows);
}
