import type { Pool } from 'pg';
import { z } from 'zod';
import type { Position } from '../../events/stored-event.js';
import { dropGeneration } from './generation-table.js';

/** "tnrs": class of the advisory locks that say whose scratch generations are in use. */
export const SCRATCH_LOCK = 0x746e7273;

/** Called while the log is folded: where it is (as `reckoned` says, of a whole log), where it goes, and how many events it has folded. */
export type OnProgress = (handled: Position | null, until: Position | null, events: number) => void;

/** Drops scratch generations whose makers are gone: a living one has a lock. */
export async function sweepScratch(pool: Pool, projection: string): Promise<void> {
  const { rows } = await pool.query(
    `select generation from tenure.projection_generation g where state = 'scratch' and not exists (
       select from pg_locks where locktype = 'advisory' and database = (
         select oid from pg_database where datname = current_database()
       ) and classid = $1 and objid = g.generation and granted)
       and started_at < now() - interval '1 minute'`,
    [SCRATCH_LOCK],
  );
  for (const { generation } of z.array(z.object({ generation: z.number() })).parse(rows)) {
    await dropGeneration(pool, projection, generation);
  }
}
