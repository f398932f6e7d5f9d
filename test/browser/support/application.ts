import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { toNodeHandler } from '../../../packages/client/src/express/node-handler.js';
import { tenureHandler } from '../../../packages/client/src/server/index.js';
import type { IdentityProvider } from '../../support/identity-provider.js';
import { ADMIN_KEY, type TestService } from '../../support/service.js';

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>An application</title>
<style>body { font: 1.2rem system-ui; margin: 2rem } dt { color: #555 } dd { margin: 0 0 1rem; font-weight: bold }</style>
<h1></h1>
<dl><dt>Plan</dt><dd id="plan"></dd><dt>Status</dt><dd id="status"></dd><dt>Connection</dt><dd id="connection"></dd>
<dt>Upgrade</dt><dd id="upgrade">idle</dd><dt>Paid until</dt><dd id="until"></dd>
<dt>Session refreshed</dt><dd id="refreshes">0</dd></dl>
<script type="module">
import { createTenureClient } from '/client.js';
const query = new URLSearchParams(location.search);
const [userId, service] = [query.get('user'), query.get('service')];
document.querySelector('h1').textContent = userId;
const say = (id, text) => { document.getElementById(id).textContent = text; };
let refreshes = 0;
const onAccessChanged = () => { refreshes += 1; say('refreshes', refreshes); };
const token = () => fetch('/token?user=' + userId).then((response) => response.text());
const road = service === null ? { baseUrl: '/api/tenure' } : { baseUrl: service, token };
const tenure = createTenureClient({ ...road, userId, onAccessChanged });
const show = () => {
  const { status, snapshot } = tenure.getState();
  say('plan', snapshot?.plan ?? '…');
  say('status', snapshot?.status ?? '…');
  say('until', snapshot?.expiresAt ?? '…');
  say('connection', status);
};
tenure.subscribe(show);
show();
globalThis.tenure = tenure;
globalThis.waitFor = (plan) => tenure.watchUpgrade({ plan }, ({ state }) => say('upgrade', state));
</script>
</html>`;

/**
 * An application that browsers of the tests open at `/?user=…`: its page, its own `tenureHandler`, and a receiver of webhooks
 * that hands them on to the service, at once or later. With `&service=…` the page asks the service itself, with a token of its
 * user from `/token`.
 */
export class Application {
  /** Requests about users that pages made, each with who it is of. */
  readonly #asked: { readonly user: string; readonly url: URL }[] = [];
  readonly #held: { readonly body: string; readonly signature: string }[] = [];
  #holds = false;

  private constructor(
    private readonly server: Server,
    private readonly client: string,
    readonly url: string,
    /** The service that is asked now. */
    private readonly service: () => TestService,
    private readonly identities: IdentityProvider,
  ) {}

  static async start(service: () => TestService, identities: IdentityProvider): Promise<Application> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://localhost:${(server.address() as AddressInfo).port}`;
    const application = new Application(server, await bundledClient(), url, service, identities);
    server.on('request', (request, response) => void application.#answer(request, response));
    return application;
  }

  /** How often pages of this user have asked for a stream. */
  streamsOf(user: string): number {
    return this.#asked.filter((one) => one.user === user && one.url.pathname.endsWith('/stream')).length;
  }

  /** How often pages of this user have asked for anything but the end of a wait, which stands in for a stream that comes late. */
  requestsOf(user: string): number {
    return this.#asked.filter((one) => one.user === user && !one.url.searchParams.has('wait')).length;
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
    const url = new URL(request.url ?? '/', this.url);
    const { pathname, searchParams } = url;
    if (pathname.startsWith('/api/tenure/')) return this.#handle(request, response, url);
    if (pathname === '/webhooks') return this.#receive(request, response);
    if (pathname === '/token') {
      response.end(await this.identities.token(searchParams.get('user') ?? ''));
      return;
    }
    const isClient = pathname === '/client.js';
    response.setHeader('content-type', isClient ? 'text/javascript' : 'text/html');
    response.end(isClient ? this.client : PAGE);
  }

  #handle(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const user = /(?:^|; )user=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? null;
    this.#asked.push({ user: user ?? 'nobody', url });
    const handler = tenureHandler({
      url: this.service().url,
      key: ADMIN_KEY,
      user: () => user,
      basePath: '/api/tenure',
    });
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
