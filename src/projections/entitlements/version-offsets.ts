import type { PoolClient, QueryConfig } from 'pg';
import { z } from 'zod';
import { aroundServer, offsetAfter } from './served-version.js';
import type { UserRow } from './user-row.js';

/** A user whose version has grown though no event raised it: Unix ms, and the counter that the offset is added to. */
export interface GrownVersion {
  readonly userId: string;
  readonly counter: number;
  readonly at: number;
}

/** A user's version that has grown without an event, and the offset that it grew to. */
export interface GrownOffset extends GrownVersion {
  readonly offset: number;
}

/** The row of a user as it was read until now, and as a batch leaves it. */
export interface RowMove {
  readonly before: UserRow;
  readonly after: UserRow;
}

/** When something is served from, by the database server's clock (Unix ms), and the offsets of users that have one. */
export interface Serving {
  readonly at: number;
  readonly offsets: ReadonlyMap<string, number>;
}

const servingRow = z.object({
  now: z.coerce.number(),
  user_id: z.string().nullable(),
  version_offset: z.number().nullable(),
});

/**
 * What is served now of users whose rows move, or `null` where the generation is not the one that is read: no other is
 * served. In the transaction of the rows, which holds the checkpoint, it stays so: no swap comes between.
 */
export async function readServing(
  client: PoolClient,
  generation: number,
  moves: readonly RowMove[],
): Promise<Serving | null> {
  const { rows } = await client.query({
    name: 'tenure-read-serving',
    text: `select extract(epoch from clock_timestamp()) * 1000 as now, o.user_id, o.version_offset
           from tenure.live_generation l left join tenure.revocation_offset o on o.user_id = any($2)
           where l.generation = $1`,
    values: [generation, moves.filter(isDoubtful).map(({ after }) => after.userId)],
  });
  const found = z.array(servingRow).parse(rows);
  const [first] = found;
  if (first === undefined) return null;
  const offsets = found.flatMap(({ user_id: userId, version_offset: offset }) =>
    userId === null || offset === null ? [] : [[userId, offset] as const],
  );
  return { at: Math.floor(first.now), offsets: new Map(offsets) };
}

/**
 * Lets the offsets grow of users of whom a change by time was, or may have been, served already that their row takes back
 * now: an event from before its instant was folded after it (DESIGN 9). The clock is that of the database server, which all
 * instances share; `now` replaces it. Answers whose offset has grown; they are written by `offsetsStatement`.
 */
export function growOffsets(
  { at: servedAt, offsets }: Serving,
  moves: readonly RowMove[],
  now: (() => number) | null,
): readonly GrownOffset[] {
  const at = now?.() ?? servedAt;
  return moves.filter(isDoubtful).flatMap(({ before, after }) => {
    const { userId, counter } = after;
    const known = offsets.get(userId) ?? 0;
    const offset = offsetAfter(before, known, after, aroundServer(at), known);
    return offset === known ? [] : [{ userId, counter, at, offset }];
  });
}

export function offsetsStatement(grown: readonly GrownOffset[]): QueryConfig {
  return {
    name: 'tenure-write-offsets',
    text: `insert into tenure.revocation_offset (user_id, version_offset) select * from unnest($1::text[], $2::int[])
           on conflict (user_id) do update set version_offset = excluded.version_offset`,
    values: [grown.map(({ userId }) => userId), grown.map(({ offset }) => offset)],
  };
}

/** Without changes by time a row is served by its counter alone, which grows as it should. */
function isDoubtful({ before }: RowMove): boolean {
  return before.successors.length > 0;
}
