/** `npm run build`: compiles `src`, joins it into the few files of `dist`, builds the console, and notes there what it was made from. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { bundle } from './bundle.mjs';
import { noteBuild, sourcesOf } from './sources.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const dist = join(root, 'dist');
const modules = join(dist, 'modules');

rmSync(dist, { recursive: true, force: true });
const sources = sourcesOf(root);
const args = [join(typescript, 'bin', 'tsc'), '--project', 'tsconfig.build.json', '--outDir', modules];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
// Not compiled, so that what an auditor reads is what runs: alone, and in the command line.
const verifier = join(root, 'src', 'audit', 'verifier', 'verify-export.mjs');
cpSync(verifier, join(modules, 'audit', 'verifier', 'verify-export.mjs'));
await bundle(modules, dist);
cpSync(verifier, join(dist, 'verify-export.mjs'));
rmSync(modules, { recursive: true });
await build({ configFile: join(root, 'console', 'vite.config.ts'), logLevel: 'warn' });
noteBuild(root, sources);
