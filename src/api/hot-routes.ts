import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { isUserId } from '../events/user-id.js';
import type { LatencyCell } from '../observability/latency-histogram.js';
import type { Logger } from '../observability/logger.js';
import type { Metrics } from '../observability/metrics.js';
import type { WebhookService } from '../webhooks/webhook.service.js';
import type { AccessControl } from './auth/access-control.js';
import type { Principal } from './auth/authenticator.js';
import type { EntitlementsService } from './entitlements/entitlements.service.js';
import { readBody } from './http/read-body.js';
import { problemReply, type Reply, sendReply } from './http/reply.js';
import { requestIdOf } from './http/request-id.js';
import { toProblem } from './http/to-problem.js';

export interface HotRoutesOptions {
  /** Everything that is not hot: the Express application. */
  readonly next: RequestListener;
  readonly access: AccessControl;
  readonly entitlements: EntitlementsService;
  readonly webhooks: WebhookService;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

const WEBHOOK = '/webhooks/stripe';
/** The plain form of the snapshot's path: no query, nothing to decode. */
const SNAPSHOT = /^\/v1\/users\/([\w.~:@-]{1,255})\/entitlements$/;

/**
 * Answers the two hot routes in front of Express on the same server (DESIGN 13), through the same services, checks,
 * errors and metrics as the controllers; everything else goes on to Express.
 */
export function hotRoutes(options: HotRoutesOptions): RequestListener {
  const { next, access, entitlements, webhooks, metrics, logger } = options;
  const cells = new Map<string, LatencyCell>();
  const cell = (route: string, method: string, status: number): LatencyCell => {
    const key = `${method} ${status} ${route}`;
    const known = cells.get(key);
    if (known !== undefined) return known;
    const made = metrics.requestSeconds.cell({ route, method, status: String(status) });
    cells.set(key, made);
    return made;
  };
  const send = (
    request: IncomingMessage,
    response: ServerResponse,
    reply: Reply,
    route: string,
    start: number,
  ): void => {
    sendReply(response, reply, requestIdOf(request));
    cell(route, request.method ?? '', reply.status).observe((performance.now() - start) / 1000);
  };
  const refuse = (request: IncomingMessage, error: unknown): Reply => {
    const problem = toProblem(error);
    const requestId = requestIdOf(request);
    if (problem.status >= 500) logger.error({ requestId, code: problem.code, err: error }, 'request failed');
    return problemReply(problem, requestId);
  };

  const receive = async (
    request: IncomingMessage,
    response: ServerResponse,
    start: number,
  ): Promise<void> => {
    let reply: Reply;
    try {
      const signature = request.headers['stripe-signature'];
      const raw = await readBody(request);
      reply = await webhooks.receive(
        raw,
        typeof signature === 'string' ? signature : undefined,
        requestIdOf(request),
      );
    } catch (error) {
      reply = refuse(request, error);
    }
    send(request, response, reply, WEBHOOK, start);
  };

  const snapshot = async (
    request: IncomingMessage,
    response: ServerResponse,
    userId: string,
    admitted: Promise<Principal> | null,
    start: number,
  ): Promise<void> => {
    let reply: Reply;
    try {
      if (admitted !== null) await admitted;
      reply = await entitlements.snapshot(userId, undefined, request.headers['if-none-match']);
    } catch (error) {
      reply = refuse(request, error);
    }
    send(request, response, reply, '/v1/users/:userId/entitlements', start);
  };

  return (request, response) => {
    const { method, url = '' } = request;
    if (method === 'GET') {
      const userId = SNAPSHOT.exec(url)?.[1];
      if (userId === undefined || !isUserId(userId)) return next(request, response);
      const start = performance.now();
      let admitted: Promise<Principal> | null = null;
      let reply: Reply | null = null;
      try {
        const found = access.admit(request.headers.authorization, request.socket.remoteAddress ?? '');
        if (found instanceof Promise) admitted = found;
        else reply = entitlements.peek(userId, request.headers['if-none-match']);
      } catch (error) {
        reply = refuse(request, error);
      }
      if (reply === null) void snapshot(request, response, userId, admitted, start);
      else send(request, response, reply, '/v1/users/:userId/entitlements', start);
      return;
    }
    if (method === 'POST' && url === WEBHOOK) {
      void receive(request, response, performance.now());
      return;
    }
    return next(request, response);
  };
}
