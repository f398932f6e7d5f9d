import { z } from 'zod';
import type { Statements } from '../../database/in-transaction.js';

const usageRow = z.object({ key: z.string(), value: z.coerce.number() });

/** Reads what users have in use of limited things, as it was reported last. */
export class UsageReader {
  constructor(private readonly pool: Statements) {}

  /** Of each limit that was reported of a user, by its key. */
  async usageOf(userId: string): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.pool.query(
      `select key, value from tenure.usage
       where generation = (select generation from tenure.live_generation) and user_id = $1`,
      [userId],
    );
    return new Map(
      z
        .array(usageRow)
        .parse(rows)
        .map(({ key, value }) => [key, value]),
    );
  }
}
