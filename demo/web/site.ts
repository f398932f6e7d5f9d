import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import express from 'express';
import { z } from 'zod';
import { toNodeHandler } from '../../packages/client/src/express/node-handler.js';
import { readSnapshot, tenureHandler } from '../../packages/client/src/server/index.js';

const COOKIE = /(?:^|; )demo_user=(\w{1,30})(?:;|$)/;
/** What the page may load: its own files, and answers of this application (Content Security Policy Level 3). */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const signInRequest = z.strictObject({ userId: z.string().regex(/^\w{1,30}$/) });
const webhooksRequest = z.strictObject({ hold: z.boolean() });
const history = z.looseObject({
  items: z.array(
    z.looseObject({
      from: z.string(),
      snapshot: z.looseObject({ plan: z.string(), status: z.string() }),
      cause: z.looseObject({ kind: z.string(), type: z.string().optional() }),
      reasons: z.array(z.looseObject({ of: z.string(), words: z.string() })).nullish(),
    }),
  ),
});

/** The service that the site asks. */
export interface Asked {
  readonly url: string;
  /** A key with every scope that the site needs; it stays here. */
  readonly key: string;
}

/**
 * The application of the demo, as one that sells plans would be: it knows who is signed in, serves its page, lets the
 * browser ask Tenure for that user and nobody else, and takes Stripe's webhooks on their way, so that they can be late.
 */
export class DemoSite {
  readonly #held: { readonly body: Buffer; readonly signature: string }[] = [];
  #holds = false;
  #asked: Asked | null = null;

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
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #application(page: string): express.Express {
    const application = express().disable('x-powered-by');
    application.post('/webhooks', (request, response) => this.#receive(request, response));
    application.use('/api/tenure', (request, response) => this.#answerForUser(request, response));
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
      response.json(userId === null ? [] : await this.#why(userId));
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

  #answerForUser(request: express.Request, response: ServerResponse): void {
    const handler = tenureHandler({
      ...this.#service,
      user: ({ headers }) => COOKIE.exec(headers.get('cookie') ?? '')?.[1] ?? null,
      basePath: '/api/tenure',
    });
    toNodeHandler(handler, this.url)(request, response);
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

  /** What ever held of a user, the newest first, with the event that brought it and why the plan is what it is. */
  async #why(userId: string) {
    const { url, key } = this.#service;
    const path = `/v1/audit/users/${userId}/history?order=newest&explain=true&limit=20`;
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    const { items } = history.parse(await answer.json());
    return items.map(({ from, snapshot: { plan, status }, cause, reasons }) => ({
      from,
      plan,
      status,
      cause: cause.type ?? cause.kind,
      words: (reasons ?? []).flatMap(({ of, words }) =>
        ['plan', 'pendingPayment'].includes(of) ? [words] : [],
      ),
    }));
  }
}

function userOf({ headers }: IncomingMessage): string | null {
  return COOKIE.exec(headers.cookie ?? '')?.[1] ?? null;
}
