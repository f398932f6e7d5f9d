import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { z } from 'zod';
import { buildClient } from '../../scripts/build-client.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ATTW = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js');

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
/** How an application compiles that is strict. */
const STRICT = {
  compilerOptions: {
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
    noEmit: true,
    experimentalDecorators: true,
    jsx: 'react-jsx',
    target: 'ES2022',
    module: 'NodeNext',
    lib: ['ES2022', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
    types: ['node'],
  },
};
/** What the examples take from the application, and of a framework that is not installed here. */
const AROUND_THE_EXAMPLES = {
  'session.ts': `
    export const userOfSession = async (request: Request): Promise<string | null> =>
      request.headers.get('cookie');
    export const userOfCookie = async (text: string): Promise<string | null> => text;`,
  'frameworks.d.ts': `
    declare module 'hono' {
      type Handled = Response | void | Promise<Response | void>;
      type Context = { readonly req: { readonly raw: Request } };
      export class Hono {
        all(path: string, handler: (context: Context) => Handled): this;
        use(path: string, middleware: (context: Context, next: () => Promise<void>) => Handled): this;
      }
    }`,
};

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

  it('has the types that the examples of its README need', async () => {
    const readme = await readFile(join(ROOT, 'packages/client/README.md'), 'utf8');
    const blocks = [...readme.matchAll(/^```tsx?\n(?:\/\/ (\S+)\n)?(.*?)^```$/gms)];
    expect(blocks.length).toBeGreaterThanOrEqual(14);
    const examples = join(folder, 'examples');
    const written = blocks.map(([, name = '', text = '']) => [name, text] as const);
    for (const [name, text] of [...written, ...Object.entries(AROUND_THE_EXAMPLES)]) {
      expect(name).toMatch(/\.tsx?$/);
      await mkdir(dirname(join(examples, name)), { recursive: true });
      await writeFile(join(examples, name), text);
    }
    await writeFile(join(examples, 'tsconfig.json'), JSON.stringify(STRICT));
    const { stdout, status } = spawnSync(process.execPath, [TSC, '-p', examples], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});
