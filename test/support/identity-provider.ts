import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  SignJWT,
} from 'jose';

export const ISSUER = 'https://login.example.test/';
export const AUDIENCE = 'tenure-of-the-tests';

/** What a token says otherwise; `undefined` leaves a claim out. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** An identity provider of a test's own: it signs tokens, and tells its keys over HTTP while it is well. */
export class IdentityProvider {
  /** How it answers who asks for its keys: `silent` never does. */
  mood: 'well' | 'away' | 'silent' | 'broken' = 'well';
  /** How often it was asked. */
  asked = 0;
  readonly #published: JWK[] = [];
  #signing: { readonly kid: string; readonly alg: string; readonly key: CryptoKey } | null = null;
  #made = 0;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<IdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const provider = new IdentityProvider(server, `http://127.0.0.1:${port}/keys`);
    server.on('request', (_request, response) => {
      provider.asked += 1;
      if (provider.mood === 'silent') return;
      if (provider.mood === 'away') return void response.destroy();
      response.statusCode = provider.mood === 'broken' ? 500 : 200;
      response.setHeader('content-type', 'application/jwk-set+json');
      response.end(JSON.stringify({ keys: provider.#published }));
    });
    await provider.rotate();
    return provider;
  }

  /** The settings of a service whose users it tells. */
  get environment(): Readonly<Record<string, string>> {
    return { AUTH_JWKS_URL: this.url, AUTH_ISSUER: ISSUER, AUTH_AUDIENCE: AUDIENCE };
  }

  /** Signs with a new key from now on; the older ones are still told unless `withdrawAll` is called. */
  async rotate(alg = 'ES256'): Promise<void> {
    const pair: GenerateKeyPairResult = await generateKeyPair(alg, { extractable: true });
    this.#made += 1;
    const kid = `key-${this.#made}`;
    this.#published.push({ ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' });
    this.#signing = { kid, alg, key: pair.privateKey };
  }

  /** Tells none of the keys so far. */
  withdrawAll(): void {
    this.#published.length = 0;
  }

  /** A token of `userId` that holds for five minutes from `nowMs`, unless `claims` say otherwise. */
  async token(userId: string, claims: TokenClaims = {}, nowMs = Date.now()): Promise<string> {
    if (this.#signing === null) throw new Error('a provider without a key');
    const { kid, alg, key } = this.#signing;
    const second = Math.floor(nowMs / 1_000);
    const all = { iss: ISSUER, aud: AUDIENCE, sub: userId, iat: second, exp: second + 300, ...claims };
    return new SignJWT(all).setProtectedHeader({ alg, kid }).sign(key);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
