import type { CommittedIds } from './committed-ids.js';
import type { Expected, LogRecord } from './records.js';

/** What the check needs to know of a stream that is not tombstoned. `records` are in revision order from 0. */
export interface CheckedStream {
  readonly name: string;
  readonly records: readonly LogRecord[];
  readonly softDeleted: boolean;
  /** Whether its metadata was ever set: that alone makes it a stream that exists. */
  readonly hasMetadata: boolean;
}

/**
 * What becomes of an append: it is written, it is the repeat of the one that ended at `last`, it expected another
 * revision, its stream is deleted, or the server loses itself in it and never answers.
 */
export type Verdict =
  | { readonly is: 'new' }
  | { readonly is: 'repeat'; readonly last: number }
  | { readonly is: 'wrong version' }
  | { readonly is: 'stream deleted' }
  | { readonly is: 'never answered' };

const NEW: Verdict = { is: 'new' };
const WRONG_VERSION: Verdict = { is: 'wrong version' };

/** The measured idempotency matrix as one rule. `ids` are those of the append, in order. */
export function checkAppend(
  stream: CheckedStream,
  expected: Expected,
  ids: readonly string[],
  committed: CommittedIds,
): Verdict {
  const current = stream.records.length - 1;
  if (expected === 'stream_exists' && current < 0 && !stream.hasMetadata) return WRONG_VERSION;
  if (expected === 'stream_exists' && stream.softDeleted) return { is: 'stream deleted' };
  if (expected === 'any' || expected === 'stream_exists') return checkById(stream, ids, committed);
  const exact = expected === 'no_stream' ? -1 : expected;
  if (exact === current) return NEW;
  if (exact > current) return WRONG_VERSION;
  return checkByPlace(stream, exact, ids);
}

/** Without a revision a repeat is known by its ids alone, wherever they are, as long as they are remembered. */
function checkById(stream: CheckedStream, ids: readonly string[], committed: CommittedIds): Verdict {
  const places: number[] = [];
  for (const id of ids) {
    const place = committed.get(id);
    if (place === undefined || place.stream !== stream.name) {
      return places.length === 0 ? NEW : WRONG_VERSION;
    }
    places.push(place.revision);
  }
  const first = places[0];
  const last = places.at(-1);
  if (first === undefined || last === undefined) return NEW;
  return last + 1 < first ? { is: 'never answered' } : { is: 'repeat', last };
}

/** At an exact revision a repeat is known by the ids that stand where the append would have put them. */
function checkByPlace(stream: CheckedStream, exact: number, ids: readonly string[]): Verdict {
  const repeated = ids.filter((id, place) => stream.records[exact + 1 + place]?.id === id).length;
  if (ids.length > 0 && repeated === ids.length) return { is: 'repeat', last: exact + ids.length };
  const startsNew = ids.length > 0 && stream.records[exact + 1]?.id !== ids[0];
  return startsNew && exact === -1 && stream.softDeleted ? NEW : WRONG_VERSION;
}
