import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const SRC = fileURLToPath(new URL('.', import.meta.url));

/** Folders from the ground up (DESIGN 13): each imports from itself and from those before it, and from no other. */
const LAYERS = [
  'observability/',
  'events/',
  'config/',
  'database/',
  'http/',
  'event-store/',
  'plans/',
  'policy/',
  'pseudonyms/',
  'auth/',
  'stripe/gateway/',
  'stripe/prices/',
  'commands/',
  'stripe/translate/',
  'projections/',
  'tokens/',
  'reactions/',
  'cache/',
  'push/',
  'audit/',
  'backup/',
  'stripe/reconciliation/',
  'deadlines/',
  'webhooks/',
  'api/',
  'start/',
  'cli/',
  // Entry points, and what puts the application together.
  '',
];

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /(?<!\.test)\.ts$/.test(file),
);

/** Every local file that each source imports, types included. */
const imports = new Map(
  sources.map((file) => {
    const { importedFiles } = ts.preProcessFile(readFileSync(join(SRC, file), 'utf8'), true, true);
    const local = importedFiles
      .map(({ fileName }) => fileName)
      .filter((name) => name.startsWith('.'))
      .map((name) => relative(SRC, join(SRC, dirname(file), name)).replace(/\.js$/, '.ts'));
    return [file, local] as const;
  }),
);

function layerOf(file: string): number {
  return LAYERS.findIndex((folder) => file.startsWith(folder));
}

/** Files along a way that comes back to where it began; `null` when there is none. */
function circle(): readonly string[] | null {
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]): readonly string[] | null => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const next of imports.get(file) ?? []) {
      const found = walk(next, [...way, file]);
      if (found !== null) return found;
    }
    done.add(file);
    return null;
  };
  for (const file of sources) {
    const found = walk(file, []);
    if (found !== null) return found;
  }
  return null;
}

describe('The layers of the source', () => {
  it('each hold files, so that none is kept by a name alone', () => {
    for (const folder of LAYERS) expect(sources.some((file) => file.startsWith(folder))).toBe(true);
  });

  it('import downwards only', () => {
    const upwards = [...imports].flatMap(([file, names]) =>
      names.filter((name) => layerOf(name) > layerOf(file)).map((name) => `${file} imports ${name}`),
    );
    expect(upwards).toEqual([]);
  });

  it('hold no files that import each other in a circle', () => {
    expect(circle()).toBeNull();
  });

  it('use nothing of the packages beside them, nor those of them', () => {
    const packages = fileURLToPath(new URL('../packages', import.meta.url));
    const out = [...imports].flatMap(([file, names]) =>
      names.filter((name) => name.startsWith('..')).map((name) => `${file} imports ${name}`),
    );
    const sourcesOfPackages = readdirSync(packages, { recursive: true, encoding: 'utf8' }).filter(
      (file) => /^[^/]+\/src\/.*\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file),
    );
    const inwards = sourcesOfPackages.flatMap((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(packages, file), 'utf8'), true, true);
      const [name = ''] = file.split('/');
      return importedFiles
        .filter(({ fileName }) => fileName.startsWith('.'))
        .map(({ fileName }) => relative(packages, join(packages, dirname(file), fileName)))
        .filter((imported) => !imported.startsWith(`${name}/`))
        .map((imported) => `${file} imports ${imported}`);
    });
    expect(sourcesOfPackages).not.toEqual([]);
    expect([...out, ...inwards]).toEqual([]);
  });
});
