import { isRecord } from '../entitlement-token.js';
import { endedAfter } from './ended-body.js';
import { problemResponse } from './problem-response.js';
import { routeFor, type TenureRoute } from './routes.js';
import { isSameOrigin } from './same-origin.js';

export interface TenureHandlerOptions {
  /** Where Tenure is. */
  readonly url: string;
  /** An API key with the scopes `entitlements:read`, and `checkout` where browsers buy. */
  readonly key: string;
  /** The id of who is signed in to the application, by its own session; nothing where nobody is. */
  readonly user: (request: Request) => string | null | undefined | Promise<string | null | undefined>;
  /** The path that the handler is mounted at, such as `/api/tenure`. */
  readonly basePath: string;
  /** Origins from which writes are taken besides that of the request's URL, which a proxy may have changed. */
  readonly origins?: readonly string[];
  /** A stream ends after so long, and the browser comes again with its session: 300,000 ms unless said otherwise. */
  readonly streamMs?: number;
  readonly fetch?: typeof fetch;
}

const STREAM_MS = 300_000;
/** The most that Tenure may take for an answer that ends: a wait of 25 seconds, and some. */
const ANSWER_WITHIN_MS = 40_000;
/** The most that a body may have, in characters. */
const MOST_CHARACTERS = 65_536;
const HANDED_ON = ['accept', 'if-none-match', 'last-event-id'];
const HANDED_BACK = [
  'cache-control',
  'content-type',
  'etag',
  'retry-after',
  'tenure-position',
  'x-accel-buffering',
  'x-request-id',
];

/**
 * A handler (Request → Response) on the application's own origin, for Next.js, Hono and the like: it asks Tenure for who is
 * signed in, so that the browser holds no key and reaches no other user. `createTenureClient` takes its path as `baseUrl`.
 */
export function tenureHandler(options: TenureHandlerOptions): (request: Request) => Promise<Response> {
  const basePath = options.basePath.replace(/\/+$/, '');
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(`${basePath}/`)) return problemResponse('not_found');
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead && !isSameOrigin(request, options.origins ?? [])) return problemResponse('other_origin');
    const userId = await options.user(request);
    if (userId === null || userId === undefined || userId === '') return problemResponse('not_signed_in');
    const route = routeFor(request.method, pathname.slice(basePath.length), userId);
    if (typeof route === 'string') return problemResponse(route);
    const body = await bodyFor(route, request, userId);
    if (body === 'invalid_request' || body === 'payload_too_large') return problemResponse(body);
    const answer = await ask(options, route, request, { userId, body });
    return answer === null ? problemResponse('tenure_unreachable') : handBack(answer, route, userId, options);
  };
}

/** Body for Tenure as JSON; `null` of a route that takes none. */
async function bodyFor(
  { body }: TenureRoute,
  request: Request,
  userId: string,
): Promise<{ readonly json: string } | null | 'invalid_request' | 'payload_too_large'> {
  if (body === 'none') return null;
  const text = await request.text();
  if (text.length > MOST_CHARACTERS) return 'payload_too_large';
  const value = parsed(text);
  if (!isRecord(value)) return 'invalid_request';
  return { json: JSON.stringify(body === 'signed-in' ? { ...value, userId } : value) };
}

function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The answer of Tenure, whole but for a stream; `null` where there is none in time. Rejects where the browser has left. */
async function ask(
  { url, key, fetch: given }: TenureHandlerOptions,
  route: TenureRoute,
  request: Request,
  { userId, body }: { readonly userId: string; readonly body: { readonly json: string } | null },
): Promise<Response | null> {
  const to = new URL(url.replace(/\/+$/, '') + route.path);
  const { searchParams } = new URL(request.url);
  for (const name of route.query) {
    const value = searchParams.get(name);
    if (value !== null) to.searchParams.set(name, value);
  }
  const headers = new Headers({ authorization: `Bearer ${key}` });
  for (const name of HANDED_ON) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const repeated = request.headers.get('idempotency-key');
  // All users share the key of the application, and so would their own keys for repeats.
  if (repeated !== null) headers.set('idempotency-key', await keyOf(userId, repeated));
  if (body !== null) headers.set('content-type', 'application/json');
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_WITHIN_MS);
  const signal = AbortSignal.any([request.signal, late.signal]);
  try {
    const { method } = route;
    const ask = { method, headers, body: body?.json ?? null, signal, redirect: 'error' } as const;
    const answer = await (given ?? fetch)(to, ask);
    if (route.answer === 'stream' && answer.ok) return answer;
    const text = await answer.text();
    return new Response(text === '' ? null : text, { status: answer.status, headers: answer.headers });
  } catch (error) {
    if (request.signal.aborted) throw error;
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function keyOf(userId: string, key: string): Promise<string> {
  const both = new TextEncoder().encode(JSON.stringify([userId, key]));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', both));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The answer for the browser: what is about another user, or about the application's key, stays here. */
async function handBack(
  answer: Response,
  route: TenureRoute,
  userId: string,
  { streamMs = STREAM_MS }: TenureHandlerOptions,
): Promise<Response> {
  const { status } = answer;
  const headers = new Headers({ vary: 'Cookie' });
  for (const name of HANDED_BACK) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (status === 304 || answer.body === null) return new Response(null, { status, headers });
  if (route.answer === 'stream' && answer.ok) {
    return new Response(endedAfter(answer.body, streamMs), { status, headers });
  }
  const text = await answer.text();
  if (status === 401 || status === 403) {
    const value = parsed(text);
    const isAboutKey = status === 401 || (isRecord(value) && value.code === 'forbidden');
    if (isAboutKey) return problemResponse('tenure_refused');
  }
  if (route.answer === 'own' && answer.ok) {
    const value = parsed(text);
    if (!isRecord(value) || value.userId !== userId) return problemResponse('not_found');
  }
  return new Response(text, { status, headers });
}
