import { join } from 'node:path';

/**
 * Where a file of this repository is as JavaScript that plain `node` runs; Jest's global setup compiled it.
 * @param path of a `.ts` or `.mjs` file under `src`, `demo` or `test/support`, from the root of the repository
 */
export function compiled(path: string): string {
  const tree = process.env.TENURE_TEST_COMPILED;
  if (tree === undefined) throw new Error('nothing is compiled: test/support/global-setup.mjs has not run');
  return join(tree, path.replace(/\.ts$/, '.js'));
}

/** Where a program is as `npm run build` makes it: compiled, and joined with its packages into a few files. */
export function built(program: 'main' | 'cli'): string {
  return compiled(`dist/${program}.js`);
}
