import type { QueryConfig } from 'pg';
import type { NewEvent } from '../../events/stored-event.js';

/** One append as the statement sees it. `expected` is -1 for a stream that must not exist yet. */
export interface Append {
  readonly stream: string;
  readonly expected: number;
  readonly events: readonly NewEvent[];
  /** About the bytes it adds to a statement. */
  readonly weight: number;
}

/**
 * Writes a batch of appends, at most one per stream, in one autocommit statement; those at a wrong revision are left out
 * and the others land. Written for READ COMMITTED, where a statement has one snapshot but locks see the latest row:
 *
 * - `moved` creates or advances the heads in name order (no deadlocks). ON CONFLICT waits for a concurrent writer of the
 *   same head and then compares with what that one committed, so of two creators of a stream exactly one wins. A stream
 *   is only created by an append that expects none; heads are never deleted, so one that was seen stays. The look-up
 *   is a scalar subquery because EXISTS may be planned as a hash of the whole table.
 * - `block` locks the log's head row until the commit and then, in a snapshot of its own, reads the last position: so
 *   positions are dense and become visible in order.
 * - `event` is filled from what the two gave back, never from the snapshot.
 */
const APPEND = `
WITH input AS MATERIALIZED (
  SELECT nr, stream, expected, size
  FROM unnest(string_to_array($1, $10), $2::bigint[], $3::bigint[]) WITH ORDINALITY AS i(stream, expected, size, nr)
  WHERE size IS NOT NULL
), moved AS (
  INSERT INTO tenure_log.stream_head AS head (stream, previous, revision)
  SELECT i.stream, i.expected, i.expected + i.size
  FROM input i
  WHERE i.expected = -1 OR (SELECT true FROM tenure_log.stream_head h WHERE h.stream = i.stream)
  ORDER BY i.stream COLLATE "C"
  ON CONFLICT (stream) DO UPDATE SET previous = excluded.previous, revision = excluded.revision
    WHERE head.revision = excluded.previous
  RETURNING head.stream
), won AS MATERIALIZED (
  SELECT i.nr, i.stream, i.expected, i.size, sum(i.size) OVER (ORDER BY i.nr) AS upto
  FROM input i JOIN moved m ON m.stream = i.stream
), block AS MATERIALIZED (
  SELECT tenure_log.lock_last_position() AS before
  FROM (SELECT count(*) AS appends FROM won) AS total
  WHERE total.appends > 0
), written AS (
  INSERT INTO tenure_log.event (position, stream, revision, id, type, data, metadata)
  SELECT b.before + w.upto - w.size + e.k, w.stream, w.expected + e.k, e.id, e.type, e.data, e.metadata
  FROM unnest($4::bigint[], $5::bigint[], $6::uuid[],
              string_to_array($7, $10), string_to_array($8, $10), string_to_array($9, $10))
         AS e(nr, k, id, type, data, metadata)
  JOIN won w ON w.nr = e.nr CROSS JOIN block b
)
SELECT w.nr::int AS nr, (b.before + w.upto)::text AS position FROM won w CROSS JOIN block b`;

/** Row of the answer: the append that landed (counted from 1) and the position of its last event. */
export interface LandedRow {
  readonly nr: number;
  readonly position: string;
}

/** The statement for a batch. The streams must all differ. */
export function appendStatement(batch: readonly Append[]): QueryConfig<unknown[]> {
  const streams: string[] = [];
  const expected: number[] = [];
  const sizes: number[] = [];
  const nrs: number[] = [];
  const ks: number[] = [];
  const ids: string[] = [];
  const types: string[] = [];
  const data: string[] = [];
  const metadata: string[] = [];
  for (const [index, append] of batch.entries()) {
    streams.push(append.stream);
    expected.push(append.expected);
    sizes.push(append.events.length);
    for (const [k, event] of append.events.entries()) {
      nrs.push(index + 1);
      ks.push(k + 1);
      ids.push(event.id);
      types.push(event.type);
      data.push(event.data);
      metadata.push(event.metadata);
    }
  }
  const separator = separatorFor(streams, types, data, metadata);
  return {
    name: 'tenure_log_append',
    text: APPEND,
    values: [
      joined(streams, separator),
      expected,
      sizes,
      nrs,
      ks,
      ids,
      joined(types, separator),
      joined(data, separator),
      joined(metadata, separator),
      separator,
    ],
  };
}

/**
 * Texts travel joined rather than as array literals, which take twice the time to quote and parse. The separator
 * at the end keeps a single empty text from vanishing in `string_to_array`; the surplus one it makes is left out.
 */
function joined(texts: readonly string[], separator: string): string {
  return texts.join(separator) + separator;
}

/**
 * A separator that is in none of the texts: one control character as a rule, since JSON has none. As no end of it is also
 * a beginning of it, it cannot arise where a text and a separator meet either.
 */
function separatorFor(...columns: readonly (readonly string[])[]): string {
  let separator = '\u0001';
  while (columns.some((texts) => texts.some((text) => text.includes(separator)))) separator += '\u0002';
  return separator;
}

/** What stands where appends wanted to go: a row for each of their places, at least one for each append. */
const COMPARE = `
SELECT i.nr::int AS nr, h.revision::float8 AS actual, e.id, e.position::text AS position
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS i(stream, expected, size, nr)
LEFT JOIN LATERAL (
  SELECT revision FROM tenure_log.stream_head WHERE stream = i.stream LIMIT 1
) h ON true
LEFT JOIN LATERAL (
  SELECT id, revision, position FROM tenure_log.event
  WHERE stream = i.stream AND revision > i.expected ORDER BY revision LIMIT i.size
) e ON true
ORDER BY i.nr, e.revision`;

/** `actual` is the stream's last revision; `id` and `position` are of the event at the next place of the append. */
export interface CompareRow {
  readonly nr: number;
  readonly actual: number | null;
  readonly id: string | null;
  readonly position: string | null;
}

/** The statement that shows what the given appends collided with. */
export function compareStatement(appends: readonly Append[]): QueryConfig<unknown[]> {
  return {
    name: 'tenure_log_compare',
    text: COMPARE,
    values: [
      appends.map((append) => append.stream),
      appends.map((append) => append.expected),
      appends.map((append) => append.events.length),
    ],
  };
}
