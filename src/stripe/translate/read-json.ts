import { type ClaimReading, claimOf } from '../../events/user-id.js';
import { NamedError } from '../../observability/named-error.js';

/** A JSON object of unknown shape. */
export type JsonObject = Readonly<Record<string, unknown>>;

const ID = /^[^\p{Cc}\p{Surrogate}\s]{1,255}$/u;

/** The value as an object, or `null` for anything else, arrays included. */
export function object(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** An own property of an object; `undefined` where there is no object or no such property. */
export function field(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    const at = object(current);
    if (at === null || !Object.hasOwn(at, key)) return undefined;
    current = at[key];
  }
  return current;
}

/**
 * Entries of one list that are looked at. Stripe sends ten lines and twenty items, and what it is asked for comes in pages
 * of a hundred; a body of a mebibyte has room for half a million entries, each of which would cost a fact.
 */
export const MOST_ENTRIES = 2_000;

/** A list is longer than anything Stripe sends: the event is malformed. */
export class TooManyEntriesError extends NamedError {
  readonly code = 'too_many_entries';
  constructor(found: number) {
    super(`a list of ${found} entries is longer than ${MOST_ENTRIES}`);
  }
}

/** Items of an array; none for anything else. @throws TooManyEntriesError before any of them is looked at */
export function items(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [];
  if (value.length > MOST_ENTRIES) throw new TooManyEntriesError(value.length);
  return value;
}

/** A string that the log and the read models can keep: neither U+0000 nor half a pair of surrogates is in it. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && isStorable(value) ? value : null;
}

export function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0');
}

/** A number JSON can hold. Its -0 is 0: canonical JSON stores it as that. */
export function finite(value: unknown): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  return value === 0 ? 0 : value;
}

/** A whole number that is exact, such as Unix seconds. */
export function whole(value: unknown): number | null {
  const number = finite(value);
  return Number.isSafeInteger(number) ? number : null;
}

/** 2100-01-01T00:00:00Z: no second in which something was made lies beyond it. */
export const LAST_CREATED = 4_102_444_800;
/** 9999-12-31T23:59:59Z: the last second that RFC 3339 and PostgreSQL can both say. */
const LAST_SECOND = 253_402_300_799;
/** Stripe's greatest quantity of an item. */
const LARGEST_QUANTITY = 999_999_999;

/** A number that Stripe cannot have meant: the event is malformed. The message names the field and shows no value. */
export class OutOfRangeError extends NamedError {
  readonly code = 'out_of_range';
}

/**
 * Unix seconds, from 0 to the end of the year 9999: no instant that is accepted can fail later for its size (DESIGN 5).
 * What is no number counts as absent. @throws OutOfRangeError
 */
export function seconds(value: unknown, name: string): number | null {
  return ranged(value, name, LAST_SECOND);
}

/** The second in which something was made, from 0 to the end of the year 2099. @throws OutOfRangeError */
export function createdSecond(value: unknown, name: string): number | null {
  return ranged(value, name, LAST_CREATED);
}

/** A quantity of an item: 0 to 999,999,999. @throws OutOfRangeError */
export function quantityOf(value: unknown, name: string): number | null {
  return ranged(value, name, LARGEST_QUANTITY);
}

/** How much was used or bought by a line of an invoice; what is counted in bytes goes far beyond Stripe's own quantities. @throws OutOfRangeError */
export function lineQuantityOf(value: unknown, name: string): number | null {
  return ranged(value, name, Number.MAX_SAFE_INTEGER);
}

function ranged(value: unknown, name: string, last: number): number | null {
  if (typeof value !== 'number') return null;
  const number = whole(value);
  if (number === null || number < 0 || number > last) {
    throw new OutOfRangeError(`${name} must be a whole number, 0 to ${last}`);
  }
  return number;
}

/** A Stripe id: 1 to 255 characters, no white space, no control characters (Stripe: object ids take up to 255). */
export function id(value: unknown): string | null {
  return typeof value === 'string' && ID.test(value) ? value : null;
}

/** The id of what may be an id or the (expanded, or deleted) object itself. */
export function idOf(value: unknown): string | null {
  return id(value) ?? id(field(value, 'id'));
}

/** The claim of a user in the metadata of a Stripe object (DESIGN 6). */
export function claimInMetadata(value: JsonObject, claims: ClaimReading): string | null {
  return claimOf(field(value, 'metadata', claims.userIdMetadataKey), claims);
}
