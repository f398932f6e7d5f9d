import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { accessOf } from '../http/access.js';
import { requireScope } from './access-control.js';
import { principalOf } from './require-key.js';

/** Holds every route to its `AllowAccess`. */
export class ScopeGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const access = accessOf(this.reflector, context.getHandler());
    if (access === undefined) throw new Error(`${context.getHandler().name} does not say who may use it`);
    if (access !== 'open') requireScope(principalOf(context.switchToHttp().getRequest<Request>()), access);
    return true;
  }
}
