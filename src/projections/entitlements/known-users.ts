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
    (select distinct s.owner from tenure.subscription s
     where s.generation = $1 and s.owner is not null and ($2::text is null or s.owner > $2) and not exists (
       select from tenure.user_role u where u.generation = $1 and u.user_id = s.owner)
     order by s.owner limit $3)`;
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
