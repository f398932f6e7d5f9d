/** RFC 3339 UTC with milliseconds of Unix seconds (fractions are cut to milliseconds). */
export function rfc3339(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString();
}

/** RFC 3339 of Unix seconds that Stripe may leave out. */
export function rfc3339OrNull(seconds: number | null): string | null {
  return seconds === null ? null : rfc3339(seconds);
}
