import { performance } from 'node:perf_hooks';
import type { NextFunction, Request, Response } from 'express';
import type { Metrics } from '../../observability/metrics.js';

/** Measures what goes the long way, by the route's pattern: never by the path, which holds ids. */
export function measured(metrics: Metrics) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const start = performance.now();
    response.once('finish', () => {
      const route: unknown = request.route?.path;
      const labels = {
        route: typeof route === 'string' ? route : 'none',
        method: request.method,
        status: String(response.statusCode),
      };
      metrics.requestSeconds.cell(labels).observe((performance.now() - start) / 1000);
    });
    next();
  };
}
