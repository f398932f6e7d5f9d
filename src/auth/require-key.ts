import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import { ProblemError } from '../http/problem.js';
import type { AccessControl } from './access-control.js';
import type { Principal } from './authenticator.js';
import type { StreamTickets } from './stream-tickets.js';

const principals = new WeakMap<IncomingMessage, Principal>();

/** Express middleware for everything below /v1, existing or not: nobody comes in without a valid key. */
export function requireKey(access: AccessControl) {
  return async (request: Request, _response: Response, next: NextFunction): Promise<void> => {
    if (principals.has(request)) return next(); // came in by a ticket
    try {
      const principal = await access.admit(request.headers.authorization, request.socket);
      principals.set(request, principal);
      next();
    } catch (error) {
      next(error);
    }
  };
}

/** Express middleware of the one path that takes a ticket, as `ticket` of the query, and nothing else. */
export function requireTicket(tickets: Pick<StreamTickets, 'holder'>) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    const { ticket } = request.query;
    const holder = typeof ticket === 'string' ? tickets.holder(ticket) : null;
    if (holder !== null) principals.set(request, holder);
    next(holder === null ? new ProblemError('unauthorized', 'The ticket is none, or has ended.') : undefined);
  };
}

/** Who sent a request; `null` where nobody had to say. */
export function findPrincipal(request: IncomingMessage): Principal | null {
  return principals.get(request) ?? null;
}

/** Has what comes after know who sent a request as `principal`. */
export function replacePrincipal(request: IncomingMessage, principal: Principal): void {
  principals.set(request, principal);
}

/** Who sent a request that came in by `requireKey` or `requireTicket`. */
export function principalOf(request: IncomingMessage): Principal {
  const principal = principals.get(request);
  if (principal === undefined) throw new Error('a route below /v1 was reached without a key');
  return principal;
}
