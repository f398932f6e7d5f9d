import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { requestIdOf } from '../http/request-id.js';
import { principalOf } from './require-key.js';

/** Who sends a request below /v1, as events name it, and the id of the request. */
export interface Caller {
  readonly actor: string;
  readonly requestId: string;
}

/** Gives the handler of a route its caller. */
export const CallerOf = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = context.switchToHttp().getRequest<Request>();
  return { actor: principalOf(request).actor, requestId: requestIdOf(request) };
});
