import { ADMIN_KEY } from './admin-key.js';

/** Whether every service of the tests keeps user ids as pseudonyms: `npm run soak` runs the tests over HTTP once more so. */
export function keptAsPseudonyms(): boolean {
  return process.env.TEST_PSEUDONYMS === 'true';
}

/** Settings without which no service and no command works on a log of pseudonyms; none where user ids are kept as they are. */
export function pseudonymSettings(): Readonly<Record<string, string>> {
  return keptAsPseudonyms() ? { USER_ID_PSEUDONYMS: 'true', TENURE_ADMIN_KEY: ADMIN_KEY } : {};
}
