import type { Refused, Requirement } from './decision.js';

/** What who is refused is answered with: RFC 9457, and RFC 6750 for the challenge. */
export interface Refusal {
  readonly status: 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly problem: {
    readonly type: string;
    readonly title: string;
    readonly status: number;
    /** Why, as a stable word: a reason of `Decision`. */
    readonly code: Refused['reason'];
    readonly feature?: string;
    readonly role?: string;
    readonly plan?: string;
  };
}

const LACKING: ReadonlySet<string> = new Set(['not_in_plan', 'other_role']);
const UNKNOWN: ReadonlySet<string> = new Set([
  'feed_silent',
  'feed_reset',
  'feed_unreadable',
  'keys_unread',
  'token_unissued',
]);

/**
 * 401: the token is missing, wrong or stale, and another one may do. 403: what it says does not suffice. 503: nobody can say now,
 * so nobody is let through.
 */
export function refusalOf({ reason, claims }: Refused, requirement: Requirement): Refusal {
  const status = LACKING.has(reason) ? 403 : UNKNOWN.has(reason) ? 503 : 401;
  const plan = claims === null ? {} : { plan: claims.plan };
  const problem = {
    type: `urn:tenure:problem:${reason}`,
    title: TITLES[status],
    status,
    code: reason,
    ...requirement,
    ...plan,
  };
  return { status, headers: headersOf(status, reason), problem };
}

const TITLES = {
  401: 'A valid entitlement token is required',
  403: 'What is held does not include it',
  503: 'It cannot be known now who may',
} as const;

function headersOf(status: Refusal['status'], reason: Refused['reason']): Readonly<Record<string, string>> {
  const common = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  if (status === 503) return { ...common, 'retry-after': '1' };
  if (reason === 'no_token') return { ...common, 'www-authenticate': 'Bearer' };
  const error = status === 401 ? 'invalid_token' : 'insufficient_scope';
  return { ...common, 'www-authenticate': `Bearer error="${error}", error_description="${reason}"` };
}

/** A refusal as an answer of `fetch`. */
export function refusalResponse({ status, headers, problem }: Refusal): Response {
  return new Response(JSON.stringify(problem), { status, headers });
}
