/** `Retry-After` in seconds (RFC 9110, 10.2.3); as a date, which needs the server's clock, it counts as not there. */
export function retryAfterMs(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : null;
}
