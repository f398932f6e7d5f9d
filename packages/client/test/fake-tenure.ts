import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export const KEY = 'key-of-a-service-0123456789abcdef0123';
export const ISSUER = 'https://tenure.example.test';

export interface Line {
  readonly kind: string;
  readonly id: string;
  readonly version: number;
}

/**
 * How routes answer: as they should, by cutting the connection, (until they are well again) not at all, or by 503 with a
 * `Retry-After` of ten seconds.
 */
export type Mood = 'well' | 'cut' | 'held' | 'full';

/** Token, keys and feed of a Tenure, over HTTP; what it says, and whether, is up to the test. */
export class FakeTenure {
  readonly lines: Line[] = [];
  epoch = 'a1';
  /** Lines that a page has at most. */
  pageSize = 1_000;
  readonly moods: { pages: Mood; stream: Mood; keys: Mood; tokens: Mood } = {
    pages: 'well',
    stream: 'well',
    keys: 'well',
    tokens: 'well',
  };
  /** The time at which tokens are issued. */
  nowMs: () => number = Date.now;
  /** Paths in the order in which they were asked for. */
  readonly asked: string[] = [];
  readonly #held: (() => void)[] = [];
  readonly #streams = new Set<ServerResponse>();
  readonly #published: JWK[] = [];
  #signing: { readonly kid: string; readonly alg: string; readonly key: CryptoKey } | null = null;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => this.#answer(request, response));
  }

  static async start(): Promise<FakeTenure> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const fake = new FakeTenure(server);
    await fake.rotate('EdDSA');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** How many guards hold a stream. */
  get streams(): number {
    return this.#streams.size;
  }

  /** How often a path that begins so was asked for. */
  timesAsked(path: string): number {
    return this.asked.filter((asked) => asked.startsWith(path)).length;
  }

  /** Signs with a new key from now on. */
  async rotate(alg: 'EdDSA' | 'ES256'): Promise<void> {
    const pair = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${this.#published.length + 1}-${this.epoch}`;
    this.#published.push({ ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' });
    this.#signing = { kid, alg, key: pair.privateKey };
  }

  /** Publishes none of the keys before the one that signs. */
  withdrawOld(): void {
    this.#published.splice(0, this.#published.length - 1);
  }

  /** A token of `u1`, on a plan with exports, that holds for five minutes from `nowMs` unless `claims` or `header` say otherwise. */
  token(
    nowMs: number,
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    if (this.#signing === null) throw new Error('a Tenure without a key');
    const { kid, alg, key } = this.#signing;
    const iat = Math.floor(nowMs / 1_000);
    const said = { iss: ISSUER, sub: 'u1', iat, exp: iat + 300, ver: 1, role: 'paid', plan: 'plus' };
    const held = { status: 'active', features: ['export'], limits: { members: 500, seats: 'unlimited' } };
    return new SignJWT({ ...said, ...held, ...claims })
      .setProtectedHeader({ alg, kid, typ: 'entitlements+jwt', ...header })
      .sign(key);
  }

  /** A change of a user: a line of the feed, sent to all who hold a stream. */
  revoke(id: string, version: number, kind = 'user'): void {
    this.lines.push({ kind, id, version });
    if (this.moods.stream !== 'well') return;
    for (const response of this.#streams) this.#send(response, this.lines.length);
  }

  beat(): void {
    for (const response of this.#streams) {
      const cursor = this.#cursor(this.lines.length);
      response.write(`event: heartbeat\nid: ${cursor}\ndata: ${JSON.stringify({ cursor })}\n\n`);
    }
  }

  /** As after a restore: another epoch, and only these lines. */
  restore(lines: readonly Line[]): void {
    this.epoch = `${this.epoch}0`;
    this.lines.splice(0, this.lines.length, ...lines);
    this.cutStreams();
  }

  cutStreams(): void {
    for (const response of this.#streams) response.destroy();
  }

  /** Answers what was held back. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
    this.asked.push(pathname);
    const routes = {
      '/.well-known/jwks.json': { mood: this.moods.keys, answer: () => this.#keys(response) },
      '/v1/revocations': { mood: this.moods.pages, answer: this.#page(searchParams, response) },
      '/v1/revocations/stream': {
        mood: this.moods.stream,
        answer: () => this.#stream(searchParams, response),
      },
    };
    const [, issuedTo] = /^\/v1\/users\/([^/]+)\/token$/.exec(pathname) ?? [];
    if (issuedTo !== undefined) return void this.#issue(decodeURIComponent(issuedTo), response);
    const route = Object.entries(routes).find(([path]) => path === pathname)?.[1];
    if (route === undefined) return void response.writeHead(404).end();
    if (pathname !== '/.well-known/jwks.json' && request.headers.authorization !== `Bearer ${KEY}`) {
      return void response.writeHead(401).end();
    }
    if (route.mood === 'cut') response.destroy();
    else if (route.mood === 'full') response.writeHead(503, { 'retry-after': '10' }).end();
    else if (route.mood === 'held') this.#held.push(route.answer);
    else route.answer();
  }

  #keys(response: ServerResponse): void {
    response
      .setHeader('content-type', 'application/jwk-set+json')
      .end(JSON.stringify({ keys: this.#published }));
  }

  /** A token that says what the feed says of the user. */
  async #issue(sub: string, response: ServerResponse): Promise<void> {
    if (this.moods.tokens === 'cut') return void response.destroy();
    const ver = this.lines.findLast(({ id }) => id === sub)?.version ?? 1;
    const nowMs = this.nowMs();
    const token = await this.token(nowMs, { sub, ver });
    const body = { token, expiresAt: new Date(nowMs + 300_000).toISOString(), version: ver };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  }

  /** What a page says is settled when it is asked for, however late it is sent. */
  #page(query: URLSearchParams, response: ServerResponse): () => void {
    const from = this.#from(query);
    if (from === null) return () => void response.writeHead(410).end('{"code":"feed_reset"}');
    const to = Math.min(from + this.pageSize, this.lines.length);
    const revocations = this.lines
      .slice(from, to)
      .map((line, index) => ({ ...line, cursor: this.#cursor(from + index + 1) }));
    const body = { revocations, cursor: this.#cursor(to), hasMore: to < this.lines.length };
    return () => void response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  }

  #stream(query: URLSearchParams, response: ServerResponse): void {
    const from = this.#from(query);
    if (from === null) return void response.writeHead(410).end();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('retry: 1000\n\n');
    this.#streams.add(response);
    response.once('close', () => this.#streams.delete(response));
    for (let count = from + 1; count <= this.lines.length; count += 1) this.#send(response, count);
    this.beat();
  }

  #send(response: ServerResponse, count: number): void {
    const cursor = this.#cursor(count);
    const data = JSON.stringify({ ...this.lines[count - 1], cursor });
    response.write(`event: revocation\nid: ${cursor}\ndata: ${data}\n\n`);
  }

  #cursor(count: number): string {
    return `${this.epoch}.${count}`;
  }

  /** How many lines come before what is asked for; `null` where the cursor is of another epoch, or beyond the end. */
  #from(query: URLSearchParams): number | null {
    const after = query.get('after');
    if (after === null) return 0;
    const [epoch, count] = after.split('.');
    return epoch === this.epoch && Number(count) <= this.lines.length ? Number(count) : null;
  }
}
