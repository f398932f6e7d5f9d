import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { z } from 'zod';
import { buildClient } from '../../scripts/build-client.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ATTW = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js');

const manifestSchema = z.looseObject({
  exports: z.record(
    z.string(),
    z.strictObject({
      import: z.strictObject({ types: z.string(), default: z.string() }),
      require: z.strictObject({ types: z.string(), default: z.string() }),
    }),
  ),
});

let folder: string;
let manifest: z.infer<typeof manifestSchema>;

/** The package as it would be published, apart from the tree. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-client-'));
  await cp(join(ROOT, 'packages/client/package.json'), join(folder, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await buildClient(join(folder, 'dist'));
  manifest = manifestSchema.parse(createRequire(import.meta.url)(join(folder, 'package.json')));
});
afterAll(() => rm(folder, { recursive: true }));

describe('@tenure/client, as it is published', () => {
  it('is well formed for publint, suggestions included', async () => {
    const { messages, pkg } = await publint({ pkgDir: folder, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('has types that are right for who imports it and for who requires it', () => {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [ATTW, '--pack', folder, '--profile', 'node16', '--no-color', '--no-emoji', '--format', 'ascii'],
      { encoding: 'utf8' },
    );
    expect({ status, said: status === 0 ? '' : `${stdout}${stderr}` }).toEqual({ status: 0, said: '' });
  });

  it('gives the same names to who imports it and to who requires it', async () => {
    const require = createRequire(join(folder, 'package.json'));
    for (const [name, entry] of Object.entries(manifest.exports)) {
      const imported = await import(pathToFileURL(join(folder, entry.import.default)).href);
      const required: object = require(join(folder, entry.require.default));
      expect([name, Object.keys(required).sort()]).toEqual([name, Object.keys(imported).sort()]);
    }
  });

  it('tells bundlers that its React part is for the browser', async () => {
    for (const file of ['react.js', 'react.cjs']) {
      expect(await readFile(join(folder, 'dist', file), 'utf8')).toMatch(/^['"]use client['"];/);
    }
  });

  it('declares nothing that a declaration beside it lacks', async () => {
    const files = await readdir(join(folder, 'dist'), { recursive: true });
    const declared = files.filter((file) => file.endsWith('.d.ts'));
    expect(declared.map((file) => file.replace(/\.d\.ts$/, '.d.cts')).sort()).toEqual(
      files.filter((file) => file.endsWith('.d.cts')).sort(),
    );
  });

  it('says of its React part that it belongs to the client, so that Server Components may import it', async () => {
    for (const file of ['react.js', 'react.cjs']) {
      expect(await readFile(join(folder, 'dist', file), 'utf8')).toMatch(/^["']use client["']/);
    }
  });
});
