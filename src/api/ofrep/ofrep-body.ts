import type { NextFunction, Request, Response } from 'express';
import { jsonBody } from '../../http/body.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, type Reply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import type { OfrepFailure } from './ofrep.schemas.js';

/** What is before the key of a flag. */
const ONE_FLAG = /^\/ofrep\/v1\/evaluate\/flags\/([^/?]+)/i;

/** Express middleware that reads JSON, and says of what is none what the protocol says of it. */
export async function ofrepBody(request: Request, response: Response, next: NextFunction): Promise<void> {
  await jsonBody(request, response, (error?: unknown) => {
    const reply = parseFailure(error, ONE_FLAG.exec(request.originalUrl)?.[1]);
    if (reply === null) return next(error);
    sendReply(response, reply, requestIdOf(request));
  });
}

/** What the protocol says of a body that is no JSON, asked for all flags or for that of `key`; `null` of any other failure. */
export function parseFailure(error: unknown, key: string | undefined): Reply | null {
  if (!(error instanceof ProblemError) || error.code !== 'malformed_json') return null;
  const failure: OfrepFailure = { errorCode: 'PARSE_ERROR', errorDetails: error.detail };
  return jsonReply(400, key === undefined ? failure : { key, ...failure });
}
