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

/** Work that one look takes, and of one group at most. */
const TAKEN_AT_ONCE = 64;

/**
 * Writes work of a reaction, in the transaction that moves its checkpoint: behind that row's lock, which whoever ends work
 * takes too, nobody changes which of a lane is first. What is written already stays as it is.
 */
export async function writeWork(
  database: Statements,
  reaction: string,
  work: readonly NewWork[],
): Promise<void> {
  if (work.length === 0) return;
  await database.query(
    `insert into tenure.reaction_work (id, reaction, lane, "group", payload)
     select w.id, $1, w.lane, w.grp, w.payload
     from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) with ordinality as w(id, lane, grp, payload, n)
     order by w.n on conflict (id) do nothing`,
    [
      reaction,
      work.map(({ key }) => stableId(reaction, key)),
      work.map(({ lane }) => lane),
      work.map(({ group }) => group),
      work.map(({ payload }) => JSON.stringify(payload)),
    ],
  );
  await promote(database, reaction, [...new Set(work.map(({ lane }) => lane))]);
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
  await database.query(
    `update tenure.reaction_work set due_at = clock_timestamp()
     where id in (
       select first.id from unnest($2::text[]) as l(lane) cross join lateral (
         select id, due_at from tenure.reaction_work w
         where w.reaction = $1 and w.lane = l.lane and w.state = 'waiting' order by w.seq limit 1
       ) first where first.due_at is null)`,
    [reaction, lanes],
  );
}

/** Work that is due now, longest first, but for what is under way, what is held, and more than `perGroup` of one group. */
export async function takeDue(
  database: Statements,
  reaction: string,
  {
    underWay,
    held,
    perGroup,
  }: { readonly underWay: readonly string[]; readonly held: readonly string[]; readonly perGroup: number },
): Promise<readonly DueWork[]> {
  const { rows } = await database.query(
    `select id, seq::text, lane, "group", payload, attempts, replayed, created_at from (
       select *, row_number() over (partition by "group" order by due_at, seq) as place
       from tenure.reaction_work
       where reaction = $1 and due_at <= clock_timestamp() and id <> all ($2::uuid[]) and "group" <> all ($3::text[])
     ) w where place <= $4 order by due_at, seq limit $5`,
    [reaction, underWay, held, perGroup, TAKEN_AT_ONCE],
  );
  return z.array(workRow).parse(rows);
}

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

/** What `promote` does, without what is removed by the same statement, which still sees it. */
const REMOVE_AND_PROMOTE = `
  with done as (delete from tenure.reaction_work where id = any ($3::uuid[]))
  update tenure.reaction_work set due_at = clock_timestamp()
  where id in (
    select first.id from unnest($2::text[]) as l(lane) cross join lateral (
      select id, due_at from tenure.reaction_work w
      where w.reaction = $1 and w.lane = l.lane and w.state = 'waiting' and w.id <> all ($3::uuid[])
      order by w.seq limit 1
    ) first where first.due_at is null)`;

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
