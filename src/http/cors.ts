import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { emptyReply, sendReply } from './reply.js';
import { requestIdOf } from './request-id.js';

/** What browsers may call: everything that takes a key or token, but what proxies ask about requests of any method. */
const CALLED = /^\/(?:v1|ofrep|access(?!\/v1\/check(?:[/?]|$)))(?:[/?]|$)/i;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const HEADERS = [
  'authorization',
  'content-type',
  'if-none-match',
  'idempotency-key',
  'last-event-id',
  'traceparent',
  'x-request-id',
];
/** What a page may read of an answer beside what every page may. */
const EXPOSED = ['ETag', 'Location', 'Retry-After', 'Tenure-Position', 'Tenure-Reason', 'X-Request-Id'];
/** Seconds for which a browser may remember what it was allowed. */
const MAX_AGE = '600';

/**
 * Answers as `listener` does, and lets browsers of the `origins` read it (the Fetch standard, "CORS protocol"): exact
 * origins, no `*`, and no cookies, since who calls says so in `Authorization`. A preflight of one of them needs no key; any
 * other is a request like all others.
 */
export function cors(listener: RequestListener, origins: readonly string[]): RequestListener {
  if (origins.length === 0) return listener;
  const allowed = new Set(origins);
  return (request, response) => {
    if (!CALLED.test(request.url ?? '')) return listener(request, response);
    response.setHeader('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) return listener(request, response);
    response.setHeader('access-control-allow-origin', origin);
    if (isPreflight(request)) return answerPreflight(request, response);
    response.setHeader('access-control-expose-headers', EXPOSED.join(', '));
    return listener(request, response);
  };
}

function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

function answerPreflight(request: IncomingMessage, response: ServerResponse): void {
  const headers = {
    'access-control-allow-methods': METHODS.join(', '),
    'access-control-allow-headers': HEADERS.join(', '),
    'access-control-max-age': MAX_AGE,
  };
  sendReply(response, emptyReply(204, headers), requestIdOf(request));
}
