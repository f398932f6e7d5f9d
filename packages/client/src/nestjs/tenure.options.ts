import type { ExecutionContext } from '@nestjs/common';
import type { Bearer } from '../server/bearer.js';
import type { Guard } from '../server/guard.js';

/** How requests are decided about; without `token` and `user` by the bearer token of the HTTP request. */
export interface TenureModuleOptions extends Bearer<ExecutionContext> {
  readonly guard: Guard;
}

/** By which Nest gives the options to the guard. */
export const TENURE_OPTIONS = Symbol('TENURE_OPTIONS');
