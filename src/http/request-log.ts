import type { ServerResponse } from 'node:http';
import type { Logger } from '../observability/logger.js';

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
