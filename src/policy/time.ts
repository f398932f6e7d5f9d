/** Seconds of a day. */
export const DAY_SECONDS = 86_400;

/** The last second that RFC 3339 can write: 9999-12-31T23:59:59Z. What lies beyond counts as that (DESIGN 5). */
export const LAST_SECOND = 253_402_300_799;

/** An instant (Unix seconds) that slack or grace may have carried too far. */
export function bounded(second: number): number {
  return Math.min(second, LAST_SECOND);
}

/** RFC 3339 UTC with milliseconds of Unix seconds (fractions are cut to milliseconds). */
export function rfc3339(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString();
}

/** RFC 3339 of Unix seconds that Stripe may leave out. */
export function rfc3339OrNull(seconds: number | null): string | null {
  return seconds === null ? null : rfc3339(seconds);
}
