import { SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Scope } from './scopes.js';

/** Who may use a route: holders of a scope, or everyone. */
export type Access = Scope | 'open';

const ACCESS = 'tenure:access';

/** Says who may use a route; a route that says nothing is served to nobody. */
export function AllowAccess(access: Access): MethodDecorator {
  return SetMetadata<string, Access>(ACCESS, access);
}

/** Who may use the route of this handler; `undefined` where its `AllowAccess` is missing. */
export function accessOf(reflector: Reflector, handler: Parameters<Reflector['get']>[1]): Access | undefined {
  return reflector.get<Access | undefined>(ACCESS, handler);
}
