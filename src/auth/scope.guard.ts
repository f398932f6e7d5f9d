import { type CanActivate, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { requireScope } from './access-control.js';
import type { Scope } from './authenticator.js';
import { principalOf } from './require-key.js';

/** Who may use a route: holders of a scope, or everyone. */
export type Access = Scope | 'open';

const ACCESS = 'tenure:access';

/** Says who may use a route; a route that says nothing is served to nobody. */
export function AllowAccess(access: Access): MethodDecorator {
  return SetMetadata<string, Access>(ACCESS, access);
}

/** Holds every route to its `AllowAccess`. */
export class ScopeGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const access = this.reflector.get<Access | undefined>(ACCESS, context.getHandler());
    if (access === undefined) throw new Error(`${context.getHandler().name} does not say who may use it`);
    if (access !== 'open') requireScope(principalOf(context.switchToHttp().getRequest<Request>()), access);
    return true;
  }
}
