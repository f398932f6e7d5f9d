import type { TenureHooks } from '../../src/bootstrap.js';

/** Node's flags for threads that a test's service starts: Jest's own loader does not reach into them. */
export const THREAD_FLAGS: readonly string[] = [
  '--no-warnings',
  '--import',
  new URL('./register-typescript.mjs', import.meta.url).href,
];

/**
 * How services in the process of a test fold: in threads, as they are shipped; with the log in EventStoreDB in this thread, as
 * each of three would load that client. Services that are processes of their own always have their threads.
 */
export const FOLDING: Pick<TenureHooks, 'threads'> = {
  threads: process.env.TEST_STORE === 'eventstoredb' ? 'none' : THREAD_FLAGS,
};
