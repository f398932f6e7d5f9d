import type { Pool } from 'pg';
import { z } from 'zod';
import type { Faulted, PastSnapshot } from '../entitlements/snapshot.js';
import { parseSnapshotTexts, snapshotAt } from '../entitlements/user-row.js';
import { ReadModelNotReadyError } from './served-row.js';

const nullable = z.string().nullable();
const found = z.object({
  snapshot: nullable,
  successors: nullable,
  counter: z.number().nullable(),
  version_offset: z.number().nullable(),
  position: nullable,
  changed_at: z.date().nullable(),
  default_snapshot: nullable,
  fault_position: nullable,
  fault_since: z.date().nullable(),
});

/** Of rows of one user that came by a moment the last; of catalogues that came later than it the first. */
const READ = {
  name: 'tenure-read-served',
  text: `select s.snapshot, s.successors, s.counter, s.version_offset, s.position::text, s.changed_at,
           coalesce(
             (select d.snapshot from tenure.served_entitlement d
              where d.user_id = '' and d.known_from <= q.at order by d.ordinal desc limit 1),
             (select d.snapshot from tenure.served_entitlement d where d.user_id = '' order by d.ordinal limit 1)
           ) as default_snapshot, m.position::text as fault_position, m.since as fault_since
         from (select $1::text as user_id, to_timestamp($2::float8 / 1000) as at) q
         left join lateral (select * from tenure.served_entitlement e
           where e.user_id = q.user_id and e.known_from <= q.at order by e.ordinal desc limit 1) s on true
         left join lateral (select * from tenure.served_mark e
           where e.user_id = q.user_id and e.known_from <= q.at order by e.ordinal desc limit 1) m on true`,
};

/**
 * The snapshot that a fold level with the log served of a user at a moment (Unix ms), whichever generation was read then
 * (DESIGN 9, "Two clocks"); before the first catalogue that of the first.
 * @throws ReadModelNotReadyError
 */
export async function readServedAt(pool: Pool, userId: string, at: number): Promise<PastSnapshot> {
  const { rows } = await pool.query({ ...READ, values: [userId, at] });
  const row = found.parse(rows[0]);
  const byDefault = parse(row.default_snapshot, '[]');
  if (byDefault === null) throw new ReadModelNotReadyError();
  const own = parse(row.snapshot, row.successors);
  // A row that cannot be read back was served as the default plan.
  const { counter, version_offset: offset, fault_position: position, fault_since: since } = row;
  const changed = row.changed_at?.getTime() ?? null;
  const served = snapshotAt({ ...(own ?? byDefault), counter: counter ?? 0, changedAt: changed }, at);
  const faulted: Faulted | null =
    position === null || since === null ? null : { since: since.toISOString(), position };
  return {
    userId,
    ...served.entitlement,
    revocationVersion: served.counter + (offset ?? 0),
    position: row.position,
    changedAt: served.changedAt === null ? null : new Date(served.changedAt).toISOString(),
    ...(faulted === null ? {} : { faulted }),
  };
}

function parse(snapshot: string | null, successors: string | null): ReturnType<typeof parseSnapshotTexts> {
  return snapshot === null ? null : parseSnapshotTexts(snapshot, successors ?? '[]');
}
