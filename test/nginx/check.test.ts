import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { request } from 'node:https';
import { type AddressInfo, connect, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Answer, call } from '../support/http-call.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { ROUTED_PLANS } from '../support/routed-plans.js';
import { ADMIN_KEY, startService, type TestService } from '../support/service.js';
import { stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { until } from '../support/until.js';

/** The recipe of docs/ACCESS.md, between what a test of its own needs. */
function configuration(
  folder: string,
  [port, tlsPort]: readonly [number, number],
  tenure: string,
  application: string,
): string {
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${tlsPort} ssl;
    ssl_certificate ${folder}/certificate.pem;
    ssl_certificate_key ${folder}/key.pem;
    location / {
      proxy_pass ${tenure};
    }
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      auth_request /tenure-check;
      auth_request_set $tenure_reason $upstream_http_tenure_reason;
      add_header Tenure-Reason $tenure_reason always;
      proxy_pass ${application};
    }
    location = /tenure-check {
      internal;
      proxy_pass ${tenure}/access/v1/check;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
    }
  }
}
`;
}

describe('An nginx that asks before it lets through', () => {
  let provider: IdentityProvider;
  let service: TestService;
  let application: Server;
  let nginx: ChildProcess;
  let folder: string;
  let url: string;
  let tlsUrl: string;
  const reached: IncomingMessage[] = [];
  const tokens = { paying: '', free: '' };
  beforeAll(async () => {
    provider = await IdentityProvider.start();
    service = await startService({ plans: ROUTED_PLANS, environment: provider.environment });
    const subscription = subscriptionObject('sub_nginx', 'price_plus', { metadata: { user_id: 'paying' } });
    await service.after('paying', stripeEvent('customer.subscription.created', subscription));
    tokens.paying = await provider.token('paying');
    tokens.free = await provider.token('free');
    application = createServer((request, response) => {
      reached.push(request);
      response.end('the application');
    });
    application.listen(0, '127.0.0.1');
    await once(application, 'listening');
    folder = await mkdtemp(join(tmpdir(), 'tenure-nginx-'));
    const [port, tlsPort] = [await freePort(), await freePort()];
    tlsUrl = `https://127.0.0.1:${tlsPort}`;
    await selfSigned(folder);
    url = `http://127.0.0.1:${port}`;
    const { port: behind } = application.address() as AddressInfo;
    const file = join(folder, 'nginx.conf');
    await writeFile(file, configuration(folder, [port, tlsPort], service.url, `http://127.0.0.1:${behind}`));
    nginx = spawn('nginx', ['-c', file, '-p', folder, '-e', join(folder, 'error.log')], { stdio: 'inherit' });
    await until('nginx listens', () => isListening(port));
  });
  beforeEach(() => {
    reached.length = 0;
  });
  afterAll(async () => {
    const ended = once(nginx, 'exit');
    nginx.kill('SIGQUIT');
    await ended;
    application.closeAllConnections();
    application.close();
    await service.close();
    await provider.close();
    await rm(folder, { recursive: true });
  });

  function ask(
    path: string,
    token: string | null,
    more: Readonly<Record<string, string>> = {},
    method = 'GET',
  ): Promise<Answer> {
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    return call(url, { path, method, headers: { ...authorization, ...more } });
  }

  it.each([
    ['/api/exports', 'GET'],
    ['/api/exports', 'POST'],
    ['/api/exports?feature=api&user=free&headers=forwarded', 'GET'],
    ['/api/%65xports', 'GET'],
    ['/api/reports/', 'HEAD'],
    ['/api/reports/2026/11', 'GET'],
  ])(
    'lets %s by %s through to the application for whom the plan allows it, as it came',
    async (path, method) => {
      const answer = await ask(path, tokens.paying, {}, method);
      expect([answer.status, reached.map(({ url }) => url)]).toEqual([200, [path]]);
      expect(answer.headers['tenure-reason']).toBe('in_plan');
    },
  );

  it.each([
    ['/api/v2/x', 'GET'],
    ['/api/exports', 'DELETE'],
    ['/api/exports', 'OPTIONS'],
    ['/api/exports/', 'GET'],
    ['/', 'GET'],
    ['/elsewhere?feature=reports', 'GET'],
    ['/api/v2/x?feature=reports&user=paying', 'GET'],
    ['/api/reports/../v2/x', 'GET'],
    ['/api/reports/%2e%2e/v2/x', 'GET'],
    ['/api/reports/..%2fv2/x', 'GET'],
    ['/api/reports/%2e%2e%2fv2', 'GET'],
    ['//api/reports/', 'GET'],
    ['/api//reports/', 'GET'],
    ['/api/reports/;/../v2', 'GET'],
    ['/api/reports/%3bx', 'GET'],
    ['/api/reports/%5c..%5cv2', 'GET'],
    ['/api/reports/%252e%252e/v2', 'GET'],
  ])('refuses %s by %s with 403, whoever it is and whatever headers say', async (path, method) => {
    const forged = {
      'x-original-method': 'GET',
      'x-original-uri': '/api/reports/',
      'x-forwarded-method': 'GET',
      'x-forwarded-uri': '/api/reports/',
      'x-rewrite-url': '/api/reports/',
    };
    for (const headers of [{}, forged]) {
      const answer = await ask(path, tokens.paying, headers, method);
      expect([answer.status, reached.length]).toEqual([403, 0]);
    }
  });

  it('passes on a stream over TLS as it comes, by its defaults: neither held back nor packed', async () => {
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'accept-encoding': 'gzip, br' };
    const sent = request(new URL('/v1/users/streamed/entitlements/stream', tlsUrl), {
      agent: false,
      headers,
      rejectUnauthorized: false,
    });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
    });
    expect(response.headers['content-encoding']).toBeUndefined();
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (piece: string) => {
      text += piece;
    });
    await until('the first event', () => text.includes('event: snapshot\n'));
    const metadata = { user_id: 'streamed' };
    const subscription = subscriptionObject('sub_streamed', 'price_plus', { metadata });
    await service.after('streamed', stripeEvent('customer.subscription.created', subscription));
    // Nothing comes after it: what nginx held back would stay there.
    await until('the change', () => /event: change\n(.+\n)+\n/.test(text));
    sent.destroy();
  });

  it('refuses whom the plan does not allow it, and who is nobody', async () => {
    expect([(await ask('/api/exports', tokens.free)).status, reached.length]).toEqual([403, 0]);
    for (let n = 0; n < 25; n += 1)
      expect((await ask('/api/exports', n % 2 === 0 ? null : 'wrong')).status).toBe(401);
    expect(reached).toEqual([]);
    expect((await ask('/api/exports', tokens.paying)).status).toBe(200);
  });
});

/** A certificate of nobody's for what speaks TLS, and its key. */
async function selfSigned(folder: string): Promise<void> {
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await promisify(execFile)('openssl', ['req', '-x509', ...made, '-subj', '/CN=127.0.0.1', ...files]);
}

async function freePort(): Promise<number> {
  const server = createSocketServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
