import type { QueryConfig } from 'pg';
import { z } from 'zod';
import { type KeysAnswer, MOST_KEYS } from '../stream-keys.js';

/**
 * What each of the streams holds, without the data of its events: a row for each, of which `keys` are
 * `[causationId, stripeCreated]` of its events in their order. One event more than is taken is looked at, to know of a longer stream.
 */
const KEYS = `
SELECT i.nr::int AS nr, k.count::int AS count, k.plain, k.position, k.hash, k.keys
FROM unnest($1::text[]) WITH ORDINALITY AS i(stream, nr)
CROSS JOIN LATERAL (
  SELECT count(*) AS count, bool_and(e.type = ANY($2::text[])) AS plain, max(e.position)::text AS position,
    (array_agg(m.hash ORDER BY e.revision DESC))[1] AS hash,
    json_agg(json_build_array(m."causationId", m."stripeCreated") ORDER BY e.revision)::text AS keys
  FROM (
    SELECT revision, position, type, metadata FROM tenure_log.event
    WHERE stream = i.stream ORDER BY revision LIMIT ${MOST_KEYS + 1}
  ) AS e
  CROSS JOIN LATERAL json_to_record(e.metadata::json) AS m("causationId" text, "stripeCreated" bigint, hash text)
) AS k`;

/** `nr` counts the streams from 1; without events all but `count` is null. */
export interface KeysRow {
  readonly nr: number;
  readonly count: number;
  readonly plain: boolean | null;
  readonly position: string | null;
  readonly hash: string | null;
  readonly keys: string | null;
}

/** The statement for streams, and the types of event of which the key is enough. */
export function keysStatement(streams: readonly string[], types: readonly string[]): QueryConfig<unknown[]> {
  return { name: 'tenure_log_keys', text: KEYS, values: [streams, types] };
}

const keys = z.array(z.tuple([z.string().nullable(), z.number().nullable()]));

export function keysOfRow({ count, plain, position, hash, keys: text }: KeysRow): KeysAnswer {
  if (count === 0) return 'no_stream';
  if (count > MOST_KEYS || plain !== true || position === null || hash === null || text === null) {
    return 'not_by_keys';
  }
  return { revision: count - 1, hash, position, keys: keys.parse(JSON.parse(text)) };
}
