import type { NextFunction, Request, Response } from 'express';
import { jsonBody } from '../../http/body.js';
import { ProblemError } from '../../http/problem.js';
import { jsonReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import type { OfrepFailure } from './ofrep.schemas.js';

/** What is before the key of a flag. */
const ONE_FLAG = /^\/ofrep\/v1\/evaluate\/flags\/([^/?]+)/i;

/** Express middleware that reads JSON, and says of what is none what the protocol says of it. */
export async function ofrepBody(request: Request, response: Response, next: NextFunction): Promise<void> {
  await jsonBody(request, response, (error?: unknown) => {
    if (!(error instanceof ProblemError) || error.code !== 'malformed_json') return next(error);
    const key = ONE_FLAG.exec(request.originalUrl)?.[1];
    const failure: OfrepFailure = { errorCode: 'PARSE_ERROR', errorDetails: error.detail };
    const body = key === undefined ? failure : { key, ...failure };
    sendReply(response, jsonReply(400, body), requestIdOf(request));
  });
}
