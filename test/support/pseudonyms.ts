import { ADMIN_KEY } from './admin-key.js';

/** Whether every service of the tests keeps user ids as pseudonyms: `npm run soak` runs the tests over HTTP once more so. */
export function keptAsPseudonyms(): boolean {
  return process.env.TEST_PSEUDONYMS === 'true';
}

/**
 * A matcher of the `X-Request-Id` that answers a caller who names a sane one: that one, or, where user ids are kept as
 * pseudonyms, one that the service made, since the caller's may hold a user id.
 */
export function requestIdFor(given: string): unknown {
  return keptAsPseudonyms() ? expect.stringMatching(new RegExp(`^(?!${given}$)[\\w-]{8,}$`)) : given;
}

/** Settings without which no service and no command works on a log of pseudonyms; none where user ids are kept as they are. */
export function pseudonymSettings(): Readonly<Record<string, string>> {
  return keptAsPseudonyms() ? { USER_ID_PSEUDONYMS: 'true', TENURE_ADMIN_KEY: ADMIN_KEY } : {};
}
