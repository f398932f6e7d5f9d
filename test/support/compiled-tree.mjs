/**
 * The repository's TypeScript as JavaScript in a folder of the run's own, for the processes that tests start: plain `node`
 * runs it, without a loader that each process and each of its threads would start again. The service and the command line
 * are there twice, as modules and as `npm run build` makes them.
 */
import { chmod, copyFile, mkdir, mkdtemp, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../scripts/bundle.mjs';
import { compiled } from './ts-loader.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['src', 'demo', 'test/support'];

/** Makes the tree and returns its folder, laid out as the repository is after a build. Everybody may read it: some processes run as others. */
export async function compileTree() {
  const tree = await mkdtemp(join(tmpdir(), 'tenure-compiled-'));
  await chmod(tree, 0o755);
  await symlink(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  await copyFile(join(ROOT, 'package.json'), join(tree, 'package.json'));
  for (const folder of FOLDERS) {
    const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const file = join(entry.parentPath, entry.name);
      const to = join(tree, file.slice(ROOT.length));
      if (!entry.isFile() || file.endsWith('.test.ts')) continue;
      await mkdir(dirname(to), { recursive: true });
      if (extname(file) === '.ts') await writeFile(to.replace(/\.ts$/, '.js'), await compiled(file));
      else if (extname(file) === '.mjs') await copyFile(file, to);
    }
  }
  await bundle(join(tree, 'src'), join(tree, 'dist'));
  return tree;
}
