import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { bodyOf, complain, given, serveForBench } from './rival-server.js';

const TOLERANCE_SECONDS = 300;

/** What a bare receiver takes from a body. */
export interface BareWebhook {
  readonly id: string;
  readonly type: string;
}

/**
 * Serves webhooks with the least there can be: Stripe's signature checked, the body parsed, `store` awaited, 200.
 * `name` is whose complaint it is when that fails. What is no POST goes to `read`.
 */
export function receiveWebhooks(
  name: string,
  store: (event: BareWebhook, body: string) => Promise<void>,
  read: RequestListener = (_, response) => response.writeHead(404, { 'content-length': 0 }).end(),
): void {
  const secret = given('BENCH_SECRET');
  serveForBench(async (request, response) => {
    if (request.method !== 'POST') {
      read(request, response);
      return;
    }
    try {
      const body = await bodyOf(request);
      const header = request.headers['stripe-signature'];
      if (!isSigned(secret, body, Array.isArray(header) ? undefined : header)) {
        response.writeHead(400, { 'content-length': 0 }).end();
        return;
      }
      await store(JSON.parse(body), body);
      const answer = '{"received":true}';
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
        .end(answer);
    } catch (error) {
      complain(`${name}: ${error}`);
      response.writeHead(500, { 'content-length': 0 }).end();
    }
  });
}

function isSigned(secret: string, body: string, header: string | undefined): boolean {
  const [, second, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header ?? '') ?? [];
  if (second === undefined || signature === undefined) return false;
  if (Math.abs(Date.now() / 1000 - Number(second)) > TOLERANCE_SECONDS) return false;
  const expected = createHmac('sha256', secret).update(`${second}.${body}`).digest();
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'));
}
