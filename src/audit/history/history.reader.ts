import type { Pool } from 'pg';
import { z } from 'zod';
import type { Position } from '../../events/stored-event.js';
import type { Entitlement } from '../../policy/entitlement.js';
import { entitlementSchema } from '../../projections/entitlements/user-row.js';
import { LIVE } from '../../projections/read-models/live-generation.js';

/** In which order rows are read: as they came to hold, or the newest first. */
export type HistoryOrder = 'oldest' | 'newest';

/** A snapshot that held, as the live generation keeps it; times are Unix ms. */
export interface HistoryRow {
  readonly generation: number;
  /** Counts a user's rows from 1 on. */
  readonly seq: number;
  readonly from: number;
  /** When the next one came to hold; `null` of the newest. */
  readonly until: number | null;
  readonly snapshot: Entitlement;
  /** What held before; of the first row what everyone has by default. */
  readonly before: Entitlement;
  /** The event that made it so; `null` where time alone did. */
  readonly event: { readonly id: string; readonly type: string; readonly position: Position } | null;
}

/** Where rows go on: behind this one, of this generation. */
export interface HistoryPlace {
  readonly generation: number;
  readonly seq: number;
}

const entitlementText = z.string().transform((text) => entitlementSchema.parse(JSON.parse(text)));
const row = z
  .object({
    generation: z.number(),
    seq: z.number(),
    valid_from: z.date(),
    until: z.date().nullable(),
    snapshot: entitlementText,
    before: entitlementText,
    event_id: z.string().nullable(),
    event_type: z.string().nullable(),
    position: z.string().nullable(),
  })
  .transform(({ valid_from: from, until, event_id: id, event_type: type, position, ...rest }): HistoryRow => {
    const event = id === null || type === null || position === null ? null : { id, type, position };
    return { ...rest, from: from.getTime(), until: until?.getTime() ?? null, event };
  });
const liveRow = z.array(z.object({ generation: z.number() }));

/** The statement for one order; what the rows are compared with is found by their numbers, which have no gaps. */
function statementFor(order: HistoryOrder) {
  const [behind, direction] = order === 'oldest' ? ['>', 'asc'] : ['<', 'desc'];
  return {
    name: `tenure-read-history-${order}`,
    text: `select h.generation, h.seq, h.valid_from, n.valid_from as until, h.snapshot, h.event_id, h.event_type,
             h.position::text,
             coalesce(b.snapshot, (
               select p.default_snapshot from tenure.plan_catalog p
               where p.generation = ${LIVE} and p.position <= coalesce(h.position, p.position)
               order by p.position desc limit 1
             ), h.snapshot) as before
           from tenure.entitlement_history h
           left join tenure.entitlement_history b
             on b.generation = ${LIVE} and b.user_id = $1 and b.seq = h.seq - 1
           left join tenure.entitlement_history n
             on n.generation = ${LIVE} and n.user_id = $1 and n.seq = h.seq + 1
           where h.generation = ${LIVE} and h.user_id = $1
             and h.seq ${behind} $2 and ($3::int is null or $3 = ${LIVE})
           order by h.seq ${direction} limit $4`,
  };
}
const STATEMENTS = { oldest: statementFor('oldest'), newest: statementFor('newest') };
const BEGINNING = { oldest: 0, newest: 2_147_483_647 };

/** Up to `limit` rows of a user's history behind a place; one statement, so of one moment. `null`: not of the live generation. */
export async function readHistory(
  pool: Pool,
  userId: string,
  {
    order,
    behind,
    limit,
  }: { readonly order: HistoryOrder; readonly behind: HistoryPlace | null; readonly limit: number },
): Promise<readonly HistoryRow[] | null> {
  const values = [userId, behind?.seq ?? BEGINNING[order], behind?.generation ?? null, limit];
  const { rows } = await pool.query({ ...STATEMENTS[order], values });
  if (rows.length > 0 || behind === null) return z.array(row).parse(rows);
  const [live] = liveRow.parse((await pool.query('select generation from tenure.live_generation')).rows);
  return live?.generation === behind.generation ? [] : null;
}
