import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { canonicalPath, idempotencyKeyOf, stableId } from '../http/idempotency/request-key.js';
import { requestIdOf } from '../http/request-id.js';
import type { Principal } from './authenticator.js';
import { principalOf } from './require-key.js';

/** Who sends a request below /v1, as events name it, and the id of the request. */
export interface Caller {
  readonly actor: string;
  /** The name of the key, as people know it. */
  readonly name: string;
  readonly requestId: string;
  /** The user whose token it is; `null` of a key, which may ask about anyone. */
  readonly userId: string | null;
  /** When that token ends, Unix milliseconds; `null` of a key, which ends by being revoked. */
  readonly endsAt: number | null;
}

/** Whose token it is and when it ends; nobody's, never, of a key. */
export function tokenOf(principal: Principal): Pick<Caller, 'userId' | 'endsAt'> {
  if (principal.kind === 'key') return { userId: null, endsAt: null };
  return { userId: principal.userId, endsAt: principal.expiresAt };
}

/** Gives the handler of a route its caller. */
export const CallerOf = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = context.switchToHttp().getRequest<Request>();
  const principal = principalOf(request);
  const { actor } = principal;
  const name = principal.kind === 'key' ? (principal.name ?? actor) : actor;
  return { actor, name, requestId: requestIdOf(request), ...tokenOf(principal) };
});

/** Gives the handler of a route the `Idempotency-Key`, `null` where there is none. @throws ProblemError `invalid_request` */
export const IdempotencyKeyOf = createParamDecorator((_: unknown, context: ExecutionContext): string | null =>
  idempotencyKeyOf(context.switchToHttp().getRequest<Request>()),
);

/**
 * Gives the handler of a route the id of what it makes, a UUID (`stableId`): the same for every repeat with the caller's
 * `Idempotency-Key`. Where something of that id is there already, it is answered as it is, or `keyReused` is thrown where
 * the request says otherwise.
 */
export const StableIdOf = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const request = context.switchToHttp().getRequest<Request>();
  const { actor: caller } = principalOf(request);
  return stableId({ caller, path: canonicalPath(request), key: idempotencyKeyOf(request) });
});

/** Gives the handler of a route for user tokens alone (`access: 'user'`) the user whose token it is. */
export const OwnUserId = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const principal = principalOf(context.switchToHttp().getRequest<Request>());
  if (principal.kind === 'key') throw new Error('a route for user tokens was reached with a key');
  return principal.userId;
});
