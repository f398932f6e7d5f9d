import type { PlanCatalog, Route } from '../../events/catalog.events.js';

/** What the application behind a proxy may read otherwise than we do, whatever comes of it: besides controls. */
const AMBIGUOUS = /[%\\;\p{Cc}]/u;
/** Encoded slashes and backslashes, which some servers decode before they split, and others after. */
const HIDDEN_SLASH = /%(?:2f|5c)/i;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The path of a request target, without its query and decoded once (RFC 3986, 2.1); `null` where the application behind could
 * read it otherwise (DESIGN 10, "What is asked about"). Pure.
 * @param target as it came in a header or a request line: one character for each byte
 */
export function pathOf(target: string): string | null {
  const raw = target.split('?', 1)[0] ?? '';
  if (!raw.startsWith('/') || raw.includes('#') || HIDDEN_SLASH.test(raw)) return null;
  const path = decoded(raw);
  if (path === null || AMBIGUOUS.test(path)) return null;
  const segments = path.slice(1).split('/');
  const isPlain = segments.every(
    (segment, index) =>
      segment !== '.' && segment !== '..' && (segment !== '' || index === segments.length - 1),
  );
  return isPlain ? path : null;
}

/** The first route of the catalogue that fits a method and a path of `pathOf`; `null` where none does. Pure. */
export function routeFor({ routes = [] }: PlanCatalog, method: string, path: string): Route | null {
  const fits = (pattern: string): boolean =>
    pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
  return routes.find((route) => route.methods.includes(method) && fits(route.path)) ?? null;
}

function decoded(raw: string): string | null {
  try {
    return decodeURIComponent(UTF8.decode(Buffer.from(raw, 'latin1')));
  } catch (error) {
    if (error instanceof URIError || error instanceof TypeError) return null; // no UTF-8
    throw error;
  }
}
