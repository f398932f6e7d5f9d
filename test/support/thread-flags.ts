/** Node's flags for threads that a test's service starts: Jest's own loader does not reach into them. */
export const THREAD_FLAGS: readonly string[] = [
  '--no-warnings',
  '--import',
  new URL('./register-typescript.mjs', import.meta.url).href,
];
