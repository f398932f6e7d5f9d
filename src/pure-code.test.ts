import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const SRC = fileURLToPath(new URL('.', import.meta.url));

/** Code that is data in, data out (DESIGN 13). */
const PURE = [
  /^events\//,
  /^policy\//,
  /^commands\/(aggregate|linkable|seen-keys)\.ts$/,
  /^commands\/[a-z]+\.aggregate\.ts$/,
  /^stripe\/translate\//,
  /^audit\/merkle\//,
];

/** Schemas, UUIDs and digests: no I/O, no clock, no frame. */
const ALLOWED = ['node:crypto', 'uuid', 'zod'];

/** What a file of `src/` imports, types included, as it is written. */
function importsOf(file: string): readonly string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(SRC, file), 'utf8'), true, true);
  return importedFiles.map(({ fileName }) => fileName);
}

/** Every file that these import, themselves included, and every package, with the file that does. */
function reachedFrom(files: readonly string[]) {
  const open = [...files];
  const seen = new Set(open);
  const packages = new Map<string, string>();
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const name of importsOf(file)) {
      if (!name.startsWith('.')) packages.set(name, file);
      else {
        const local = relative(SRC, join(SRC, dirname(file), name)).replace(/\.js$/, '.ts');
        if (!seen.has(local)) open.push(local);
        seen.add(local);
      }
    }
  }
  return { files: [...seen], packages };
}

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /(?<!\.test)\.ts$/.test(file),
);
const pure = sources.filter((file) => PURE.some((pattern) => pattern.test(file)));

describe('pure code', () => {
  it('is where it is looked for', () => {
    for (const pattern of PURE) expect(sources.some((file) => pattern.test(file))).toBe(true);
    expect(pure).toContain('commands/subscription.aggregate.ts');
  });

  it('imports no frame, driver or SDK, by whatever way', () => {
    const { packages } = reachedFrom(pure);
    const others = [...packages].filter(([name]) => !ALLOWED.includes(name));
    expect(others).toEqual([]);
  });

  it('imports nothing of the event store', () => {
    const { files } = reachedFrom(pure);
    expect(files.filter((file) => file.startsWith('event-store/'))).toEqual([]);
  });

  it('looks at no clock and throws no dice', () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandomUUID\b|\bperformance\.\w|\bprocess\.\w/;
    expect(
      reachedFrom(pure).files.filter((file) => impure.test(readFileSync(join(SRC, file), 'utf8'))),
    ).toEqual([]);
  });
});
