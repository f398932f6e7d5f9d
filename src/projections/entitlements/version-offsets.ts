import type { PoolClient } from 'pg';
import { z } from 'zod';
import { aroundServer, offsetAfter } from './served-version.js';
import type { UserRow } from './user-row.js';

/** A user whose version has grown though no event raised it: Unix ms, and the counter that the offset is added to. */
export interface GrownVersion {
  readonly userId: string;
  readonly counter: number;
  readonly at: number;
}

/** The row of a user as it was read until now, and as a batch leaves it. */
export interface RowMove {
  readonly before: UserRow;
  readonly after: UserRow;
}

const momentRow = z.object({
  now: z.coerce.number(),
  user_id: z.string().nullable(),
  version_offset: z.number().nullable(),
});

/**
 * Lets the offsets grow of users of whom a change by time was, or may have been, served already that their row takes back
 * now: an event from before its instant was folded after it (DESIGN 9). Only for the generation that is read: no other is
 * served. The clock is that of the database server, which all instances share; `now` replaces it. Runs in the transaction
 * of the rows, which holds the checkpoint: no swap comes between. Answers whose offset has grown.
 */
export async function growOffsets(
  client: PoolClient,
  moves: readonly RowMove[],
  now: (() => number) | null,
): Promise<readonly GrownVersion[]> {
  // Without changes by time a row is served by its counter alone, which grows as it should.
  const doubtful = moves.filter(({ before }) => before.successors.length > 0);
  if (doubtful.length === 0) return [];
  const { rows } = await client.query({
    name: 'tenure-read-offsets',
    text: `select extract(epoch from clock_timestamp()) * 1000 as now, o.user_id, o.version_offset
           from tenure.live_generation l left join tenure.revocation_offset o on o.user_id = any($1)`,
    values: [doubtful.map(({ after }) => after.userId)],
  });
  const found = z.array(momentRow).parse(rows);
  const [first] = found;
  if (first === undefined) throw new Error('no generation is read');
  const at = now?.() ?? Math.floor(first.now);
  const known = new Map(found.map((row) => [row.user_id, row.version_offset ?? 0]));
  const grown = doubtful.flatMap(({ before, after }) => {
    const offset = known.get(after.userId) ?? 0;
    const next = offsetAfter(before, offset, after, aroundServer(at), offset);
    return next === offset ? [] : [{ userId: after.userId, counter: after.counter, at, offset: next }];
  });
  if (grown.length === 0) return [];
  await client.query(
    `insert into tenure.revocation_offset (user_id, version_offset) select * from unnest($1::text[], $2::int[])
     on conflict (user_id) do update set version_offset = excluded.version_offset`,
    [grown.map(({ userId }) => userId), grown.map(({ offset }) => offset)],
  );
  return grown;
}
