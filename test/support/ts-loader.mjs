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
  if (!isOurs(url) || !new URL(url).pathname.endsWith('.ts')) return nextLoad(url, context);
  return { format: 'module', source: await compiled(fileURLToPath(url)), shortCircuit: true };
}

/** Where the JavaScript of a TypeScript file is kept, and beside it, with `.map` after its name, its source map. */
export function keptAt(filename, source) {
  const hash = createHash('sha256').update(`${version} ${filename} `).update(SETTINGS).update(source);
  return join(KEPT, `${hash.digest('hex')}.js`);
}

/** The JavaScript of a TypeScript file of this repository. */
export async function compiled(filename) {
  const source = await readFile(filename);
  const kept = keptAt(filename, source);
  try {
    return await readFile(kept, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const { transform } = await import('@swc/core');
  const { code, map } = await transform(source.toString(), { filename });
  await mkdir(KEPT, { recursive: true });
  await keep(`${kept}.map`, map);
  await keep(kept, code);
  return code;
}

/** Another process may do the same: whoever reads finds all of it or nothing. */
async function keep(path, text) {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text);
  await rename(draft, path);
}
