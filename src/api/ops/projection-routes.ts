import { applyDecorators, type CanActivate, type ExecutionContext, UseGuards } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { BODY_PROBLEMS, Describe, type RouteDescription } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { NoQueryGuard, ParsePipe } from '../../http/validation.js';
import { ENTITLEMENTS } from '../../projections/entitlements/entitlements.projector.js';

/** What the routes of the projections share. */
export const LOOK = ['unsupported_parameter', 'database_unavailable'] as const;
const NAMED = ['not_found', 'invalid_request', 'malformed_url'] as const;
export const LEVEL = ['generation_behind', 'generation_faulted'] as const;

/** Refuses the name of a projection that is not there. */
class ProjectionGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { name } = context.switchToHttp().getRequest<Request>().params;
    if (name === ENTITLEMENTS) return true;
    throw new ProblemError('not_found', `The only projection is "${ENTITLEMENTS}".`);
  }
}

/** Describes a route of one projection for ops, which has no query; `problems` are those that are its own. */
export function DescribeProjection(route: Omit<RouteDescription, 'access'>): MethodDecorator {
  const shared = [...LOOK, ...NAMED, ...(route.body === undefined ? [] : BODY_PROBLEMS)];
  return applyDecorators(
    ApiParam({ name: 'name', type: String, enum: [ENTITLEMENTS] }),
    UseGuards(ProjectionGuard, NoQueryGuard),
    Describe({ ...route, problems: [...shared, ...route.problems], access: 'ops' }),
  );
}

const withGeneration = z.object({ generation: z.string().regex(/^[1-9]\d{0,8}$/) });

/** The number of the generation among the parameters of a path. */
export const generationPipe = new ParsePipe((parameters): number => {
  const parsed = withGeneration.safeParse(parameters);
  if (parsed.success) return Number(parsed.data.generation);
  throw new ProblemError('invalid_request', 'A generation is a whole number from 1 on.');
});

/** Whether the caller would rather have a stream of events than JSON. */
export function wantsEvents(request: Request): boolean {
  return request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
}
