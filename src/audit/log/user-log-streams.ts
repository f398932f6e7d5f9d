import type { Pool } from 'pg';
import { z } from 'zod';
import { deadlineStream, planChangeStream, streamName, usageStream } from '../../events/stream-names.js';
import { UserFactsReader } from '../../projections/read-models/user-facts.reader.js';

const named = z.object({
  category: z.enum(['subscription', 'customer', 'checkout', 'grant', 'overrides']),
  id: z.string(),
});

/**
 * Names of the streams that tell of a user, each once: of what belongs to the user now, of what an event ever named the user
 * for, of what was asked of a plan, and of what the clock ended. `prefix` is the setting `STREAM_PREFIX`.
 */
export async function streamsOfUser(pool: Pool, userId: string, prefix: string): Promise<readonly string[]> {
  const [owned, { rows }] = await Promise.all([
    new UserFactsReader(pool).streams(userId, prefix),
    pool.query({
      name: 'tenure-streams-that-named-user',
      text: `select category, id from tenure.user_stream
             where generation = (select generation from tenure.live_generation) and user_id = $1`,
      values: [userId],
    }),
  ]);
  const ever = z
    .array(named)
    .parse(rows)
    .map((subject) => streamName(prefix, subject));
  return [
    ...new Set([
      ...owned,
      ...ever,
      deadlineStream(prefix, userId),
      planChangeStream(prefix, userId),
      usageStream(prefix, userId),
    ]),
  ].sort();
}
