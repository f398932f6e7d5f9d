import { UseGuards } from '@nestjs/common';
import type { Requirement } from '../server/decision.js';
import { EntitlementGuard } from './entitlement.guard.js';
import { addRequirement } from './required.js';

/** Lets a controller or a route be reached only by who holds a feature. Several such decorators must all be fulfilled. */
export function RequireFeature(feature: string): ClassDecorator & MethodDecorator {
  return requires({ feature });
}

/** The same for who has a role. */
export function RequireRole(role: string): ClassDecorator & MethodDecorator {
  return requires({ role });
}

function requires(requirement: Requirement): ClassDecorator & MethodDecorator {
  const guarded = UseGuards(EntitlementGuard);
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    addRequirement(descriptor === undefined ? target : descriptor.value, requirement);
    if (key === undefined || descriptor === undefined) guarded(asClass(target));
    else guarded(target, key, descriptor);
  };
}

function asClass(target: object): new () => unknown {
  if (typeof target !== 'function') throw new TypeError('This decorator is for classes and methods');
  return target as new () => unknown;
}
