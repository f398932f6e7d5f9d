import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import express from 'express';
import { z } from 'zod';
import { type NodeHandler, toNodeHandler } from '../../packages/client/src/express/node-handler.js';
import { readSnapshot, tenureHandler } from '../../packages/client/src/server/index.js';
import type { Asked } from './asked.js';
import { whyOf } from './why.js';

const COOKIE = /(?:^|; )demo_user=(\w{1,30})(?:;|$)/;
/** What the page may load: its own files, and answers of this application (Content Security Policy Level 3). */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const signInRequest = z.strictObject({ userId: z.string().regex(/^\w{1,30}$/) });
const webhooksRequest = z.strictObject({ hold: z.boolean() });

/**
 * The application of the demo, as one that sells plans would be: it knows who is signed in, serves its page, lets the
 * browser ask Tenure for that user and nobody else, and takes Stripe's webhooks on their way, so that they can be late.
 */
export class DemoSite {
  readonly #held: { readonly body: Buffer; readonly signature: string }[] = [];
  #holds = false;
  #asked: Asked | null = null;
  #handler: NodeHandler | null = null;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** Listens on `port` of this machine, 0 for any that is free, with the built page of the folder `page`. */
  static async open(page: string, port: number): Promise<DemoSite> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    const site = new DemoSite(server, `http://localhost:${(server.address() as AddressInfo).port}`);
    server.on('request', site.#application(page));
    return site;
  }

  /** Has it ask this service from now on. */
  ask(asked: Asked): void {
    this.#asked = asked;
    const handler = tenureHandler({
      ...asked,
      user: ({ headers }) => COOKIE.exec(headers.get('cookie') ?? '')?.[1] ?? null,
      basePath: '/api/tenure',
    });
    this.#handler = toNodeHandler(handler, this.url);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #application(page: string): express.Express {
    const application = express().disable('x-powered-by');
    application.post('/webhooks', (request, response) => this.#receive(request, response));
    application.use('/api/tenure', (request, response, next) => {
      if (this.#handler === null) throw new Error('the site has no service to ask yet');
      this.#handler(request, response, next);
    });
    application.use('/api', express.json());
    application.get('/api/session', async (request, response) => {
      const userId = userOf(request);
      response.json(userId === null ? null : { userId, snapshot: await readSnapshot(this.#service, userId) });
    });
    application.post('/api/sign-in', (request, response) => {
      const { userId } = signInRequest.parse(request.body);
      response.setHeader('set-cookie', `demo_user=${userId}; Path=/; HttpOnly; SameSite=Lax`);
      response.json({});
    });
    application.post('/api/sign-out', (_request, response) => {
      response.setHeader('set-cookie', 'demo_user=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0');
      response.json({});
    });
    application.post('/api/webhooks', async (request, response) => {
      this.#holds = webhooksRequest.parse(request.body).hold;
      if (!this.#holds) await this.#release();
      response.json({});
    });
    application.get('/api/why', async (request, response) => {
      const userId = userOf(request);
      if (userId === null) response.sendStatus(401);
      else await this.#tellWhy(response, userId);
    });
    application.use((_request, response, next) => {
      response.setHeader('content-security-policy', POLICY);
      next();
    }, express.static(page));
    return application;
  }

  get #service(): Asked {
    if (this.#asked === null) throw new Error('the site has no service to ask yet');
    return this.#asked;
  }

  /** Tells a page its user's audit as it comes; the page comes again when the telling ends. */
  async #tellWhy(response: ServerResponse, userId: string): Promise<void> {
    const left = new AbortController();
    response.once('close', () => left.abort());
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
    });
    response.flushHeaders();
    try {
      for await (const entry of whyOf(this.#service, userId, left.signal)) {
        response.write(`data: ${JSON.stringify(entry)}\n\n`);
      }
    } catch (error) {
      // Reading ends with an error where the page has left; any other is Express's, which ends the answer.
      if (!left.signal.aborted) throw error;
    }
    response.end();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const delivery = {
      body: await buffer(request),
      signature: String(request.headers['stripe-signature']),
    };
    if (this.#holds) this.#held.push(delivery);
    response.statusCode = this.#holds ? 200 : await this.#handOn(delivery);
    response.end();
  }

  async #release(): Promise<void> {
    for (const delivery of this.#held.splice(0)) await this.#handOn(delivery);
  }

  async #handOn({ body, signature }: { readonly body: Buffer; readonly signature: string }): Promise<number> {
    const { status } = await fetch(`${this.#service.url}/webhooks/stripe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': signature },
      body: new Uint8Array(body),
    });
    return status;
  }
}

function userOf({ headers }: IncomingMessage): string | null {
  return COOKIE.exec(headers.cookie ?? '')?.[1] ?? null;
}
