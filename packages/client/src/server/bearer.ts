import type { Decision, Requirement } from './decision.js';
import type { Guard } from './guard.js';

/** Headers of a request: those of `fetch`, or those of Node. */
export type RequestHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

type Answer<T> = T | null | undefined | Promise<T | null | undefined>;

/**
 * Where a request has its entitlement token from. `user`: the application knows the user by a session of its own, and the guard
 * gets a token for them. Without either it is the bearer token of the request (RFC 6750).
 */
export interface Bearer<Request> {
  readonly token?: (request: Request) => Answer<string>;
  readonly user?: (request: Request) => Answer<string>;
}

/** Decides about a request. Rejects only with what `token` or `user` of the application throws. */
export async function decideFor<Request>(
  guard: Guard,
  requirement: Requirement,
  request: Request,
  { token, user }: Bearer<Request>,
  headers: RequestHeaders,
): Promise<Decision> {
  if (token !== undefined) return guard.decide(await token(request), requirement);
  if (user === undefined) return guard.decide(bearerOf(headers), requirement);
  const userId = await user(request);
  if (userId === null || userId === undefined || userId === '') return guard.decide(null, requirement);
  return guard.decideForUser(userId, requirement);
}

/** The token of `Authorization: Bearer …`; `null` where there is none. */
export function bearerOf(headers: RequestHeaders): string | null {
  const value = headers instanceof Headers ? headers.get('authorization') : headers.authorization;
  const [, token = null] = typeof value === 'string' ? (/^Bearer +([^\s]+)$/i.exec(value) ?? []) : [];
  return token;
}
