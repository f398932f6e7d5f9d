import type { Pool } from 'pg';
import { z } from 'zod';
import { LIVE_CHECKPOINT, type LiveCheckpoint, parseLiveCheckpoint } from './checkpoint.js';
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

/** The live checkpoint, and the commits that it lists. */
export interface LiveChanges {
  readonly live: LiveCheckpoint;
  readonly recent: readonly RecentChange[];
}

/**
 * The live checkpoint as it is now; the commits that it lists are left out where it is the one that is `known`. `null` before
 * the projection's first start. One statement: the commit is among those that it lists, and who follows waits for one answer.
 */
export async function readLiveChanges(
  pool: Pool,
  projection: string,
  known: LiveCheckpoint | null,
): Promise<LiveChanges | null> {
  const { rows } = await pool.query({
    name: 'tenure-live-changes',
    text: `select ${LIVE_CHECKPOINT.columns},
             case when l.swaps = $2 and c.revision = $3 then null else c.recent_changes end as recent_changes
           from ${LIVE_CHECKPOINT.from}`,
    values: [projection, known?.liveEpoch ?? null, known?.checkpoint.revision ?? null],
  });
  const [row] = z.array(z.looseObject({ recent_changes: z.string().nullable() })).parse(rows);
  if (row === undefined) return null;
  const { recent_changes: text } = row;
  const recent = text === null ? [] : z.array(recentChangeSchema).parse(JSON.parse(text));
  return { live: parseLiveCheckpoint(row), recent };
}
