import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { NextFunction, Request, Response } from 'express';
import type { Logger } from '../observability/logger.js';
import type { Metrics } from '../observability/metrics.js';
import { requestIdOf } from './request-id.js';

/** Methods that may become a label; others are one, since a caller can invent them. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Measures what goes the long way, by the route's pattern: never by the path, which holds ids. */
export function measured(metrics: Metrics, logger: Logger) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const start = performance.now();
    response.once('finish', () => {
      const seconds = (performance.now() - start) / 1000;
      const path: unknown = request.route?.path;
      const route = typeof path === 'string' ? path : 'none';
      const labels = {
        route,
        method: METHODS.has(request.method) ? request.method : 'other',
        status: String(response.statusCode),
      };
      metrics.requestSeconds.cell(labels).observe(seconds);
      logRequest(logger, response, route, requestIdOf(request), seconds);
    });
    next();
  };
}

/** Tells of a finished request, at debug: the route's pattern, never the path, a header or a body. */
export function logRequest(
  logger: Logger,
  response: ServerResponse,
  route: string,
  requestId: string,
  seconds: number,
): void {
  if (!logger.isLevelEnabled('debug')) return;
  const { method } = response.req;
  logger.debug({ requestId, method, route, status: response.statusCode, ms: seconds * 1000 }, 'request');
}
