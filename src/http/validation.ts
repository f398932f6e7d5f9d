import type { CanActivate, ExecutionContext, PipeTransform } from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { ProblemError } from './problem.js';

/** Items of a page when the caller does not say, and the most that may be asked for. */
export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;
/** Longer than the longest id with its kind. */
const MAX_TEXT = 300;
/** Faults of a body that are told at once. */
const MOST_TOLD = 5;

/** Parses what a handler of a route is given; what `parse` throws is the answer. */
export class ParsePipe<T> implements PipeTransform<unknown, T> {
  constructor(private readonly parse: (value: unknown) => T) {}

  transform(value: unknown): T {
    return this.parse(value);
  }
}

/** Holds a body to its schema. */
export function bodyPipe<T>(schema: z.ZodType<T>): ParsePipe<T> {
  return new ParsePipe((body) => parseBody(schema, body));
}

/** The same where a request may have no body: it counts as one that says nothing. */
export function optionalBodyPipe<T>(schema: z.ZodType<T>): ParsePipe<T> {
  return new ParsePipe((body) => parseBody(schema, body ?? {}));
}

/** Holds a query to the schema of its parameters, each of which says what it must be. */
export function queryPipe<T>(schema: z.ZodType<T>): ParsePipe<T> {
  return new ParsePipe((query) => parseQuery(schema, query));
}

/** Holds a route without parameters to that. */
export class NoQueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    parseQuery(z.strictObject({}), context.switchToHttp().getRequest<Request>().query);
    return true;
  }
}

/** A text that may be left out (`null`), given once; `what` says in the refusal what it must be. */
export function textParameter(name: string, what: string) {
  const error = `${name} must be ${what}.`;
  return z
    .string({ error })
    .max(MAX_TEXT, { error })
    .regex(/^[^\0]*$/, { error })
    .nullable()
    .default(null);
}

const waitError = 'wait must be a whole number of seconds from 0 to 25.';

/** Seconds for which an answer may be waited for. */
export const waitParameter = z
  .string({ error: waitError })
  .regex(/^\d{1,2}$/, { error: waitError })
  .transform(Number)
  .refine((seconds) => seconds <= 25, { error: waitError });

const limitError = `limit must be a whole number from 1 to ${MAX_LIMIT}.`;

/** From the year 0 to the year 9999 in UTC, as RFC 3339 can say it: Unix milliseconds. */
const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** A moment that may be left out (`null`), given once: RFC 3339 with an offset or `Z`, milliseconds at most; Unix ms. */
export function timeParameter(name: string) {
  const error = `${name} must be a time of RFC 3339, such as 2026-11-01T09:30:02.000Z.`;
  return z.iso
    .datetime({ offset: true, error })
    .transform((text) => Date.parse(text))
    .refine((ms) => ms >= FIRST_MS && ms <= LAST_MS, { error })
    .nullable()
    .default(null);
}

/** The parameters of a list: `cursor` (`null` is its beginning) and `limit`. */
export const pageParameters = {
  cursor: textParameter('cursor', 'the `next` of the page before'),
  limit: z
    .string({ error: limitError })
    .regex(/^\d{1,4}$/, { error: limitError })
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_LIMIT, { error: limitError })
    .default(DEFAULT_LIMIT),
};

function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, MOST_TOLD)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new ProblemError('invalid_request', problems.join('; '));
}

/** The refusal of a parameter that a route does not have. */
export function unsupported(parameter: string): ProblemError {
  return new ProblemError('unsupported_parameter', `This route has no parameter "${parameter}".`);
}

/** A parameter that is not understood is refused, never passed over: its answer would be another one. */
function parseQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const unknown = issue.keys[0]?.slice(0, 50) ?? '';
    throw unsupported(unknown);
  }
  throw new ProblemError('invalid_request', parsed.error.issues[0]?.message ?? 'The query is not valid.');
}
