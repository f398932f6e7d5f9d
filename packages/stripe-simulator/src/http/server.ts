import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Account } from '../account.js';
import { ApiError, invalidRequest, RefusedUnbegunError } from '../api-error.js';
import { API_VERSION, BY_ITSELF } from '../events.js';
import { type Expansions, expanded } from './expand.js';
import { decodeForm } from './form.js';
import { type Answer, Idempotency } from './idempotency.js';
import { RateLimit } from './rate-limit.js';
import type { Router } from './router.js';

/** Largest body that is read. */
const MOST_BYTES = 1_048_576;

/** What answers a request that is none of the API's: a page, or the simulator's own controls. Tells whether it did. */
export type SideRoutes = (
  request: IncomingMessage,
  url: URL,
  body: string,
  response: ServerResponse,
) => Promise<boolean>;

export interface ServedAccount {
  readonly account: Account;
  readonly router: Router;
  readonly expansions: Expansions;
  /** Looked at first. */
  readonly sideRoutes: SideRoutes;
}

/** The API over HTTP: who asks, what they ask for, and the answer with Stripe's headers. */
export class ApiServer {
  readonly #server: Server;
  readonly #idempotency = new Idempotency();
  readonly #limit = new RateLimit();
  #requests = 0;

  constructor(private readonly served: ServedAccount) {
    this.#server = createServer((request, response) => void this.#receive(request, response));
    // Clients keep connections; one that is idle when the simulator's own time-out strikes would lose a request.
    this.#server.keepAliveTimeout = 60_000;
  }

  /** Listens on this port of 127.0.0.1, 0 for any; the port. */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** So many requests have come since the start. */
  get requests(): number {
    return this.#requests;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests += 1;
    const requestId = `req_${this.#requests.toString(36).padStart(14, '0')}`;
    const url = new URL(request.url ?? '/', 'http://simulator');
    try {
      const body = await bodyOf(request);
      if (await this.served.sideRoutes(request, url, body, response)) return;
      await this.#sendInTime(response, requestId, this.#answer(request, url, body, requestId, response));
    } catch (error) {
      await this.#sendInTime(response, requestId, answerOf(error, requestId));
    }
  }

  async #sendInTime(response: ServerResponse, requestId: string, answer: Answer): Promise<void> {
    const { answer_ms: ms } = this.served.account.settings;
    if (ms > 0) await pause(ms);
    this.#send(response, requestId, answer);
  }

  #send(response: ServerResponse, requestId: string, { status, body }: Answer): void {
    if (response.destroyed) return;
    response.writeHead(status, {
      'content-type': 'application/json',
      date: new Date(this.served.account.clock.now * 1_000).toUTCString(),
      'request-id': requestId,
      'stripe-version': API_VERSION,
    });
    response.end(body);
  }

  /** The answer of the API, or of the first request with the same idempotency key. */
  #answer(
    request: IncomingMessage,
    url: URL,
    body: string,
    requestId: string,
    response: ServerResponse,
  ): Answer {
    const { account } = this.served;
    const key = authenticate(request);
    if (!this.#limit.take(account.settings.requests_per_second)) {
      throw new RefusedUnbegunError(429, 'rate_limit_error', 'Request rate limit exceeded.', {
        code: 'rate_limit',
      });
    }
    const idempotencyKey = request.headers['idempotency-key'];
    if (typeof idempotencyKey !== 'string' || request.method === 'GET') {
      return { status: 200, body: this.#run(request, url, body, { key, requestId, idempotencyKey: null }) };
    }
    const asked = `${request.method} ${url.pathname}${url.search} ${body}`;
    const kept = this.#idempotency.find(idempotencyKey, asked, account.clock.now);
    if (kept !== null) {
      response.setHeader('idempotent-replayed', 'true');
      return kept;
    }
    const answer = this.#outcome(
      () => this.#run(request, url, body, { key, requestId, idempotencyKey }),
      requestId,
    );
    this.#idempotency.keep(idempotencyKey, asked, answer, account.clock.now);
    return answer;
  }

  #outcome(run: () => string, requestId: string): Answer {
    try {
      return { status: 200, body: run() };
    } catch (error) {
      if (error instanceof RefusedUnbegunError) throw error;
      return answerOf(error, requestId);
    }
  }

  #run(
    request: IncomingMessage,
    url: URL,
    body: string,
    { key, requestId, idempotencyKey }: { key: string; requestId: string; idempotencyKey: string | null },
  ): string {
    const { account, router, expansions } = this.served;
    const { method = 'GET' } = request;
    const route = router.find(method, url.pathname);
    if (route === null) {
      const message = `Unrecognized request URL (${method}: ${url.pathname}). The simulator does not have it.`;
      throw new RefusedUnbegunError(404, 'invalid_request_error', message);
    }
    account.permit(key, method, url.pathname);
    const params = paramsOf(url, body);
    account.events.cause = { id: requestId, idempotency_key: idempotencyKey };
    try {
      const clock = account.testClockOf([...Object.values(route.path), ...namedIn(params)]);
      return account.inTimeOf(clock, () => {
        const answer = route.handle({ path: route.path, params });
        return JSON.stringify(expanded(answer, expansionsIn(params), expansions));
      });
    } finally {
      account.events.cause = BY_ITSELF;
    }
  }
}

/** Text values at the top, among which may be ids of who or what it is about. */
function namedIn(params: object): readonly string[] {
  return Object.values(params).filter((value) => typeof value === 'string');
}

function expansionsIn(params: object): readonly string[] {
  if (!('expand' in params) || !Array.isArray(params.expand)) return [];
  return params.expand.filter((path) => typeof path === 'string');
}

/** v1 takes forms, v2 JSON; what the query says counts everywhere. @throws ApiError 400 */
function paramsOf(url: URL, body: string): object {
  const query = decodeForm(url.search.slice(1));
  if (!url.pathname.startsWith('/v2/')) return { ...query, ...decodeForm(body) };
  if (body === '') return query;
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null) return { ...query, ...parsed };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalidRequest('The body must be a JSON object.');
}

/** The key that asks: a secret or a restricted one of test mode, as bearer or as the user of basic authentication. @throws ApiError 401 */
function authenticate({ headers }: IncomingMessage): string {
  const [scheme = '', value = ''] = (headers.authorization ?? '').split(' ');
  const key = scheme.toLowerCase() === 'basic' ? (atob(value).split(':', 1)[0] ?? '') : value;
  if (/^(sk|rk)_test_\w{3,}$/.test(key)) return key;
  const message =
    key === '' ? 'You did not provide an API key.' : `Invalid API Key provided: ${key.slice(0, 8)}****`;
  throw new RefusedUnbegunError(401, 'invalid_request_error', message);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new ApiError(413, 'invalid_request_error', 'The body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Errors of the API as they are; a fault of the simulator is a 500 that says what it was. */
function answerOf(error: unknown, requestId: string): Answer {
  if (error instanceof ApiError) return { status: error.status, body: JSON.stringify(error.body(requestId)) };
  const message = `The simulator has a fault: ${error instanceof Error ? error.stack : String(error)}`;
  return { status: 500, body: JSON.stringify(new ApiError(500, 'api_error', message).body(requestId)) };
}
