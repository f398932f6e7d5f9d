import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { AccessControl } from './access-control.js';
import type { Principal } from './authenticator.js';

const principals = new WeakMap<IncomingMessage, Principal>();

/** Express middleware for everything below /v1, existing or not: nobody comes in without a valid key. */
export function requireKey(access: AccessControl) {
  return async (request: Request, _response: Response, next: NextFunction): Promise<void> => {
    try {
      const principal = await access.admit(request.headers.authorization, request.socket.remoteAddress ?? '');
      principals.set(request, principal);
      next();
    } catch (error) {
      next(error);
    }
  };
}

/** Who sent a request that came in by `requireKey`. */
export function principalOf(request: IncomingMessage): Principal {
  const principal = principals.get(request);
  if (principal === undefined) throw new Error('a route below /v1 was reached without a key');
  return principal;
}
