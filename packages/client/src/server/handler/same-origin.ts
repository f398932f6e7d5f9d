/**
 * Whether a write comes from a page of the application itself, and not from another site that uses the visitor's cookies: by
 * `Sec-Fetch-Site` (W3C "Fetch Metadata Request Headers"), else by `Origin` (RFC 6454). Who sends neither is no browser of today,
 * and is refused. @param origins those of the application besides the one that the request names
 */
export function isSameOrigin(request: Request, origins: readonly string[]): boolean {
  const origin = request.headers.get('origin');
  if (origin !== null && origins.includes(origin)) return true;
  const site = request.headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  return origin !== null && origin === new URL(request.url).origin;
}
