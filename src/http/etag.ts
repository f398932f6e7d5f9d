import { hash } from 'node:crypto';

/** A strong entity tag of a body: the first 128 bits of its SHA-256 (RFC 9110, 8.8.3). */
export function strongEtag(body: string): string {
  return `"${hash('sha256', body, 'hex').slice(0, 32)}"`;
}

/**
 * Whether `If-None-Match` holds `etag`, by weak comparison (RFC 9110, 13.1.2): a list, `W/` prefixes and `*` count.
 * What is not an entity tag in the list matches nothing.
 */
export function matchesIfNoneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header === etag || header.trim() === '*') return true;
  for (const [candidate] of header.matchAll(/"[\x21\x23-\x7e\x80-\xff]*"/g)) {
    if (candidate === etag) return true;
  }
  return false;
}
