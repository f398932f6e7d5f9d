import type { Pool } from 'pg';
import { z } from 'zod';

/** A change by time that is due and not written yet: the instant (Unix ms) of a user's first stored successor. */
export interface DueDeadline {
  readonly userId: string;
  readonly at: number;
}

const rows = z.array(z.object({ user_id: z.string(), next_at: z.date() }));

/** Finds, in the live generation, whose stored successors are due. */
export class DeadlineReader {
  constructor(private readonly pool: Pool) {}

  /**
   * Up to `limit` deadlines that are due at `now` (Unix ms), oldest first, each user once; `after` is the last one of
   * the page before. Read along an index, no further than the page.
   */
  async due(now: number, after: DueDeadline | null, limit: number): Promise<readonly DueDeadline[]> {
    const found = await this.pool.query({
      name: 'tenure-due-deadlines',
      text: `select user_id, next_at from tenure.user_role
             where generation = (select generation from tenure.live_generation) and next_at <= $1
               and (next_at, user_id) > ($2::timestamptz, $3::text)
             order by next_at, user_id limit $4`,
      values: [
        new Date(now).toISOString(),
        after === null ? '-infinity' : new Date(after.at).toISOString(),
        after?.userId ?? '',
        limit,
      ],
    });
    return rows.parse(found.rows).map(({ user_id: userId, next_at: at }) => ({ userId, at: at.getTime() }));
  }
}
