/**
 * Second half of `npm run build`: `packages/client/dist`, the package as it is published. `tsc` compiles it without the types
 * of Node, so what only Node has cannot creep in, and writes the declarations; Rolldown joins the modules of each entry, as
 * ESM and as CommonJS.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLIENT = join(ROOT, 'packages', 'client');

/** Names under which the package is imported, from its `exports`: the file of each in `dist`, and its module. */
function entries() {
  const { exports } = JSON.parse(readFileSync(join(CLIENT, 'package.json'), 'utf8'));
  const names = Object.keys(exports).map((path) => path.slice('./'.length));
  return names.map((name) => (name === '' ? ['index', 'index.js'] : [name, join(name, 'index.js')]));
}

/** `'./x.js'` of an import, an export or `import('./x.js')` in a declaration. */
const LOCAL = /(?<=(?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]*)\.js(?=['"])/g;

/** Writes the package's `dist` into the folder `to`, which is emptied first. Throws where the compiler finds fault. */
export async function buildClient(to) {
  await rm(to, { recursive: true, force: true });
  const modules = join(to, 'modules');
  compile(modules);
  await declare(modules, join(to, 'types'));
  const build = await rolldown({
    input: Object.fromEntries(entries().map(([name, file]) => [name, join(modules, file)])),
    platform: 'neutral',
    external: (id) => !/^[./]/.test(id),
    onLog(level, log, tell) {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
      // `'use client'` of an entry is kept, which a test holds.
      if (log.code !== 'MODULE_LEVEL_DIRECTIVE') tell(level, log);
    },
  });
  for (const [format, extension] of [
    ['esm', 'js'],
    ['cjs', 'cjs'],
  ]) {
    await build.write({
      dir: to,
      format,
      exports: 'named',
      entryFileNames: `[name].${extension}`,
      chunkFileNames: `shared/[name]-[hash].${extension}`,
    });
  }
  await build.close();
  await rm(modules, { recursive: true });
}

function compile(modules) {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const args = [join(typescript, 'bin', 'tsc'), '--project', 'tsconfig.build.json', '--outDir', modules];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: CLIENT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`packages/client does not compile:\n${stdout}`);
}

/** Moves the declarations to `types`, each twice: as of an ES module and as of a CommonJS one, which name each other so. */
async function declare(modules, types) {
  const files = await readdir(modules, { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.d.ts'))) {
    const text = await readFile(join(modules, file), 'utf8');
    const to = join(types, file);
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, text);
    const asCommonJs = join(dirname(to), basename(to).replace(/\.d\.ts$/, '.d.cts'));
    await writeFile(asCommonJs, text.replace(LOCAL, '.cjs'));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildClient(join(CLIENT, 'dist'));
