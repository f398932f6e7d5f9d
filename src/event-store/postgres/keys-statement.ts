import type { QueryConfig } from 'pg';
import { type KeyedEvent, type KeysAnswer, keysOfEvents, MOST_KEYS } from '../stream-keys.js';

/**
 * The events of each of the streams without their data, in their order. One more than is told is looked at, to know of a longer
 * stream. What metadata says is read here: PostgreSQL takes three times as long to find two fields in it.
 */
const KEYED = `
SELECT i.nr::int AS nr, e.revision::float8 AS revision, e.position::text AS position, e.type, e.metadata
FROM unnest($1::text[]) WITH ORDINALITY AS i(stream, nr)
CROSS JOIN LATERAL (
  SELECT revision, position, type, metadata FROM tenure_log.event
  WHERE stream = i.stream ORDER BY revision LIMIT ${MOST_KEYS + 1}
) AS e
ORDER BY i.nr, e.revision`;

/** An event of one of the streams; `nr` counts them from 1. */
export interface KeyedRow extends KeyedEvent {
  readonly nr: number;
}

/** The statement for what the streams hold. */
export function keysStatement(streams: readonly string[]): QueryConfig<unknown[]> {
  return { name: 'tenure_log_keyed', text: KEYED, values: [streams] };
}

/** What its answer says of each of the streams. */
export function keysOfRows(
  streams: readonly string[],
  rows: readonly KeyedRow[],
  types: ReadonlySet<string>,
): readonly KeysAnswer[] {
  const events: KeyedRow[][] = streams.map(() => []);
  for (const row of rows) events[row.nr - 1]?.push(row);
  return events.map((each) => keysOfEvents(each, types));
}
