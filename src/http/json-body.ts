import type { NextFunction, Request, Response } from 'express';
import secureJson from 'secure-json-parse';
import { ProblemError } from './problem.js';
import { readBody } from './read-body.js';

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

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
  try {
    return secureJson.parse(UTF8.decode(raw), undefined, {
      protoAction: 'error',
      constructorAction: 'error',
    });
  } catch (cause) {
    throw new ProblemError('malformed_json', 'The body is not JSON that can be taken.', {}, { cause });
  }
}
