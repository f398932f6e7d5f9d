import { type Bearer, decideFor } from '../server/bearer.js';
import type { Requirement } from '../server/decision.js';
import type { Guard } from '../server/guard.js';
import { holdClaims } from '../server/held-claims.js';
import { type Refusal, refusalOf } from '../server/refusal.js';

export type { Bearer } from '../server/bearer.js';
export { entitlementsOf } from '../server/held-claims.js';
export { type NodeHandler, type NodeRequest, type NodeResponse, toNodeHandler } from './node-handler.js';

/** What middleware needs of a request and a response, of Express, Connect or `node:http`. */
export interface MiddlewareRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
export interface MiddlewareResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}
export type Middleware<Request extends MiddlewareRequest> = (
  request: Request,
  response: MiddlewareResponse,
  next: (error?: unknown) => void,
) => void;

/** Express middleware that lets through who holds a feature; the others get 401, 403 or 503 as problem+json. */
export function requireFeature(guard: Guard, feature: string): Middleware<MiddlewareRequest>;
export function requireFeature<Request extends MiddlewareRequest>(
  guard: Guard,
  feature: string,
  bearer: Bearer<Request>,
): Middleware<Request>;
export function requireFeature<Request extends MiddlewareRequest>(
  guard: Guard,
  feature: string,
  bearer: Bearer<Request> = {},
): Middleware<Request> {
  return middleware(guard, { feature }, bearer);
}

/** The same for who has a role. */
export function requireRole(guard: Guard, role: string): Middleware<MiddlewareRequest>;
export function requireRole<Request extends MiddlewareRequest>(
  guard: Guard,
  role: string,
  bearer: Bearer<Request>,
): Middleware<Request>;
export function requireRole<Request extends MiddlewareRequest>(
  guard: Guard,
  role: string,
  bearer: Bearer<Request> = {},
): Middleware<Request> {
  return middleware(guard, { role }, bearer);
}

function middleware<Request extends MiddlewareRequest>(
  guard: Guard,
  requirement: Requirement,
  bearer: Bearer<Request>,
): Middleware<Request> {
  return (request, response, next) => {
    decideFor(guard, requirement, request, bearer, request.headers).then((decision) => {
      if (!decision.allowed) return refuse(response, refusalOf(decision, requirement));
      holdClaims(request, decision.claims);
      next();
    }, next);
  };
}

function refuse(response: MiddlewareResponse, { status, headers, problem }: Refusal): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(JSON.stringify(problem));
}
