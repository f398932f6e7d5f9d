/**
 * Lets plain `node` load this repository's TypeScript, for processes and threads that tests start:
 * `node --import ./test/support/register-typescript.mjs some/file.ts`.
 * Same compiler and settings (.swcrc) as Jest uses; `./x.js` finds `./x.ts`. What was compiled once is kept in the
 * folder for temporary files, by its content.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const KEPT = join(tmpdir(), 'tenure-typescript');
/** The compiler itself is loaded when there is something to compile: every process and thread begins here. */
const { version } = createRequire(import.meta.url)('@swc/core/package.json');
const SETTINGS = await readFile(new URL('../../.swcrc', import.meta.url));

const isOurs = (url) => url?.startsWith('file:') === true && !url.includes('/node_modules/');

export async function resolve(specifier, context, nextResolve) {
  const isRelative = specifier.startsWith('.') && isOurs(context.parentURL);
  // What a thread begins with has no parent and comes as a URL.
  const isBeginning = context.parentURL === undefined && isOurs(specifier);
  if (specifier.endsWith('.js') && (isRelative || isBeginning)) {
    try {
      return await nextResolve(specifier.replace(/\.js$/, '.ts'), context);
    } catch (error) {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    }
  }
  return nextResolve(specifier, context);
}

export async function load(url, context, nextLoad) {
  if (!isOurs(url) || !url.endsWith('.ts')) return nextLoad(url, context);
  return { format: 'module', source: await compiled(fileURLToPath(url)), shortCircuit: true };
}

/** The JavaScript of a TypeScript file of this repository. */
export async function compiled(filename) {
  const source = await readFile(filename);
  const hash = createHash('sha256').update(`${version} ${filename} `).update(SETTINGS).update(source);
  const kept = join(KEPT, `${hash.digest('hex')}.js`);
  try {
    return await readFile(kept, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const { transform } = await import('@swc/core');
  const { code } = await transform(source.toString(), { filename });
  await mkdir(KEPT, { recursive: true });
  // Another process may do the same: whoever reads finds all of it or nothing.
  const draft = `${kept}.${randomUUID()}`;
  await writeFile(draft, code);
  await rename(draft, kept);
  return code;
}
