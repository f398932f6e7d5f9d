import { z } from 'zod';
import type { Statements } from '../database/in-transaction.js';
import type { Position } from '../events/stored-event.js';
import { WITHOUT_ROW } from '../projections/entitlements/served-history.js';
import type { PastSnapshot } from '../projections/entitlements/snapshot.js';
import { parseSnapshotTexts, snapshotAt } from '../projections/entitlements/user-row.js';
import { BuyerReader } from '../projections/read-models/buyer.reader.js';

const ownerRow = z.object({ owner: z.string().nullable() });
const servedRow = z.object({
  snapshot: z.string().nullable(),
  successors: z.string().nullable(),
  counter: z.number(),
  version_offset: z.number(),
  position: z.string().nullable(),
  changed_at: z.date().nullable(),
});

/** Whose a subscription is now, or else whose its customer is; `null`: nobody's yet. */
export async function ownerOf(
  database: Statements,
  { subscription, customer }: { readonly subscription: string | null; readonly customer: string | null },
): Promise<string | null> {
  const { rows } = await database.query(
    `select coalesce(
       (select owner from tenure.subscription where generation = l.generation and subscription = $1),
       (select owner from tenure.customer where generation = l.generation and customer = $2)) as owner
     from tenure.live_generation l`,
    [subscription, customer],
  );
  return rows[0] === undefined ? null : ownerRow.parse(rows[0]).owner;
}

/** A customer of a user's that is not known to be deleted, the smallest id of several; `null`: none. */
export async function customerOf(database: Statements, userId: string): Promise<string | null> {
  const customers = await new BuyerReader(database).customersOf(userId);
  return customers.find(({ isDeleted }) => !isDeleted)?.customer ?? null;
}

/** What was served of a user once the event of a position was folded, at a moment (Unix ms); `null`: of who has no row. */
export async function servedOf(
  database: Statements,
  userId: string,
  position: Position,
  at: number,
): Promise<PastSnapshot | null> {
  const { rows } = await database.query(
    `select snapshot, successors, counter, version_offset, position::text, changed_at
     from tenure.served_entitlement where user_id = $1 and coalesce(position, 0) <= $2 order by ordinal desc limit 1`,
    [userId, position],
  );
  return snapshotOf(rows[0], userId, at);
}

/** As `servedOf`; of who has no row what the default plan gave at that moment. `null`: before the first catalogue. */
export async function servedOrDefaultOf(
  database: Statements,
  userId: string,
  position: Position,
  at: number,
): Promise<PastSnapshot | null> {
  const own = await servedOf(database, userId, position, at);
  if (own !== null) return own;
  const { rows } = await database.query(
    `select snapshot, successors, counter, version_offset, position::text, changed_at
     from tenure.served_entitlement where user_id = $1 and known_from <= $2 order by ordinal desc limit 1`,
    [WITHOUT_ROW, new Date(at)],
  );
  return snapshotOf(rows[0], userId, at);
}

/** The snapshot of a user by a row, at a moment (Unix ms). */
function snapshotOf(found: unknown, userId: string, at: number): PastSnapshot | null {
  if (found === undefined) return null;
  const row = servedRow.parse(found);
  const texts = row.snapshot === null ? null : parseSnapshotTexts(row.snapshot, row.successors ?? '[]');
  if (texts === null) return null;
  const changedAt = row.changed_at?.getTime() ?? null;
  const then = snapshotAt({ ...texts, counter: row.counter, changedAt }, at);
  return {
    userId,
    ...then.entitlement,
    revocationVersion: then.counter + row.version_offset,
    position: row.position,
    changedAt: then.changedAt === null ? null : new Date(then.changedAt).toISOString(),
  };
}
