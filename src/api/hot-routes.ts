import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { type AccessControl, requireAccess, requireScope } from '../auth/access-control.js';
import type { Principal } from '../auth/authenticator.js';
import { tokenOf } from '../auth/caller.js';
import { isUserId } from '../events/user-id.js';
import { readBody, readJsonBody, takeJsonBody } from '../http/body.js';
import type { FailureLog } from '../http/failure-log.js';
import { logRequest } from '../http/measured.js';
import { ProblemError } from '../http/problem.js';
import { problemReply, type Reply, sendReply } from '../http/reply.js';
import { requestIdOf } from '../http/request-id.js';
import type { LatencyCell } from '../observability/latency-histogram.js';
import type { Logger } from '../observability/logger.js';
import type { Metrics } from '../observability/metrics.js';
import type { WebhookService } from '../webhooks/webhook.service.js';
import type { EntitlementsService } from './entitlements/entitlements.service.js';
import type { OfrepService } from './ofrep/ofrep.service.js';
import { parseFailure } from './ofrep/ofrep-body.js';
import type { RequestEdge } from './pseudonyms/request-edge.js';
import { toProblem } from './to-problem.js';

export interface HotRoutesOptions {
  /** Everything that is not hot: the Express application. */
  readonly next: RequestListener;
  readonly access: AccessControl;
  /** The way in of user ids; `null`: they are the same inside. */
  readonly edge: Pick<RequestEdge, 'stored' | 'peek' | 'principal' | 'body'> | null;
  readonly entitlements: EntitlementsService;
  readonly ofrep: OfrepService;
  readonly webhooks: WebhookService;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly failures: FailureLog;
}

const WEBHOOK = '/webhooks/stripe';
const SNAPSHOT_ROUTE = '/v1/users/:userId/entitlements';
const FLAGS = '/ofrep/v1/evaluate/flags';
/** The plain form of the snapshot's path: no query, nothing to decode. */
const SNAPSHOT = /^\/v1\/users\/([\w.~:@-]{1,255})\/entitlements$/;

/**
 * Answers the hot routes in front of Express on the same server (DESIGN 13), through the same services, checks,
 * errors and metrics as the controllers; everything else goes on to Express.
 */
export function hotRoutes(options: HotRoutesOptions): RequestListener {
  const { next, access, edge, entitlements, ofrep, webhooks } = options;
  const snapshots = new HotRoute('GET', SNAPSHOT_ROUTE, options);
  const deliveries = new HotRoute('POST', WEBHOOK, options);
  const flags = new HotRoute('POST', FLAGS, options);

  const receive = async ({ request, response, requestId, start }: Exchange): Promise<void> => {
    const signature = request.headers['stripe-signature'];
    const reply = await webhooks
      .receive(readBody(request), typeof signature === 'string' ? signature : undefined, requestId)
      .catch((error: unknown) => deliveries.refuse(error, requestId));
    deliveries.send(response, reply, requestId, start);
  };

  /** The snapshot that must be read, or whose key must be looked up. */
  const read = async (
    { request, response, requestId, start }: Exchange,
    userId: string,
    admitted: Promise<Principal> | null,
  ): Promise<void> => {
    let reply: Reply;
    try {
      if (admitted !== null) requireAccess(await admitted, 'entitlements:read', userId);
      const stored = edge === null ? userId : await edge.stored(userId);
      reply = await entitlements.snapshot(stored, undefined, request.headers['if-none-match']);
    } catch (error) {
      reply = snapshots.refuse(error, requestId);
    }
    snapshots.send(response, reply, requestId, start);
  };

  /** Answers from memory at once when it can. */
  const snapshot = (exchange: Exchange, userId: string): void => {
    const { request, response, requestId, start } = exchange;
    let admitted: Promise<Principal> | null = null;
    let reply: Reply | null = null;
    try {
      const found = access.admit(request.headers.authorization, request.socket);
      if (found instanceof Promise) admitted = found;
      else {
        requireAccess(found, 'entitlements:read', userId);
        const stored = edge === null ? userId : edge.peek(userId);
        if (stored !== null) reply = entitlements.peek(stored, request.headers['if-none-match']);
      }
    } catch (error) {
      reply = snapshots.refuse(error, requestId);
    }
    if (reply === null) void read(exchange, userId, admitted);
    else snapshots.send(response, reply, requestId, start);
  };

  const flagsFor = (
    sent: unknown,
    principal: Principal,
    ifNoneMatch: string | undefined,
  ): Reply | Promise<Reply> => {
    if (principal.kind === 'key') requireScope(principal, 'entitlements:read');
    const token = tokenOf(principal);
    const has = { ifNoneMatch, flagConfigEtag: undefined };
    return ofrep.peek(sent, token, ifNoneMatch) ?? ofrep.flags(sent, token, has);
  };

  /** The same where a key must be looked up, or user ids are others inside. */
  const readFlags = async (
    request: IncomingMessage,
    admitted: Principal | Promise<Principal>,
  ): Promise<Reply> => {
    const sender = await admitted;
    const principal = edge === null ? sender : await edge.principal(sender);
    const sent = await readJsonBody(request);
    const body = edge === null ? sent : await edge.body(sent);
    return flagsFor(body, principal, request.headers['if-none-match']);
  };

  /** All flags of a user, which providers in browsers ask for again and again; at once from memory when it can. */
  const evaluate = ({ request, response, requestId, start }: Exchange): void => {
    const answer = (reply: Reply): void => flags.send(response, reply, requestId, start);
    const refuse = (error: unknown): void =>
      answer(parseFailure(error, undefined) ?? flags.refuse(error, requestId));
    try {
      const found = access.admit(request.headers.authorization, request.socket);
      if (edge !== null || found instanceof Promise) {
        readFlags(request, found).then(answer, refuse);
        return;
      }
      takeJsonBody(request, (sent) => {
        if (sent instanceof ProblemError) return refuse(sent);
        try {
          const reply = flagsFor(sent.value, found, request.headers['if-none-match']);
          if (reply instanceof Promise) reply.then(answer, refuse);
          else answer(reply);
        } catch (error) {
          refuse(error);
        }
      });
    } catch (error) {
      refuse(error);
    }
  };

  return (request, response) => {
    const { method, url = '' } = request;
    if (method === 'GET') {
      const userId = SNAPSHOT.exec(url)?.[1];
      if (userId === undefined || !isUserId(userId)) return next(request, response);
      return snapshot(exchangeOf(request, response), userId);
    }
    if (method === 'POST' && url === WEBHOOK) {
      void receive(exchangeOf(request, response));
      return;
    }
    if (method === 'POST' && url === FLAGS) {
      evaluate(exchangeOf(request, response));
      return;
    }
    return next(request, response);
  };
}

/** The pattern of a request's route, hot or of Express, once it was found; `null` where there is none. */
export function routeOf(request: IncomingMessage): string | null {
  const { method, url = '' } = request;
  if (method === 'POST' && (url === WEBHOOK || url === FLAGS)) return url;
  if (method === 'GET' && SNAPSHOT.test(url)) return SNAPSHOT_ROUTE;
  const path: unknown = Reflect.get(Object(Reflect.get(request, 'route')), 'path');
  return typeof path === 'string' ? path : null;
}

/** One request on a hot route. `start` is of the monotonic clock, in milliseconds. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly start: number;
}

function exchangeOf(request: IncomingMessage, response: ServerResponse): Exchange {
  return { request, response, requestId: requestIdOf(request), start: performance.now() };
}

/** Sends and counts what one hot route answers, as the long way does. */
class HotRoute {
  private readonly cells = new Map<number, LatencyCell>();

  constructor(
    private readonly method: string,
    private readonly route: string,
    private readonly tells: Pick<HotRoutesOptions, 'metrics' | 'logger' | 'failures'>,
  ) {}

  send(response: ServerResponse, reply: Reply, requestId: string, start: number): void {
    sendReply(response, reply, requestId);
    const seconds = (performance.now() - start) / 1000;
    this.cell(reply.status).observe(seconds);
    logRequest(this.tells.logger, response, this.route, requestId, seconds);
  }

  refuse(error: unknown, requestId: string): Reply {
    const problem = toProblem(error);
    this.tells.failures.request(problem, requestId, error);
    return problemReply(problem, requestId);
  }

  private cell(status: number): LatencyCell {
    const known = this.cells.get(status);
    if (known !== undefined) return known;
    const labels = { route: this.route, method: this.method, status: String(status) };
    const made = this.tells.metrics.requestSeconds.cell(labels);
    this.cells.set(status, made);
    return made;
  }
}
