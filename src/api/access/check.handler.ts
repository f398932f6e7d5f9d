import type { NextFunction, Request, Response } from 'express';
import type { FailureLog } from '../../http/failure-log.js';
import { problemReply, sendReply } from '../../http/reply.js';
import { requestIdOf } from '../../http/request-id.js';
import { toProblem } from '../to-problem.js';
import type { AccessCheck } from './access-check.js';

/** Express middleware that answers everything at and below `CHECK_PATH`, whatever the method. Bodies are not read. */
export function checkHandler(check: AccessCheck, failures: Pick<FailureLog, 'request'>) {
  return async (request: Request, response: Response, _next: NextFunction): Promise<void> => {
    const requestId = requestIdOf(request);
    try {
      sendReply(response, await check.answer(request), requestId);
    } catch (error) {
      const problem = toProblem(error);
      failures.request(problem, requestId, error);
      sendReply(response, problemReply(problem, requestId), requestId);
    }
  };
}
