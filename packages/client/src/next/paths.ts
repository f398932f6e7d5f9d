/** What is left of a path after decoding and could be read as something else: see `/access/v1/check` in docs/DESIGN.md, section 10. */
const DOUBTFUL = /[%\\;\p{Cc}]/u;

/**
 * A path as routers read it, decoded once and without a slash at its end. `null` where another one may read it otherwise: it has a
 * segment `.`, `..` or an empty one, an encoded slash, or something left to decode.
 */
export function plainPath(pathname: string): string | null {
  if (/%2f|%5c/i.test(pathname)) return null;
  const path = decoded(pathname);
  if (path === null || DOUBTFUL.test(path)) return null;
  const segments = path.slice(1).split('/');
  if (segments.at(-1) === '') segments.pop();
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return null;
  return `/${segments.join('/')}`;
}

function decoded(pathname: string): string | null {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return null;
  }
}

/** The rule whose path is the longest of those that this path is, or lies below. */
export function ruleFor<Rule extends { readonly path: string }>(
  rules: readonly Rule[],
  path: string,
): Rule | undefined {
  const fitting = rules.filter((rule) => {
    const base = rule.path.replace(/\/+$/, '');
    return path === base || path.startsWith(`${base}/`);
  });
  return fitting.sort((a, b) => b.path.length - a.path.length)[0];
}
