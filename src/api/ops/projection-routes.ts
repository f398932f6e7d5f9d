import type { Request } from 'express';
import { refuseOthers } from '../../http/parameters.js';
import { ProblemError } from '../../http/problem.js';
import { ENTITLEMENTS } from '../../projections/entitlements/entitlements.projector.js';

/** What the routes of the projections share. */
export const NAME_PARAMETER = { name: 'name', type: String, enum: [ENTITLEMENTS] };
export const LOOK = ['unsupported_parameter', 'database_unavailable'] as const;
export const NAMED = ['not_found', 'invalid_request', 'malformed_url'] as const;
export const BODY = ['malformed_json', 'payload_too_large', 'unsupported_media_type'] as const;
export const LEVEL = ['generation_behind', 'generation_faulted'] as const;

/** @throws ProblemError when there is no projection of that name, or the route has no such parameter */
export function checkProjection(name: string, query: Readonly<Record<string, unknown>>): void {
  if (name !== ENTITLEMENTS) {
    throw new ProblemError('not_found', `The only projection is "${ENTITLEMENTS}".`);
  }
  refuseOthers(query);
}

/** The number of a generation in a path. @throws ProblemError `invalid_request` */
export function generationOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new ProblemError('invalid_request', 'A generation is a whole number from 1 on.');
}

/** Whether the caller would rather have a stream of events than JSON. */
export function wantsEvents(request: Request): boolean {
  return request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
}
