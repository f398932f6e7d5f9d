import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { toNodeHandler } from '../../../packages/client/src/express/node-handler.js';
import { tenureHandler } from '../../../packages/client/src/server/index.js';
import { ADMIN_KEY, type TestService } from '../../support/service.js';

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>An application</title>
<style>body { font: 1.2rem system-ui; margin: 2rem } dt { color: #555 } dd { margin: 0 0 1rem; font-weight: bold }</style>
<h1></h1>
<dl><dt>Plan</dt><dd id="plan"></dd><dt>Status</dt><dd id="status"></dd><dt>Connection</dt><dd id="connection"></dd>
<dt>Upgrade</dt><dd id="upgrade">idle</dd></dl>
<script type="module">
import { createTenureClient } from '/client.js';
const userId = new URLSearchParams(location.search).get('user');
document.querySelector('h1').textContent = userId;
const say = (id, text) => { document.getElementById(id).textContent = text; };
const tenure = createTenureClient({ baseUrl: '/api/tenure', userId });
const show = () => {
  const { status, snapshot } = tenure.getState();
  say('plan', snapshot?.plan ?? '…');
  say('status', snapshot?.status ?? '…');
  say('connection', status);
};
tenure.subscribe(show);
show();
globalThis.waitFor = (plan) => tenure.watchUpgrade({ plan }, ({ state }) => say('upgrade', state));
</script>
</html>`;

/**
 * An application that browsers of the tests open at `/?user=…`: its page, its own `tenureHandler`, and a receiver of webhooks
 * that hands them on to the service, at once or later.
 */
export class Application {
  /** Streams that were asked for, by whom. */
  readonly streams: string[] = [];
  readonly #held: { readonly body: string; readonly signature: string }[] = [];
  #holds = false;

  private constructor(
    private readonly server: Server,
    private readonly client: string,
    readonly url: string,
    /** The service that is asked now. */
    private readonly service: () => TestService,
  ) {}

  static async start(service: () => TestService): Promise<Application> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://localhost:${(server.address() as AddressInfo).port}`;
    const application = new Application(server, await bundledClient(), url, service);
    server.on('request', (request, response) => void application.#answer(request, response));
    return application;
  }

  /** Keeps webhooks back from now on, as a bad hour does. */
  holdWebhooks(): void {
    this.#holds = true;
  }

  /** Hands on what was kept back, and what comes from now on. */
  async releaseWebhooks(): Promise<void> {
    this.#holds = false;
    for (const { body, signature } of this.#held.splice(0)) await this.service().post(body, signature);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', this.url);
    if (pathname.startsWith('/api/tenure/')) return this.#handle(request, response, pathname);
    if (pathname === '/webhooks') return this.#receive(request, response);
    const isClient = pathname === '/client.js';
    response.setHeader('content-type', isClient ? 'text/javascript' : 'text/html');
    response.end(isClient ? this.client : PAGE);
  }

  #handle(request: IncomingMessage, response: ServerResponse, pathname: string): void {
    const user = /(?:^|; )user=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? null;
    if (pathname.endsWith('/stream')) this.streams.push(user ?? 'nobody');
    const { url } = this.service();
    const handler = tenureHandler({ url, key: ADMIN_KEY, user: () => user, basePath: '/api/tenure' });
    toNodeHandler(handler, this.url)(request, response);
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const signature = String(request.headers['stripe-signature']);
    if (this.#holds) this.#held.push({ body, signature });
    else await this.service().post(body, signature);
    response.end();
  }
}

async function bundledClient(): Promise<string> {
  const input = fileURLToPath(new URL('../../../packages/client/src/index.ts', import.meta.url));
  const build = await rolldown({ input });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  return output[0].code;
}
