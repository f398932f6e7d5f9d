import { SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Scope } from './scopes.js';

/** Who may use a route: holders of a scope, of a user token alone (`user`), of a ticket in its URL (`ticket`), or everyone. */
export type Access = Scope | 'user' | 'ticket' | 'open';

/**
 * How a route that user tokens may use, beside keys, is held to the user of the token: `path` by its parameter `userId`, `body`
 * by `userId` of the body, which a token may leave out, `handler` by what the handler finds (it asks `requireOwn`), `nobody`
 * where it tells nothing of any user.
 */
export type UserTokens = 'path' | 'body' | 'handler' | 'nobody';

const ACCESS = 'tenure:access';
const USER_TOKENS = 'tenure:user-tokens';

/** Says who may use a route; a route that says nothing is served to nobody. */
export function AllowAccess(access: Access): MethodDecorator {
  return SetMetadata<string, Access>(ACCESS, access);
}

/** Who may use the route of this handler; `undefined` where its `AllowAccess` is missing. */
export function accessOf(reflector: Reflector, handler: Parameters<Reflector['get']>[1]): Access | undefined {
  return reflector.get<Access | undefined>(ACCESS, handler);
}

/** Says that user tokens may use a route, too, and how it is held to their user. */
export function AllowUserTokens(held: UserTokens): MethodDecorator {
  return SetMetadata<string, UserTokens>(USER_TOKENS, held);
}

/** How the route of this handler is held to the user of a token; `undefined` where it takes none. */
export function userTokensOf(
  reflector: Reflector,
  handler: Parameters<Reflector['get']>[1],
): UserTokens | undefined {
  return reflector.get<UserTokens | undefined>(USER_TOKENS, handler);
}
