import { timingSafeEqual } from 'node:crypto';
import { SCOPES, type Scope } from '../http/scopes.js';

/** Who holds a key of the API: a service or a person of yours. */
export interface KeyHolder {
  readonly kind: 'key';
  readonly actor: string;
  /** What people call the key; left out: as `actor`. */
  readonly name?: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Who holds a user token: an end user, who reaches nobody else. `expiresAt` is in Unix milliseconds. */
export interface TokenUser {
  readonly kind: 'user';
  readonly actor: string;
  readonly userId: string;
  readonly expiresAt: number;
}

/** Who sends a request. `actor` is written into the events that the request causes; it is never the key or token itself. */
export type Principal = KeyHolder | TokenUser;

/** DI token of the authenticator of this process. */
export const AUTHENTICATOR = Symbol('AUTHENTICATOR');

/**
 * Tells who holds a bearer token: `null` when no one does. Kinds of tokens (stored keys, user tokens) are further
 * implementations; one that must ask elsewhere answers with a promise, which it does only for what looks like its own kind.
 */
export interface Authenticator {
  authenticate(token: string): Principal | null | Promise<Principal | null>;
}

/** The holder of one key of `TENURE_ADMIN_KEY`, with every scope. All of them are one actor, so that a rotation changes nobody's name. */
export class AdminKeyAuthenticator implements Authenticator {
  private readonly principal: Principal = { kind: 'key', actor: 'admin-key', scopes: new Set(SCOPES) };
  private readonly key: Buffer;
  private readonly presented: Buffer;

  constructor(adminKey: string) {
    this.key = Buffer.from(adminKey, 'utf8');
    this.presented = Buffer.alloc(this.key.length);
  }

  /**
   * Compares in constant time; only the length of the key could show. `token` holds one byte in each character, as
   * `node:http` gives headers.
   */
  authenticate(token: string): Principal | null {
    if (token.length !== this.key.length) return null;
    this.presented.write(token, 'latin1');
    return timingSafeEqual(this.key, this.presented) ? this.principal : null;
  }
}

/** Asks one after the other until one knows the token, or has to ask elsewhere. */
export function firstOf(...authenticators: readonly Authenticator[]): Authenticator {
  return {
    authenticate: (token) => {
      for (const each of authenticators) {
        const found = each.authenticate(token);
        if (found !== null) return found;
      }
      return null;
    },
  };
}
