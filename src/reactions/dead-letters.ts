import type { Pool } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../database/in-transaction.js';
import { holdLanes, promote } from './work-store.js';

/** Days for which work that was given up is kept. */
const KEPT_DAYS = 30;
/** Rows dropped by one statement. */
const DROPPED_AT_ONCE = 10_000;

/** Work that was given up. */
export interface DeadLetter {
  readonly id: string;
  readonly reaction: string;
  /** What it was for: of a webhook the endpoint. */
  readonly group: string;
  readonly attempts: number;
  readonly failure: string | null;
  readonly createdAt: Date;
  readonly deadAt: Date;
  readonly payload: unknown;
}

const deadRow = z
  .object({
    id: z.string(),
    seq: z.string(),
    reaction: z.string(),
    group: z.string(),
    attempts: z.number(),
    failure: z.string().nullable(),
    created_at: z.date(),
    dead_at: z.date(),
    payload: z.string(),
  })
  .transform(({ created_at: createdAt, dead_at: deadAt, payload, ...rest }) => ({
    ...rest,
    createdAt,
    deadAt,
    payload: JSON.parse(payload) as unknown,
  }));

/** What was given up, the oldest first, behind a place (`seq`). */
export async function listDeadLetters(
  pool: Pool,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly (DeadLetter & { readonly seq: string })[]> {
  const { rows } = await pool.query(
    `select id, seq::text, reaction, "group", attempts, failure, created_at, dead_at, payload
     from tenure.reaction_work where state = 'dead' and seq > $1 order by seq limit $2`,
    [after, limit],
  );
  return z.array(deadRow).parse(rows);
}

/**
 * Has work that was given up done once more, under its id, from its first try on. It comes last in its lane: only the first
 * of a lane may be due, and another may be under way. `false`: there is none such.
 */
export async function replayDeadLetter(pool: Pool, id: string): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    await client.query('set local synchronous_commit = on');
    const { rows } = await client.query(
      `select reaction, lane from tenure.reaction_work where id = $1 and state = 'dead'`,
      [id],
    );
    const [found] = z.array(z.object({ reaction: z.string(), lane: z.string() })).parse(rows);
    if (found === undefined) return false;
    await holdLanes(client, found.reaction);
    const { rowCount } = await client.query(
      `update tenure.reaction_work set state = 'waiting', due_at = null, attempts = 0, replayed = true, dead_at = null,
         seq = nextval(pg_get_serial_sequence('tenure.reaction_work', 'seq')) where id = $1 and state = 'dead'`,
      [id],
    );
    await promote(client, found.reaction, [found.lane]);
    return rowCount === 1;
  });
}

/** Drops what was given up more than 30 days ago, a part of it at a time; what a replay waits for is no dead letter. */
export async function dropOldDeadLetters(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from tenure.reaction_work where state = 'dead' and id in (
       select id from tenure.reaction_work
       where state = 'dead' and dead_at <= now() - $1 * interval '1 day' limit $2)`,
    [KEPT_DAYS, DROPPED_AT_ONCE],
  );
  return rowCount ?? 0;
}
