import { type Bearer, decideFor } from '../server/bearer.js';
import type { Requirement } from '../server/decision.js';
import type { Guard } from '../server/guard.js';
import { holdClaims } from '../server/held-claims.js';
import { refusalOf } from '../server/refusal.js';

export type { Bearer } from '../server/bearer.js';
export { entitlementsOf } from '../server/held-claims.js';

/** What a hook needs of Fastify's request and reply. */
export interface HookRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
export interface HookReply {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: string): unknown;
}
export type Hook<Request extends HookRequest> = (request: Request, reply: HookReply) => Promise<unknown>;

/** A Fastify hook (`preHandler`, `onRequest`) that lets through who holds a feature; the others get 401, 403 or 503. */
export function requireFeature(guard: Guard, feature: string): Hook<HookRequest>;
export function requireFeature<Request extends HookRequest>(
  guard: Guard,
  feature: string,
  bearer: Bearer<Request>,
): Hook<Request>;
export function requireFeature<Request extends HookRequest>(
  guard: Guard,
  feature: string,
  bearer: Bearer<Request> = {},
): Hook<Request> {
  return hook(guard, { feature }, bearer);
}

/** The same for who has a role. */
export function requireRole(guard: Guard, role: string): Hook<HookRequest>;
export function requireRole<Request extends HookRequest>(
  guard: Guard,
  role: string,
  bearer: Bearer<Request>,
): Hook<Request>;
export function requireRole<Request extends HookRequest>(
  guard: Guard,
  role: string,
  bearer: Bearer<Request> = {},
): Hook<Request> {
  return hook(guard, { role }, bearer);
}

function hook<Request extends HookRequest>(
  guard: Guard,
  requirement: Requirement,
  bearer: Bearer<Request>,
): Hook<Request> {
  return async (request, reply) => {
    const decision = await decideFor(guard, requirement, request, bearer, request.headers);
    if (decision.allowed) {
      holdClaims(request, decision.claims);
      return undefined;
    }
    const { status, headers, problem } = refusalOf(decision, requirement);
    reply.code(status);
    reply.headers({ ...headers });
    // An asynchronous hook that has answered gives the reply back, and Fastify goes no further.
    reply.send(JSON.stringify(problem));
    return reply;
  };
}
