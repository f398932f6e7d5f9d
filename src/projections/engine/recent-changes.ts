import type { Pool } from 'pg';
import { z } from 'zod';
import type { ProjectionKey } from './projection-key.js';
import type { ProjectedBatch } from './projector.js';

/** The commit that moved a checkpoint to `revision`, and whose rows it changed; `null` stands for everyone. */
const recentChangeSchema = z.strictObject({ revision: z.number(), users: z.array(z.string()).nullable() });
export type RecentChange = z.infer<typeof recentChangeSchema>;

/** Users in one checkpoint: beyond it the oldest commits are left out. */
const MAX_USERS = 1_000;
const MAX_COMMITS = 50;

/** The commits up to this one that the checkpoint lists, oldest first. */
export function withChange(
  before: readonly RecentChange[],
  revision: number,
  changed: ProjectedBatch['changed'],
): readonly RecentChange[] {
  const users = changed === 'all' || changed.length > MAX_USERS ? null : [...changed];
  const isNext = before.at(-1)?.revision === revision - 1;
  const kept = [...(isNext ? before : []), { revision, users }].slice(-MAX_COMMITS);
  const listed = (): number => kept.reduce((sum, each) => sum + (each.users?.length ?? 0), 0);
  while (listed() > MAX_USERS) kept.shift();
  return kept;
}

/** Whose rows the commits after `known` up to `revision` changed, as far as the checkpoint lists them; else `all`. */
export function changedBetween(
  recent: readonly RecentChange[],
  known: number,
  revision: number,
): ProjectedBatch['changed'] {
  const users = new Set<string>();
  for (let next = known + 1; next <= revision; next += 1) {
    const change = recent.find((each) => each.revision === next);
    if (change === undefined || change.users === null) return 'all';
    for (const user of change.users) users.add(user);
  }
  return [...users];
}

/** The commits that the checkpoint of a generation lists now. */
export async function readRecentChanges(
  pool: Pool,
  { projection, generation }: ProjectionKey,
): Promise<readonly RecentChange[]> {
  const { rows } = await pool.query({
    name: 'tenure-recent-changes',
    text: 'select recent_changes from tenure.projection_checkpoint where projection = $1 and generation = $2',
    values: [projection, generation],
  });
  const [row] = z.array(z.object({ recent_changes: z.string().nullable() })).parse(rows);
  const text = row?.recent_changes ?? null;
  return text === null ? [] : z.array(recentChangeSchema).parse(JSON.parse(text));
}
