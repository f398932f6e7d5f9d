import { z } from 'zod';
import { type ApiErrorDetails, RefusedUnbegunError } from './api-error.js';
import type { Metadata } from './types.js';

/** Readers of v1 parameters, which are all text: Stripe's own names for what they hold. */

/** A text that is not empty. */
export const text = z.string().min(1);
/** A whole number, in digits. */
export const integer = z
  .union([z.number(), z.string().regex(/^-?\d+$/)])
  .transform(Number)
  .refine(Number.isSafeInteger);
export const boolean = z
  .union([z.boolean(), z.enum(['true', 'false'])])
  .transform((value) => value === true || value === 'true');
/** Unix seconds. */
export const timestamp = integer.refine((second) => second >= 0);
export const decimal = z.string().regex(/^-?\d+(\.\d{1,12})?$/);
/** Keys to set; an empty value takes the key away. */
export const metadata = z.record(z.string(), z.string());
export const expand = z.array(z.string()).optional();
/** Accepted and without effect here. */
export const ignored = z.unknown().optional();

/** A value that an empty text takes away: `null` then. */
export function emptyable<Schema extends z.ZodType>(
  schema: Schema,
): z.ZodUnion<[z.ZodPipe<z.ZodLiteral<''>, z.ZodTransform<null, ''>>, Schema]> {
  return z.union([z.literal('').transform(() => null), schema]);
}

/** Bounds of a second, or one second. */
export const range = z
  .union([
    integer.transform((at) => ({ gte: at, lte: at })),
    z.strictObject({
      gt: integer.optional(),
      gte: integer.optional(),
      lt: integer.optional(),
      lte: integer.optional(),
    }),
  ])
  .optional();

export function isWithin(bounds: z.output<typeof range>, second: number): boolean {
  if (bounds === undefined) return true;
  const {
    gt,
    gte,
    lt,
    lte,
  }: { gt?: number | undefined; gte?: number; lt?: number | undefined; lte?: number } = bounds as never;
  return (
    (gt === undefined || second > gt) &&
    (gte === undefined || second >= gte) &&
    (lt === undefined || second < lt) &&
    (lte === undefined || second <= lte)
  );
}

/** Parameters of every list (Stripe: "Pagination"). */
export const cursor = {
  limit: integer.refine((limit) => limit >= 1 && limit <= 100).default(10),
  starting_after: text.optional(),
  ending_before: text.optional(),
  expand,
};

/**
 * Parameters as the schema reads them. The first thing wrong is told as Stripe tells it: the parameter by its whole name, and
 * a code. @throws ApiError 400
 */
export function read<Schema extends z.ZodType>(schema: Schema, params: unknown): z.output<Schema> {
  const result = schema.safeParse(params);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw issue === undefined ? refused('Invalid request.') : problem(issue, params);
}

function refused(message: string, details: ApiErrorDetails = {}): RefusedUnbegunError {
  return new RefusedUnbegunError(400, 'invalid_request_error', message, details);
}

function problem(issue: z.core.$ZodIssue, params: unknown): RefusedUnbegunError {
  if (issue.code === 'unrecognized_keys') {
    const param = nameOf([...issue.path, issue.keys[0] ?? '']);
    return refused(`Received unknown parameter: ${param}`, { code: 'parameter_unknown', param });
  }
  const param = nameOf(issue.path);
  const value = valueAt(params, issue.path);
  if (value === undefined) {
    return refused(`Missing required param: ${param}.`, { code: 'parameter_missing', param });
  }
  if (value === '') {
    const message = `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a parameter; however '${param}' cannot be unset.`;
    return refused(message, { code: 'parameter_invalid_empty', param });
  }
  return refused(`Invalid ${param}: ${issue.message}`, { param });
}

function nameOf(path: readonly PropertyKey[]): string {
  return path.map((key, index) => (index === 0 ? String(key) : `[${String(key)}]`)).join('');
}

function valueAt(params: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    params,
  );
}

/** Metadata after a change: set keys are added or replaced, emptied ones go, `null` takes all away. */
export function mergeMetadata(before: Metadata, change: Metadata | null | undefined): Metadata {
  if (change === undefined) return before;
  if (change === null) return {};
  return Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== ''));
}
