import { ProblemError } from './problem.js';

/** Items of a page when the caller does not say, and the most that may be asked for. */
export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;
/** Longer than the longest id with its kind. */
const MAX_TEXT = 300;

/** A parameter that is not understood is refused, never passed over: its answer would be another one. */
export function refuseOthers(others: Readonly<Record<string, unknown>>): void {
  const [unknown] = Object.keys(others);
  if (unknown === undefined) return;
  throw new ProblemError('unsupported_parameter', `This route has no parameter "${unknown.slice(0, 50)}".`);
}

/** The `cursor` of a list; `null` is its beginning. @throws ProblemError `invalid_request` */
export function cursorOf(cursor: unknown): string | null {
  return textOf('cursor', cursor, 'the `next` of the page before');
}

/** The `limit` of a list. @throws ProblemError `invalid_request` */
export function limitOf(limit: unknown): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  const number = typeof limit === 'string' && /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (number >= 1 && number <= MAX_LIMIT) return number;
  throw new ProblemError('invalid_request', `limit must be a whole number from 1 to ${MAX_LIMIT}.`);
}

/** A text that may be left out (`null`), given once. @throws ProblemError `invalid_request` that says what it must be */
export function textOf(name: string, value: unknown, what: string): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string' && value.length <= MAX_TEXT && !value.includes('\0')) return value;
  throw new ProblemError('invalid_request', `${name} must be ${what}.`);
}
