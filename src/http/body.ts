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

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a request body as it came, byte for byte.
 * @throws ProblemError `payload_too_large`, or `invalid_request` when the caller goes away half-way
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      if (size > MAX_DISCARDED_BYTES) {
        stop();
        request.pause();
        reject(tooLarge({ connection: 'close' }));
      }
    };
    const onEnd = (): void => {
      stop();
      if (size > MAX_BODY_BYTES) {
        reject(tooLarge({}));
        return;
      }
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    };
    const onGone = (): void => {
      stop();
      reject(new ProblemError('invalid_request', 'The body ended before it was complete.'));
    };
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
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
 * webhook's; keys that could reach a prototype are refused, not removed.
 */
export async function jsonBody(request: Request, _response: Response, next: NextFunction): Promise<void> {
  try {
    if (hasBody(request)) request.body = await readJson(request);
    next();
  } catch (error) {
    next(error);
  }
}

/** A request has a body when it announces one (RFC 9112, 6). */
function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

async function readJson(request: Request): Promise<unknown> {
  const { headers } = request;
  const encoding = headers['content-encoding'];
  if (!JSON_TYPE.test(headers['content-type'] ?? '') || (encoding !== undefined && encoding !== 'identity')) {
    throw new ProblemError('unsupported_media_type', 'Send application/json, not compressed.');
  }
  const raw = await readBody(request);
  if (headers['idempotency-key'] !== undefined) rawBodies.set(request, raw);
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
