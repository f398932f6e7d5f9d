import { z } from 'zod';
import type { Queries } from './fact-queries.js';

/** Whom a publication is still to judge: of a generation, by the position of its catalogue, after a user. */
export interface Unjudged {
  readonly generation: number;
  readonly catalog: string;
  /** No catalogue was published before: who has something then has no row yet. */
  readonly isFirst: boolean;
  readonly after: string | null;
}

const idRow = z.object({ user_id: z.string() });

/** Up to `limit` users, by id, whom a publication has not judged. */
export async function usersToJudge(
  pool: Queries,
  { generation, catalog, isFirst, after }: Unjudged,
  limit: number,
): Promise<readonly string[]> {
  const withoutRow = `union
    (select had.user_id from (
       select owner as user_id from tenure.subscription where generation = $1 and owner is not null
       union select owner from tenure.checkout where generation = $1 and owner is not null and purchase
       union select user_id from tenure.grant where generation = $1
       union select user_id from tenure.override where generation = $1) as had
     where ($2::text is null or had.user_id > $2) and not exists (
       select from tenure.user_role u where u.generation = $1 and u.user_id = had.user_id)
     order by had.user_id limit $3)`;
  const found = await pool.query(
    `select user_id from (
       (select user_id from tenure.user_role
        where generation = $1 and ($2::text is null or user_id > $2) and catalog < $4 order by user_id limit $3)
       ${isFirst ? withoutRow : ''}
     ) as known order by user_id limit $3`,
    [generation, after, limit, catalog],
  );
  return z
    .array(idRow)
    .parse(found.rows)
    .map((row) => row.user_id);
}
