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
 *
 * `place` counts an event from 1 on among all that are written.
 */
const appendText = (place: string): string => `
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
  SELECT b.before + ${place}, w.stream, w.expected + e.k, e.id, e.type, e.data, e.metadata
  FROM unnest($4::bigint[], $5::bigint[], $6::uuid[],
              string_to_array($7, $10), string_to_array($8, $10), string_to_array($9, $10))
         WITH ORDINALITY AS e(nr, k, id, type, data, metadata, nth)
  JOIN won w ON w.nr = e.nr CROSS JOIN block b
)
SELECT w.nr::int AS nr, (b.before + w.upto)::text AS position FROM won w CROSS JOIN block b`;

const APPEND = appendText('w.upto - w.size + e.k');
const APPEND_IN_ORDER = appendText('row_number() OVER (ORDER BY e.nth)');

/** Row of the answer: the append that landed (counted from 1) and the position of its last event. */
export interface LandedRow {
  readonly nr: number;
  readonly position: string;
}

/** An event of a statement: of which append (counted from 1), and at which place in it (likewise). */
interface Listed {
  readonly nr: number;
  readonly k: number;
  readonly event: NewEvent;
}

/** The statement for a batch: one append after the other. The streams must all differ. */
export function appendStatement(batch: readonly Append[]): QueryConfig<unknown[]> {
  const listed = batch.flatMap(({ events }, index) =>
    events.map((event, k) => ({ nr: index + 1, k: k + 1, event })),
  );
  return { name: 'tenure_log_append', text: APPEND, values: valuesOf(batch, listed) };
}

/** Appends of which the streams all differ, and the order in which all their events are to stand in the log. */
export interface OrderedBatch {
  readonly appends: readonly Append[];
  readonly listed: readonly Listed[];
}

/** The statement for a batch whose events have an order of their own; positions in its answer mean nothing. */
export function orderedStatement({ appends, listed }: OrderedBatch): QueryConfig<unknown[]> {
  return { name: 'tenure_log_append_in_order', text: APPEND_IN_ORDER, values: valuesOf(appends, listed) };
}

function valuesOf(batch: readonly Append[], listed: readonly Listed[]): unknown[] {
  const streams = batch.map(({ stream }) => stream);
  const types = listed.map(({ event }) => event.type);
  const data = listed.map(({ event }) => event.data);
  const metadata = listed.map(({ event }) => event.metadata);
  const separator = separatorFor(streams, types, data, metadata);
  return [
    joined(streams, separator),
    batch.map(({ expected }) => expected),
    batch.map(({ events }) => events.length),
    listed.map(({ nr }) => nr),
    listed.map(({ k }) => k),
    listed.map(({ event }) => event.id),
    joined(types, separator),
    joined(data, separator),
    joined(metadata, separator),
    separator,
  ];
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
