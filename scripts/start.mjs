/** `npm start`: builds when `dist` is not of the sources as they are, says so, and then becomes the service. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { whyBuild } from './sources.mjs';

const why = whyBuild(fileURLToPath(new URL('..', import.meta.url)));
if (why !== null) {
  process.stderr.write(`tenure: building first, because ${why}\n`);
  const build = fileURLToPath(new URL('build.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [build], { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    process.stderr.write('tenure: the build failed, and old code is not run\n');
    process.exit(status ?? 1);
  }
}
await import('../dist/main.js');
