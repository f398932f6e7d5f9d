import type pg from 'pg';
import type { Position } from '../../src/events/stored-event.js';

/** Pages the rows of a log in PostgreSQL with the driver alone, and does nothing with them; how many those were. */
export async function pageRows(client: pg.Client, from: Position, page: number): Promise<number> {
  let count = 0;
  for (let after = from; ; ) {
    const { rows } = await client.query<{ position: string }>({
      name: 'page',
      text: `select position::text, stream, revision::float8, id, type, data, metadata from tenure_log.event as e
             where e.position > $1 order by e.position limit $2`,
      values: [after, page],
    });
    count += rows.length;
    const last = rows.at(-1);
    if (last === undefined) return count;
    after = last.position;
  }
}
