import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type Request as ExpressRequest } from 'express';
import { FakeTenure, KEY } from '../../test/fake-tenure.js';
import { createGuard, type Guard } from '../server/guard.js';
import { entitlementsOf, requireFeature, requireRole, toNodeHandler } from './index.js';

let tenure: FakeTenure;
let guard: Guard;
let server: Server;
let url: string;

beforeAll(async () => {
  tenure = await FakeTenure.start();
  guard = createGuard({ url: tenure.url, key: KEY });
  server = createServer(application()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  guard.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await tenure.close();
});

/** Bodies that go on until their reader leaves, and then have failed, as those of `fetch` do. */
const left: Promise<void>[] = [];
async function endless({ signal }: Request): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('first'));
      left.push(
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            controller.error(signal.reason);
            resolve();
          });
        }),
      );
    },
  });
  return new Response(body);
}

function application(): Express {
  const app = express();
  app.get('/export', requireFeature(guard, 'export'), (request, response) => {
    response.json({ plan: entitlementsOf(request)?.plan });
  });
  app.get('/api', requireFeature(guard, 'api'), (_request, response) => {
    response.json({});
  });
  app.get(
    '/paid',
    requireRole(guard, 'paid', { user: (request: ExpressRequest) => request.get('x-user') }),
    (_, response) => {
      response.json({});
    },
  );
  app.get(
    '/broken',
    requireRole(guard, 'paid', {
      token: () => {
        throw new Error('the session store is away');
      },
    }),
  );
  const echo = async (request: Request): Promise<Response> => {
    const { method, url: asked } = request;
    return Response.json({ method, asked, body: await request.text() }, { status: 201 });
  };
  app.use('/stream', toNodeHandler(endless, 'https://app.example.test'));
  app.use('/raw', toNodeHandler(echo, 'https://app.example.test'));
  app.use('/parsed', express.json(), toNodeHandler(echo, 'https://app.example.test'));
  app.use((error: Error, _request: unknown, response: express.Response, _next: unknown) => {
    response.status(500).json({ error: error.message });
  });
  return app;
}

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(url + path, { headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

describe('Express middleware', () => {
  it('lets through who holds the feature, and says what they hold', async () => {
    const headers = { authorization: `Bearer ${await tenure.token(Date.now())}` };
    expect(await get('/export', headers)).toMatchObject({ status: 200, body: { plan: 'plus' } });
  });

  it('answers 403 to who lacks it, with a stable code', async () => {
    const headers = { authorization: `Bearer ${await tenure.token(Date.now())}` };
    const answer = await get('/api', headers);
    expect(answer).toMatchObject({
      status: 403,
      body: { status: 403, code: 'not_in_plan', feature: 'api', plan: 'plus' },
    });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it('answers 401 without a token, and with one that counts no longer, as RFC 6750 says it', async () => {
    const none = await get('/export');
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    const old = await tenure.token(Date.now(), { exp: 1 });
    const answer = await get('/export', { authorization: `Bearer ${old}` });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer error="invalid_token", error_description="expired"',
    ]);
  });

  it('gets a token itself for a user of the application’s own session, and keeps it', async () => {
    expect(await get('/paid', { 'x-user': 'u7' })).toMatchObject({ status: 200 });
    expect(await get('/paid', { 'x-user': 'u7' })).toMatchObject({ status: 200 });
    expect(tenure.timesAsked('/v1/users/u7/token')).toBe(1);
    expect(await get('/paid')).toMatchObject({ status: 401, body: { code: 'no_token' } });
    expect(await get('/paid', { 'x-user': '..' })).toMatchObject({ status: 503 });
  });

  it('hands on what the application throws', async () => {
    expect(await get('/broken')).toMatchObject({
      status: 500,
      body: { error: 'the session store is away' },
    });
  });
});

describe('A handler of the fetch kind in Express', () => {
  it.each(['/raw', '/parsed'])('gets the whole URL and the body, below %s', async (mount) => {
    const response = await fetch(`${url}${mount}/a?b=c`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      method: 'POST',
      asked: `https://app.example.test${mount}/a?b=c`,
      body: '{"a":1}',
    });
  });

  it('lets go of a stream whose reader has left, and nothing stays unhandled', async () => {
    const unhandled: unknown[] = [];
    const hear = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', hear);
    const leaves = new AbortController();
    const response = await fetch(`${url}/stream`, { signal: leaves.signal });
    await response.body?.getReader().read();
    leaves.abort();
    await left.at(-1);
    // What is unhandled is told once all that was due has run.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', hear);
    expect(unhandled).toEqual([]);
  });
});
