import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { FailureLog } from './failure-log.js';
import { ProblemError, type ToProblem } from './problem.js';
import { problemReply, sendReply } from './reply.js';
import { requestIdOf } from './request-id.js';
import type { RouteTable } from './route-table.js';

/** Answers every thrown value with problem+json; what is our fault is logged under the request id. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly toProblem: ToProblem,
    private readonly failures: FailureLog,
    private readonly routes: RouteTable,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const requestId = requestIdOf(request);
    const problem = this.orWrongMethod(this.toProblem(error), request);
    this.failures.request(problem, requestId, error);
    sendReply(http.getResponse<Response>(), problemReply(problem, requestId), requestId);
  }

  /** The router says "not found" for a wrong method, too (RFC 9110, 15.5.6: 405 must name those allowed). */
  private orWrongMethod(problem: ProblemError, request: Request): ProblemError {
    if (problem.code !== 'not_found') return problem;
    const allowed = this.routes.methodsAt(request.originalUrl.split('?', 1)[0] ?? '');
    if (allowed.length === 0 || allowed.includes(request.method)) return problem;
    const allow = allowed.join(', ');
    return new ProblemError('method_not_allowed', `Allowed here: ${allow}.`, { allow });
  }
}
