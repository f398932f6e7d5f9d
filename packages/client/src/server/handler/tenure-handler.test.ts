import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../../test/until.js';
import { type TenureHandlerOptions, tenureHandler } from './tenure-handler.js';

const APP = 'https://app.example.test';
const KEY = 'key-of-a-service-0123456789abcdef0123';
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
let url: string;
let asked: Asked[];
/** How Tenure answers; without it by 200 and `{}`. */
let answer: (request: Asked, response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method = '', url: at = '', headers } = request;
      const told = { method, url: at, headers, body: Buffer.concat(pieces).toString() };
      asked.push(told);
      answer(told, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
  answer = (_, response) => response.setHeader('content-type', 'application/json').end('{}');
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Who is signed in is what the cookie says. */
function handle(
  method: string,
  path: string,
  {
    headers = {},
    body,
    signal,
  }: { headers?: Record<string, string>; body?: unknown; signal?: AbortSignal } = {},
  options: Partial<TenureHandlerOptions> = {},
): Promise<Response> {
  const handler = tenureHandler({
    url,
    key: KEY,
    basePath: '/api/tenure',
    user: (request) => request.headers.get('cookie')?.replace('user=', ''),
    ...options,
  });
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const followed = signal === undefined ? {} : { signal };
  const init = { method, headers: { cookie: 'user=u 1', ...headers }, ...content, ...followed };
  return handler(new Request(`${APP}/api/tenure${path}`, init));
}

describe('The handler for browsers', () => {
  it('asks for who is signed in, with its own key, and hands on what the browser knows already', async () => {
    answer = (_, response) => response.writeHead(304, { etag: '"b"', 'set-cookie': 'a=b' }).end();
    const headers = { 'if-none-match': '"a"', authorization: 'Bearer of-the-browser', 'x-other': '1' };
    const response = await handle('GET', '/v1/me/entitlements?minPosition=7&wait=25&at=now', { headers });
    expect(response.status).toBe(304);
    expect(Object.fromEntries(response.headers)).toEqual({ etag: '"b"', vary: 'Cookie' });
    expect(asked).toMatchObject([
      {
        method: 'GET',
        url: '/v1/users/u%201/entitlements?minPosition=7&wait=25',
        headers: { authorization: `Bearer ${KEY}`, 'if-none-match': '"a"' },
      },
    ]);
    expect(asked[0]?.headers).not.toHaveProperty('x-other');
    expect(asked[0]?.headers).not.toHaveProperty('cookie');
  });

  it.each([
    ['GET', '/v1/me/features/export?amount=2', '/v1/users/u%201/features/export?amount=2'],
    ['GET', '/v1/plans', '/v1/plans'],
    ['POST', '/v1/me/token', '/v1/users/u%201/token'],
    ['PATCH', '/v1/me/plan', '/v1/users/u%201/plan'],
    ['POST', '/v1/portal/sessions', '/v1/portal/sessions'],
  ])('knows %s %s', async (method, path, at) => {
    const body = method === 'GET' ? {} : { body: { plan: 'free' } };
    expect((await handle(method, path, { headers: SAME_ORIGIN, ...body })).status).toBe(200);
    expect(asked).toMatchObject([{ method, url: at }]);
  });

  it.each([
    ['GET', '/v1/users/u2/entitlements', 404],
    ['GET', '/v1/ops/unlinked', 404],
    ['GET', '/v1/me/features/..%2f..%2fops', 404],
    ['GET', '/v1/checkout/sessions/..', 404],
    ['DELETE', '/v1/me/entitlements', 405],
  ])('has no %s %s', async (method, path, status) => {
    expect((await handle(method, path, { headers: SAME_ORIGIN })).status).toBe(status);
    expect(asked).toEqual([]);
  });

  it('buys for who is signed in, whatever the body says', async () => {
    await handle('POST', '/v1/checkout/sessions', {
      headers: SAME_ORIGIN,
      body: { userId: 'u2', plan: 'plus' },
    });
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ userId: 'u 1', plan: 'plus' });
  });

  it('tells nobody of a checkout of somebody else', async () => {
    const told = { sessionId: 'cs_1', userId: 'u2' };
    answer = (_, response) => response.end(JSON.stringify(told));
    expect((await handle('GET', '/v1/checkout/sessions/cs_1')).status).toBe(404);
    const own = await handle('GET', '/v1/checkout/sessions/cs_1', { headers: { cookie: 'user=u2' } });
    expect(await own.json()).toEqual(told);
  });

  it('keeps the repeats of users apart, who share its key', async () => {
    const send = (cookie: string) =>
      handle('POST', '/v1/checkout/sessions', {
        headers: { ...SAME_ORIGIN, cookie, 'idempotency-key': 'k' },
      });
    for (const cookie of ['user=u1', 'user=u1', 'user=u2']) await send(cookie);
    const [first, again, other] = asked.map(({ headers }) => headers['idempotency-key']);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('answers 401 where nobody is signed in, and asks nothing', async () => {
    const response = await handle('GET', '/v1/me/entitlements', { headers: { cookie: '' } });
    expect([response.status, await response.json()]).toMatchObject([401, { code: 'not_signed_in' }]);
    expect(asked).toEqual([]);
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: APP }],
    ['a neighbour', { 'sec-fetch-site': 'same-site' }],
    ['another origin, of an old browser', { origin: 'https://evil.example.test' }],
    ['an origin that hides', { origin: 'null' }],
    ['nowhere', {}],
  ])('takes no write from %s', async (_, headers) => {
    const response = await handle('POST', '/v1/checkout/sessions', { headers, body: {} });
    expect([response.status, await response.json()]).toMatchObject([403, { code: 'other_origin' }]);
    expect(asked).toEqual([]);
  });

  it.each([
    ['its own origin, of an old browser', { origin: APP }, {}],
    ['an origin that it was told of', { origin: 'https://x.test', 'sec-fetch-site': 'cross-site' }, {}],
  ])('takes a write from %s', async (_, headers, options) => {
    const response = await handle(
      'POST',
      '/v1/me/token',
      { headers },
      { origins: ['https://x.test'], ...options },
    );
    expect(response.status).toBe(200);
  });

  it('does not blame the browser for what is wrong with its own key', async () => {
    for (const [status, code] of [
      [401, 'unauthorized'],
      [403, 'forbidden'],
    ] as const) {
      answer = (_, response) => response.writeHead(status).end(JSON.stringify({ code }));
      const response = await handle('GET', '/v1/me/entitlements');
      expect([response.status, await response.json()]).toMatchObject([502, { code: 'tenure_refused' }]);
    }
    answer = (_, response) => response.writeHead(403).end('{"code":"PAID_UPGRADE_REQUIRED"}');
    expect((await handle('PATCH', '/v1/me/plan', { headers: SAME_ORIGIN, body: {} })).status).toBe(403);
  });

  it('says so when Tenure does not answer', async () => {
    answer = (_, response) => response.destroy();
    const response = await handle('GET', '/v1/plans');
    expect([response.status, await response.json()]).toMatchObject([502, { code: 'tenure_unreachable' }]);
  });

  it('refuses a body that is no object, and one that is too large', async () => {
    const headers = SAME_ORIGIN;
    expect((await handle('POST', '/v1/checkout/sessions', { headers, body: [1] })).status).toBe(400);
    const large = { note: 'x'.repeat(70_000) };
    expect((await handle('POST', '/v1/checkout/sessions', { headers, body: large })).status).toBe(413);
  });
});

describe('A stream through the handler', () => {
  let left: boolean;
  beforeEach(() => {
    left = false;
    answer = (_, response) => {
      response.once('close', () => {
        left = true;
      });
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      });
      response.write('event: snapshot\ndata: {}\n\n');
    };
  });

  it('arrives as it comes, with what keeps proxies from holding it', async () => {
    const response = await handle('GET', '/v1/me/entitlements/stream', {
      headers: { 'last-event-id': '5.a' },
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(asked[0]?.headers['last-event-id']).toBe('5.a');
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(Buffer.from(value ?? []).toString()).toBe('event: snapshot\ndata: {}\n\n');
    await reader?.cancel();
    await until('it was given up at Tenure', () => left);
  });

  it('is given up at Tenure when the browser leaves', async () => {
    const browser = new AbortController();
    const { signal } = browser;
    const response = await handle('GET', '/v1/me/entitlements/stream', { signal });
    browser.abort();
    await expect(response.text()).rejects.toThrow();
    await until('it was given up at Tenure', () => left);
  });

  it('ends by itself after a while, so that the session is looked at anew', async () => {
    const response = await handle('GET', '/v1/me/entitlements/stream', {}, { streamMs: 1 });
    expect(response.status).toBe(200);
    await response.text();
    await until('it was given up at Tenure', () => left);
  });
});
