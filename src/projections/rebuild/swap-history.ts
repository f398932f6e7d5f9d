import type { Pool } from 'pg';
import { z } from 'zod';
import type { Position } from '../../events/stored-event.js';

/** A move of the pointer as it was recorded. */
export interface RecordedSwap {
  readonly swap: number;
  readonly kind: 'swap' | 'rollback' | 'adoption';
  readonly from: number;
  readonly to: number;
  readonly position: Position | null;
  readonly fromCode: string;
  readonly toCode: string;
  readonly usersChanged: number;
  readonly actor: string;
  readonly reason: string;
  readonly at: Date;
}

const swapRow = z
  .object({
    swap: z.number(),
    kind: z.enum(['swap', 'rollback', 'adoption']),
    from_generation: z.number(),
    to_generation: z.number(),
    position: z.string().nullable(),
    from_code: z.string(),
    to_code: z.string(),
    users_changed: z.number(),
    actor: z.string(),
    reason: z.string(),
    swapped_at: z.date(),
  })
  .transform(
    ({ from_generation, to_generation, from_code, to_code, users_changed, swapped_at, ...rest }) => ({
      ...rest,
      from: from_generation,
      to: to_generation,
      fromCode: from_code,
      toCode: to_code,
      usersChanged: users_changed,
      at: swapped_at,
    }),
  ) satisfies z.ZodType<RecordedSwap>;

/** The last `limit` moves of the pointer, newest first. */
export async function listSwaps(pool: Pool, limit: number): Promise<readonly RecordedSwap[]> {
  const { rows } = await pool.query(
    `select swap, kind, from_generation, to_generation, position::text, from_code, to_code, users_changed, actor,
       reason, swapped_at
     from tenure.generation_swap order by swap desc limit $1`,
    [limit],
  );
  return z.array(swapRow).parse(rows);
}
