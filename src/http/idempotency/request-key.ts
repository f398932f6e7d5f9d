import type { Request } from 'express';
import { v4, v5 } from 'uuid';
import { ProblemError } from '../problem.js';

/** A key as clients choose it: printable ASCII without spaces. */
const KEY = /^[\x21-\x7e]{1,255}$/;
/** Namespace of ids that are made from keys; never changed, or a repeat makes its thing a second time. */
const NAMESPACE = '6f0c1c2e-5b0f-4e5a-9c39-0d5e3a6f7b21';

/** Who asks for what, and by which `Idempotency-Key` (`null`: none). `path` is canonical: see `canonicalPath`. */
export interface KeyedRequest {
  readonly caller: string;
  readonly path: string;
  readonly key: string | null;
}

/**
 * The id of what a request makes, a UUID: the same for every repeat by one caller, path and key, however late it comes, and
 * one of its own without a key (DESIGN 10, "Said twice, done once"). Whoever finds it made with other contents throws
 * `keyReused`.
 */
export function stableId({ caller, path, key }: KeyedRequest): string {
  return key === null ? v4() : v5(JSON.stringify([caller, path, key]), NAMESPACE);
}

/** The refusal of a key under which something else was asked for before. */
export function keyReused(): ProblemError {
  return new ProblemError(
    'idempotency_key_reused',
    'This Idempotency-Key was sent with other contents before. Take a new key.',
  );
}

/** The `Idempotency-Key` of a request, `null` where it has none. @throws ProblemError `invalid_request` */
export function idempotencyKeyOf({ headers }: Pick<Request, 'headers'>): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new ProblemError(
    'invalid_request',
    'Idempotency-Key must have 1 to 255 printable ASCII characters, without spaces.',
  );
}

/** The path of a request without its query, in one spelling whatever case, escapes or slash at the end it came with. */
export function canonicalPath({ route, params }: Pick<Request, 'route' | 'params'>): string {
  const template: unknown = Reflect.get(Object(route), 'path');
  if (typeof template !== 'string') throw new Error('a request has no route yet');
  return template.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

/** What the reply that is kept for a request is sealed for, by the digest of the request. */
export function purposeOfReply(id: string): string {
  return `reply ${id}`;
}
