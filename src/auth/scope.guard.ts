import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { accessOf, type UserTokens, userTokensOf } from '../http/access.js';
import { ProblemError } from '../http/problem.js';
import { requireOwn, requireScope } from './access-control.js';
import type { TokenUser } from './authenticator.js';
import { principalOf } from './require-key.js';

/** Parameters that ask for more than what holds now: for services alone. */
const FOR_KEYS = ['at', 'knownAt', 'explain'];

/** Holds every route to its `AllowAccess`, and user tokens to what is their user's. */
export class ScopeGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const handler = context.getHandler();
    const access = accessOf(this.reflector, handler);
    if (access === undefined) throw new Error(`${handler.name} does not say who may use it`);
    if (access === 'open') return true;
    const request = context.switchToHttp().getRequest<Request>();
    const principal = principalOf(request);
    if (access === 'user' || access === 'ticket') {
      if (principal.kind === 'key')
        throw new ProblemError('forbidden', 'This takes a user token, and no key.');
      return true;
    }
    const held = userTokensOf(this.reflector, handler);
    if (principal.kind === 'key' || held === undefined) requireScope(principal, access);
    else holdToUser(principal, held, request);
    return true;
  }
}

/** @throws ProblemError `other_user`, `forbidden` */
function holdToUser(user: TokenUser, held: UserTokens, request: Request): void {
  const asked = FOR_KEYS.find((parameter) => parameter in request.query);
  if (asked !== undefined) throw new ProblemError('forbidden', `With a user token there is no ${asked}.`);
  if (held === 'path') requireOwn(user, String(request.params.userId));
  if (held === 'body') requireOwn(user, userIn(request, user.userId));
}

/** The user whom the body names; where it names none it is completed by the token's. */
function userIn(request: Request, own: string): string {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return own; // the route refuses it
  const { userId = own }: { userId?: unknown } = body;
  request.body = { ...body, userId };
  return String(userId);
}
