/**
 * The floor of `query` and `poll`: `node:http` and nothing else. It checks the same key in constant time, takes the user out
 * of the path, or of the JSON that is posted, and answers every user with one constant under the headers that Tenure answers
 * with, 304 by its ETag.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, complain, given, serveForBench } from '../support/rival-server.js';

const PATH = /^\/v1\/users\/([\w.~:@-]{1,255})\/entitlements$/;
const FLAGS = '/ofrep/v1/evaluate/flags';
const BEARER = 'Bearer ';

const body = given('BENCH_BODY');
const etag = given('BENCH_ETAG');
const key = Buffer.from(given('BENCH_KEY'));
const presented = Buffer.alloc(key.length);
const always = ['x-content-type-options', 'nosniff', 'etag', etag, 'cache-control', 'private, no-cache'];
const length = String(Buffer.byteLength(body));
let requests = 0;

function isAdmitted(authorization: string | undefined): boolean {
  if (authorization?.startsWith(BEARER) !== true) return false;
  const token = authorization.slice(BEARER.length);
  presented.fill(0);
  presented.write(token, 'latin1');
  return timingSafeEqual(key, presented) && token.length === key.length;
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  requests += 1;
  const headers = ['x-request-id', `bare-${requests.toString(36)}`, ...always, 'tenure-position', '1'];
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  headers.push('content-type', 'application/json; charset=utf-8', 'content-length', length);
  response.writeHead(200, headers).end(body);
}

async function answerPosted(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { context } = JSON.parse(await bodyOf(request));
  if (typeof context.targetingKey === 'string') answer(request, response);
  else response.writeHead(400, { 'content-length': '0' }).end();
}

serveForBench((request, response) => {
  const { method, url = '' } = request;
  if (!isAdmitted(request.headers.authorization)) response.writeHead(401, { 'content-length': '0' }).end();
  else if (method === 'GET' && PATH.test(url)) answer(request, response);
  else if (method === 'POST' && url === FLAGS) answerPosted(request, response).catch(complain);
  else response.writeHead(404, { 'content-length': '0' }).end();
});
