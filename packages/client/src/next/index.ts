import { type Bearer, decideFor } from '../server/bearer.js';
import type { Requirement } from '../server/decision.js';
import type { Guard } from '../server/guard.js';
import { refusalOf, refusalResponse } from '../server/refusal.js';
import { plainPath, ruleFor } from './paths.js';

export type { Bearer } from '../server/bearer.js';

/** A path, with all below it, and what must be held there. */
export type PathRule = Requirement & { readonly path: string };

export interface NextMiddlewareOptions extends Bearer<Request> {
  readonly guard: Guard;
  /** The rule with the longest path counts; what none fits is let through. */
  readonly rules: readonly PathRule[];
  /** The page for who lacks a plan: `/upgrade` unless said otherwise. It gets `from` and `feature` or `role` in its query. */
  readonly upgrade?: string;
  /** The page for who has no valid token; without it they get 401. */
  readonly signIn?: string;
  /** Paths that programs ask for, and that are answered with 401 and 403: those below `/api` unless said otherwise. */
  readonly isApi?: (path: string) => boolean;
}

/**
 * A middleware (Next.js 16: proxy) by paths: who lacks a plan is sent to `/upgrade`, or gets 403 from an API. `undefined` lets a
 * request through. A path that the application may read otherwise than the rules do is 403.
 */
export function createNextMiddleware(
  options: NextMiddlewareOptions,
): (request: Request) => Promise<Response | undefined> {
  const { guard, rules, upgrade = '/upgrade', signIn } = options;
  const isApi = options.isApi ?? ((path: string) => path === '/api' || path.startsWith('/api/'));
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const path = plainPath(pathname);
    if (path === null) return new Response(null, { status: 403 });
    if (path === upgrade || path === signIn) return undefined;
    const rule = ruleFor(rules, path);
    if (rule === undefined) return undefined;
    const requirement = 'feature' in rule ? { feature: rule.feature } : { role: rule.role };
    const decision = await decideFor(guard, requirement, request, options, request.headers);
    if (decision.allowed) return undefined;
    const refusal = refusalOf(decision, requirement);
    const page = refusal.status === 403 ? upgrade : refusal.status === 401 ? signIn : undefined;
    if (page === undefined || isApi(path)) return refusalResponse(refusal);
    const to = new URL(page, request.url);
    to.searchParams.set('from', `${pathname}${search}`);
    for (const [name, value] of Object.entries(requirement)) to.searchParams.set(name, value);
    return new Response(null, {
      status: 307,
      headers: { location: to.href, 'cache-control': 'no-store' },
    });
  };
}
