import { ProblemError } from '../http/problem.js';
import type { Scope } from '../http/scopes.js';
import type { Authenticator, Principal } from './authenticator.js';
import type { FailureLimiter } from './failure-limiter.js';

const BEARER = 'Bearer ';

/** What is looked at of a caller's socket; one who has gone away has no address. */
interface CallersSocket {
  readonly remoteAddress?: string | undefined;
}

/** Decides who comes in. A valid key or token is never held up by what others do from the same address. */
export class AccessControl {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly failures: FailureLimiter,
    private readonly onRefused: (code: 'unauthorized' | 'too_many_failures') => void = () => undefined,
  ) {}

  /**
   * @param authorization the header as it came
   * @param socket of the caller; its address is looked at only where the caller is refused
   * @throws ProblemError `unauthorized`, or `too_many_failures` with `retry-after` once the address failed too often
   */
  admit(authorization: string | undefined, socket: CallersSocket): Principal | Promise<Principal> {
    if (authorization === undefined || !isBearer(authorization)) throw this.refuse(socket);
    const found = this.authenticator.authenticate(authorization.slice(BEARER.length));
    if (found instanceof Promise) {
      const { remoteAddress } = socket; // it is gone with the connection
      return found.then((principal) => {
        if (principal === null) throw this.refuse({ remoteAddress });
        return principal;
      });
    }
    if (found === null) throw this.refuse(socket);
    return found;
  }

  /** Who holds a key or token that came in before, `null` when it is valid no longer; nobody's failures are counted. */
  recognise(authorization: string | undefined): Principal | null | Promise<Principal | null> {
    if (authorization === undefined || !isBearer(authorization)) return null;
    return this.authenticator.authenticate(authorization.slice(BEARER.length));
  }

  private refuse({ remoteAddress = '' }: CallersSocket): ProblemError {
    const wait = this.failures.fail(remoteAddress);
    this.onRefused(wait === null ? 'unauthorized' : 'too_many_failures');
    if (wait !== null) {
      return new ProblemError(
        'too_many_failures',
        'Too many requests without a valid key or token from this address.',
        {
          'retry-after': String(wait),
        },
      );
    }
    return new ProblemError(
      'unauthorized',
      'Send "Authorization: Bearer …" with a valid key or user token.',
      {
        'www-authenticate': 'Bearer realm="tenure"',
      },
    );
  }
}

/** The scheme is case-insensitive (RFC 9110, 11.1). */
function isBearer(authorization: string): boolean {
  return authorization.startsWith(BEARER) || /^bearer /i.test(authorization);
}

/** @throws ProblemError `forbidden` when it is no key, or lacks `scope` */
export function requireScope(principal: Principal, scope: Scope): void {
  if (principal.kind === 'user') throw new ProblemError('forbidden', 'This takes a key, and no user token.');
  if (!principal.scopes.has(scope)) throw new ProblemError('forbidden', `The key lacks the scope ${scope}.`);
}

/**
 * Holds whoever asks about a user to what is theirs: a key to its scope, a user token to its own user.
 * @throws ProblemError `forbidden`, `other_user`
 */
export function requireAccess(principal: Principal, scope: Scope, userId: string): void {
  if (principal.kind === 'key') requireScope(principal, scope);
  else requireOwn(principal, userId);
}

/**
 * Holds a user token to its user; `caller.userId` is null of a key, which may ask about anyone.
 * @throws ProblemError `other_user`
 */
export function requireOwn(caller: { readonly userId: string | null }, userId: string): void {
  if (caller.userId !== null && caller.userId !== userId) {
    throw new ProblemError('other_user', 'A user token reaches its own user alone.');
  }
}
