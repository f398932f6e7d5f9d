import { logInEventStoreDb } from './log.js';

/** Node's flags for threads that a test's service starts: Jest's own loader does not reach into them. */
export const THREAD_FLAGS: readonly string[] = [
  '--no-warnings',
  '--import',
  new URL('./register-typescript.mjs', import.meta.url).href,
];

/**
 * For a service in the process of a test that folds as it is shipped, in threads; with the log in EventStoreDB in the test's
 * own, as each of three would load that client. Services that are processes of their own always have their threads.
 */
export function folding(): 'none' | readonly string[] {
  return logInEventStoreDb() ? 'none' : THREAD_FLAGS;
}
