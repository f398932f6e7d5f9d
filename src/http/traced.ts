import type { IncomingMessage, RequestListener } from 'node:http';
import type { Tracing } from '../observability/tracing.js';
import { requestIdOf } from './request-id.js';

/** Answers as `listener` does, each request in a span of its own. `routeOf` tells the pattern of its route, known when it ends. */
export function traced(
  listener: RequestListener,
  tracing: Pick<Tracing, 'request'>,
  routeOf: (request: IncomingMessage) => string | null,
): RequestListener {
  return (request, response) => {
    const exchange = { request, response, requestId: requestIdOf(request), route: () => routeOf(request) };
    tracing.request(exchange, () => listener(request, response));
  };
}
