/** `npm run build`: compiles `src` into `dist`, and notes there what it was compiled from. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noteBuild, sourcesOf } from './sources.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

rmSync(join(root, 'dist'), { recursive: true, force: true });
const sources = sourcesOf(root);
const args = [join(typescript, 'bin', 'tsc'), '--project', 'tsconfig.build.json'];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
noteBuild(root, sources);
