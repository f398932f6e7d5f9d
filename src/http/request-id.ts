import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { correlationPrefix, readTraceParent } from '../observability/trace-parent.js';

/** What is safe to write into a log line and a header: letters, digits and `._-:`, up to 128. */
const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

const prefix = randomBytes(9).toString('base64url');
let counter = 0;

/** An id that no other request has: a random part per process and a counter. */
export function newRequestId(): string {
  counter += 1;
  return `${prefix}-${counter.toString(36)}`;
}

/** The caller's `X-Request-Id` when it is sane, else a new one, which begins with the caller's trace where one is named. */
export function requestIdFrom(headers: IncomingHttpHeaders): string {
  const { traceparent, 'x-request-id': given } = headers;
  if (typeof given === 'string' && SANE.test(given)) return given;
  const parent = readTraceParent(traceparent);
  return parent === null ? newRequestId() : `${correlationPrefix(parent)}${newRequestId()}`;
}

const ID = Symbol('request id');

/** A request with its id, once that was asked for. A weak map beside the requests would cost a hot route a microsecond. */
interface Identified extends IncomingMessage {
  [ID]?: string;
}

/** The id of this request; the same one however often it is asked for. */
export function requestIdOf(request: Identified): string {
  request[ID] ??= requestIdFrom(request.headers);
  return request[ID];
}
