import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Logger } from '../../observability/logger.js';
import { problemReply, sendReply } from './reply.js';
import { requestIdOf } from './request-id.js';
import { toProblem } from './to-problem.js';

/** Answers every thrown value with problem+json; what is our fault is logged under the request id. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const requestId = requestIdOf(request);
    const problem = toProblem(error);
    if (problem.status >= 500)
      this.logger.error({ requestId, code: problem.code, err: error }, 'request failed');
    sendReply(http.getResponse<Response>(), problemReply(problem, requestId), requestId);
  }
}
