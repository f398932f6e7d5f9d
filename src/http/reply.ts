import type { ServerResponse } from 'node:http';
import { outgoingTextOf } from './outgoing-text.js';
import { type ProblemError, problemBody } from './problem.js';

/**
 * An answer, before any transport: what both ways in (Nest controllers and the `node:http` hot routes) send in the same
 * way, so that they cannot differ. `body` is the text to send, `null` for none (304, 204).
 */
export class Reply {
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: string | null,
  ) {}
}

/** An answer that is no text. */
export class BytesReply {
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: Uint8Array,
  ) {}
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** A JSON answer. What is not told otherwise is not to be stored by caches. */
export function jsonReply(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const all = { 'content-type': JSON_TYPE, 'cache-control': 'no-store', ...headers };
  return new Reply(status, all, JSON.stringify(value));
}

export function emptyReply(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return new Reply(status, { 'cache-control': 'no-store', ...headers }, null);
}

/** An RFC 9457 answer. */
export function problemReply(problem: ProblemError, requestId: string): Reply {
  const headers = {
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
    ...problem.headers,
  };
  return new Reply(problem.status, headers, JSON.stringify(problemBody(problem, requestId)));
}

/**
 * Sends `reply` and ends the response. `requestId` is echoed; every answer says that its type is not to be guessed
 * (`x-content-type-options`). Does nothing on a response that has begun, except to end its connection.
 */
export function sendReply(response: ServerResponse, reply: Reply | BytesReply, requestId: string): void {
  const { body } = reply;
  const outgoing = typeof body === 'string' ? outgoingTextOf(response) : null;
  if (outgoing === null || typeof body !== 'string') {
    sendNow(response, reply, requestId);
    return;
  }
  const send = (text: string): void =>
    sendNow(response, new Reply(reply.status, reply.headers, text), requestId);
  const ready = outgoing.now(body);
  if (ready !== null) send(ready);
  else outgoing.later(body).then(send, (error: Error) => response.destroy(error));
}

function sendNow(response: ServerResponse, reply: Reply | BytesReply, requestId: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const headers: string[] = ['x-request-id', requestId, 'x-content-type-options', 'nosniff'];
  for (const name in reply.headers) {
    const value = reply.headers[name];
    if (value !== undefined) headers.push(name, value);
  }
  if (reply.body === null) {
    if (reply.status !== 304 && reply.status !== 204) headers.push('content-length', '0');
    response.writeHead(reply.status, headers);
    response.end();
    return;
  }
  headers.push('content-length', String(Buffer.byteLength(reply.body)));
  response.writeHead(reply.status, headers);
  response.end(reply.body);
}
