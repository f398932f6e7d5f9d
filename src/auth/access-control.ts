import { ProblemError } from '../http/problem.js';
import type { Scope } from '../http/scopes.js';
import type { Authenticator, Principal } from './authenticator.js';
import type { FailureLimiter } from './failure-limiter.js';

const BEARER = 'Bearer ';

/** Decides who comes in. A valid key is never held up by what others do from the same address. */
export class AccessControl {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly failures: FailureLimiter,
    private readonly onRefused: (code: 'unauthorized' | 'too_many_failures') => void = () => undefined,
  ) {}

  /**
   * @param authorization the header as it came
   * @param address of the caller's socket
   * @throws ProblemError `unauthorized`, or `too_many_failures` with `retry-after` once the address failed too often
   */
  admit(authorization: string | undefined, address: string): Principal | Promise<Principal> {
    if (authorization === undefined || !isBearer(authorization)) throw this.refuse(address);
    const found = this.authenticator.authenticate(authorization.slice(BEARER.length));
    if (found instanceof Promise) {
      return found.then((principal) => {
        if (principal === null) throw this.refuse(address);
        return principal;
      });
    }
    if (found === null) throw this.refuse(address);
    return found;
  }

  private refuse(address: string): ProblemError {
    const wait = this.failures.fail(address);
    this.onRefused(wait === null ? 'unauthorized' : 'too_many_failures');
    if (wait !== null) {
      return new ProblemError(
        'too_many_failures',
        'Too many requests without a valid key from this address.',
        {
          'retry-after': String(wait),
        },
      );
    }
    return new ProblemError('unauthorized', 'Send "Authorization: Bearer <key>" with a valid key.', {
      'www-authenticate': 'Bearer realm="tenure"',
    });
  }
}

/** The scheme is case-insensitive (RFC 9110, 11.1). */
function isBearer(authorization: string): boolean {
  return authorization.startsWith(BEARER) || /^bearer /i.test(authorization);
}

/** @throws ProblemError `forbidden` when the principal lacks `scope` */
export function requireScope(principal: Principal, scope: Scope): void {
  if (!principal.scopes.has(scope)) throw new ProblemError('forbidden', `The key lacks the scope ${scope}.`);
}
