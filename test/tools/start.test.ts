import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Stands for the compiler, which takes its time: copies the one source, and fails at one that says `broken`. */
const COMPILER = `
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const source = readFileSync('src/main.ts', 'utf8');
const to = process.argv.at(-1);
mkdirSync(join(to, 'projections/workers'), { recursive: true });
writeFileSync(join(to, 'main.js'), source);
for (const file of ['cli', ...['live', 'rebuild', 'chunk'].map((name) => 'projections/workers/' + name + '.worker')])
  writeFileSync(join(to, file + '.js'), '');
if (source.includes('broken')) process.exit(2);
`;

let project: string;

/** A project of one file, built and started by the very scripts of this one. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'tenure-start-'));
  await cp(join(ROOT, 'scripts'), join(project, 'scripts'), { recursive: true });
  for (const [file, text] of Object.entries({
    'package.json': '{ "type": "module" }',
    'package-lock.json': '{}',
    'tsconfig.json': '{}',
    'tsconfig.build.json': '{}',
    'node_modules/typescript/package.json': '{ "type": "commonjs" }',
    'node_modules/typescript/bin/tsc': COMPILER,
    'console/vite.config.ts':
      "export default { root: 'console', build: { outDir: '../dist/console', emptyOutDir: true } };",
    'console/index.html': '<!doctype html><title>console</title>',
    'src/audit/verifier/verify-export.mjs': '',
  })) {
    await write(file, text);
  }
  for (const name of ['rolldown', 'vite']) {
    await symlink(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
  }
});
afterAll(() => rm(project, { recursive: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(project, file)), { recursive: true });
  await writeFile(join(project, file), text);
}

function start(): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/start.mjs'], {
    cwd: project,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

describe('npm start', () => {
  it('builds and says so where nothing was built and after an update, and else starts at once', async () => {
    await write('src/main.ts', "console.log('old');");
    expect(start()).toEqual({
      code: 0,
      stdout: 'old\n',
      stderr: 'tenure: building first, because there is no whole build yet\n',
    });
    expect(start()).toEqual({ code: 0, stdout: 'old\n', stderr: '' });
    await write('src/main.ts', "console.log('new');");
    expect(start()).toEqual({
      code: 0,
      stdout: 'new\n',
      stderr: 'tenure: building first, because the sources are not those of the last build\n',
    });
  });

  it('runs nothing where the sources cannot be built, however often it is tried', async () => {
    await write('src/main.ts', "console.log('broken');");
    for (const _time of [1, 2]) {
      const { code, stdout, stderr } = start();
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(
        /^tenure: building first, .*\ntenure: the build failed, and old code is not run\n$/,
      );
    }
  });
});
