import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import secureJson from 'secure-json-parse';
import { ProblemError } from './problem.js';

/** Largest body of any route, in bytes (1 MiB). */
export const MAX_BODY_BYTES = 1024 * 1024;
/**
 * A body over the limit is still read to its end, without being kept, up to this size: a sender that is cut off in
 * the middle sees a broken connection instead of the answer.
 */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a request body as it came, byte for byte. Listeners stay on the request, which ends with its answer: to take four of
 * them off a stream costs as much as all the rest of reading it.
 * @throws ProblemError `payload_too_large`, or `invalid_request` when the caller goes away half-way
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let isOver = false;
    request.on('data', (chunk: Buffer) => {
      if (isOver) return;
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      if (size > MAX_DISCARDED_BYTES) {
        isOver = true;
        request.pause();
        reject(tooLarge({ connection: 'close' }));
      }
    });
    request.on('end', () => {
      isOver = true;
      if (size > MAX_BODY_BYTES) {
        reject(tooLarge({}));
        return;
      }
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    });
    const onGone = (): void => {
      if (isOver) return;
      isOver = true;
      reject(new ProblemError('invalid_request', 'The body ended before it was complete.'));
    };
    request.on('error', onGone).on('close', onGone);
  });
}

/** Bodies as they came, of requests whose repeats are told by their bytes. */
const rawBodies = new WeakMap<IncomingMessage, Buffer>();
const NO_BODY = Buffer.alloc(0);

/** The bytes of a body that `jsonBody` read for a request with an `Idempotency-Key`; none where it had no body. */
export function rawBodyOf(request: IncomingMessage): Buffer {
  return rawBodies.get(request) ?? NO_BODY;
}

/**
 * Express middleware that parses the JSON body of a request that has one. The same reader and the same limit as the
 * webhook's; keys that could reach a prototype are refused, not removed. A body that `formBody` has read stays.
 */
export async function jsonBody(request: Request, _response: Response, next: NextFunction): Promise<void> {
  try {
    if (request.body === undefined) request.body = await readJsonBody(request);
    next();
  } catch (error) {
    next(error);
  }
}

/**
 * Express middleware for a route whose body is a form (`application/x-www-form-urlencoded`): texts by their names, and all of
 * them in a list where a name is given again.
 */
export async function formBody(request: Request, _response: Response, next: NextFunction): Promise<void> {
  try {
    if (hasBody(request)) request.body = await readForm(request);
    next();
  } catch (error) {
    next(error);
  }
}

async function readForm(request: Request): Promise<Readonly<Record<string, string | readonly string[]>>> {
  refuseOtherTypes(request, FORM_TYPE, 'application/x-www-form-urlencoded');
  const form = new URLSearchParams((await readBody(request)).toString('utf8'));
  const names = [...new Set(form.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const [first = '', ...others] = form.getAll(name);
      return [name, others.length === 0 ? first : [first, ...others]];
    }),
  );
}

/** @throws ProblemError `unsupported_media_type` */
function refuseOtherTypes({ headers }: IncomingMessage, type: RegExp, name: string): void {
  const encoding = headers['content-encoding'];
  if (type.test(headers['content-type'] ?? '') && (encoding === undefined || encoding === 'identity')) return;
  throw new ProblemError('unsupported_media_type', `Send ${name}, not compressed.`);
}

/** A request has a body when it announces one (RFC 9112, 6). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * The JSON body of a request, `undefined` where it has none.
 * @throws ProblemError `unsupported_media_type`, `malformed_json`, and as `readBody`
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  if (!hasBody(request)) return undefined;
  refuseOtherTypes(request, JSON_TYPE, 'application/json');
  const raw = await readBody(request);
  if (request.headers['idempotency-key'] !== undefined) rawBodies.set(request, raw);
  try {
    return secureJson.parse(UTF8.decode(raw), undefined, {
      protoAction: 'error',
      constructorAction: 'error',
    });
  } catch (cause) {
    throw new ProblemError('malformed_json', 'The body is not JSON that can be taken.', {}, { cause });
  }
}

function tooLarge(headers: Readonly<Record<string, string>>): ProblemError {
  return new ProblemError('payload_too_large', `The limit is ${MAX_BODY_BYTES} bytes.`, headers);
}
