import { NamedError } from '../../observability/named-error.js';
import type { Entitlement } from '../../policy/entitlement.js';
import { entitlementSchema, type HistoryEntry, plainEntitlement, textOf, type UserRow } from './user-row.js';

/** A row that PostgreSQL would refuse, or that nobody could read back. The message shows no values. */
export class UnwritableRowError extends NamedError {
  readonly code = 'unwritable_row';
}

const INT_MAX = 2_147_483_647;
/** First and last instant that RFC 3339 can say, and so what every instant in a row is written as (Unix ms). */
const FIRST_INSTANT = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z');
/** U+0000 as JSON escapes it; PostgreSQL neither keeps it as text nor reads past it in JSON. */
const ESCAPED_NUL = /(?<!\\)(?:\\\\)*\\u0000/;

const readable = new WeakSet<Entitlement>();

/**
 * Holds that what was made of a user can be written and read back, event by event: only the last row of a batch is written,
 * so the database would find a bad one in some batches and not in others.
 * @throws UnwritableRowError
 */
export function checkUser(row: UserRow, history: readonly HistoryEntry[]): void {
  checkTexts([row.userId, ...row.adoptedPrices.map(({ price }) => price)]);
  checkEntitlement(row.entitlement);
  checkNumbers(row.counter, row.historySeq);
  for (const { at, counter, entitlement } of row.successors) {
    checkInstant(at);
    checkNumbers(counter);
    checkEntitlement(entitlement);
  }
  for (const { validFrom, entitlement } of history) {
    checkInstant(validFrom);
    checkEntitlement(entitlement);
  }
}

/** Holds that texts can be columns. @throws UnwritableRowError */
export function checkTexts(texts: Iterable<unknown>): void {
  for (const text of texts) {
    if (typeof text === 'string' && text.includes('\0')) throw new UnwritableRowError('a text holds U+0000');
  }
}

function checkEntitlement(entitlement: Entitlement): void {
  if (readable.has(entitlement)) return;
  if (plainEntitlement(entitlement) === undefined) checkBySchema(entitlement);
  const text = textOf(entitlement);
  if (text.includes('u0000') && ESCAPED_NUL.test(text))
    throw new UnwritableRowError('a snapshot holds U+0000');
  readable.add(entitlement);
}

function checkBySchema(entitlement: Entitlement): void {
  const parsed = entitlementSchema.safeParse(entitlement);
  if (parsed.success) return;
  const paths = parsed.error.issues.map(({ path }) => path.join('.') || '(whole)').join(', ');
  throw new UnwritableRowError(`a snapshot cannot be read back, at ${paths}`);
}

function checkInstant(at: number): void {
  if (at >= FIRST_INSTANT && at <= LAST_INSTANT) return;
  throw new UnwritableRowError('an instant is out of range');
}

function checkNumbers(...counts: readonly number[]): void {
  for (const count of counts) {
    if (!Number.isInteger(count) || count > INT_MAX) throw new UnwritableRowError('a count is out of range');
  }
}
