import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { planCatalogSchema } from './events/catalog.events.js';
import { EVENT_TYPES } from './events/event-types.js';
import { policyDocument } from './policy/reasons/policy-document.js';
import { HANDLED_TYPES } from './stripe/translate/stripe-event.translator.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Folders whose code cites docs/DESIGN.md. */
const CITING = ['src', 'test', 'bench', 'demo', 'scripts', 'packages'];
/** Folders that a path in a document begins with. */
const FOLDERS = /^(src|test|bench|demo|packages|scripts|docs|\.github|\.ci)\//;

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
    join(folder, file),
  );
}

const code = CITING.flatMap(filesUnder).filter((file) => /\.(ts|mjs|md)$/.test(file));
const documents = [
  ...readdirSync(ROOT).filter((file) => file.endsWith('.md')),
  'bench/README.md',
  'packages/client/README.md',
  'packages/stripe-simulator/README.md',
  ...filesUnder('docs').filter((file) => file.endsWith('.md')),
];

/** A heading, or a paragraph or list item that begins with words in bold. */
const NAMED = /^(?:#+ (?<heading>.+)|(?:- (?:The |A )?)?\*\*(?<bold>[^*]+?)\.?\*\*)/;

/** The sections of docs/DESIGN.md by number (`8`, `5.3`), each with the names of what stands in it. */
function sectionsOf(design: string): ReadonlyMap<string, ReadonlySet<string>> {
  const sections = new Map<string, Set<string>>();
  let chapter = new Set<string>();
  for (const line of design.split('\n')) {
    const number = /^## (\d+)\. /.exec(line)?.[1];
    if (number !== undefined) {
      chapter = new Set();
      sections.set(number, chapter);
    }
    const part = /^### (\d+\.\d+) /.exec(line)?.[1];
    if (part !== undefined) sections.set(part, chapter);
    const { heading, bold } = NAMED.exec(line)?.groups ?? {};
    for (const name of [heading, bold]) if (name !== undefined) chapter.add(name);
  }
  return sections;
}

interface Citation {
  readonly file: string;
  readonly section: string;
  /** The words in quotation marks beside it, `null` of none. */
  readonly name: string | null;
}

const NUMBER = /\d+(?:\.\d+)?/g;
const CITED = /(?:\("([^"]+)", )?DESIGN((?:,? (?:and )?\d+(?:\.\d+)?)+)(?:,? "([^"]+)")?/g;

/** Every section of DESIGN that a file cites, across the line ends of a comment. */
function citationsIn(file: string): readonly Citation[] {
  const text = read(file).replace(/\s*\n\s*(?:\*|\/\/)?\s*/g, ' ');
  return [...text.matchAll(CITED)].flatMap(([, before, numbers = '', after]) =>
    [...numbers.matchAll(NUMBER)].map(([section], index, all) => ({
      file,
      section,
      name: index === all.length - 1 ? (after ?? before ?? null) : null,
    })),
  );
}

/** Code in backticks outside of fenced blocks, and the targets of links. */
function mentionsIn(document: string): readonly string[] {
  const prose = read(document).replace(/^ *```[\s\S]*?^ *```/gm, '');
  const code = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  const links = [...prose.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
  return [...code, ...links.filter((target) => !/^[a-z]+:/.test(target))];
}

/** Whether a mention is of a file or folder of this repository. */
function isPath(mention: string): boolean {
  if (/[\s<>{}…$=:]/.test(mention)) return false;
  return FOLDERS.test(mention) || /\.(ts|mjs|md)$/.test(mention);
}

const files = [
  ...readdirSync(ROOT),
  ...['.github', '.ci', 'docs', ...CITING].flatMap((folder) => [folder, ...filesUnder(folder)]),
];

/** Whether a path, from the root or from the folder of the document, is of a file or folder; `*` stands for part of a name. */
function exists(path: string, document: string): boolean {
  const places = [path, join(dirname(document), path)].map((place) => normalize(place).replace(/\/$/, ''));
  return places.some((place) => {
    const pattern = new RegExp(`^${place.replace(/[.+?()[\]\\^$|]/g, '\\$&').replaceAll('*', '[^/]*')}$`);
    return files.some((file) => pattern.test(file));
  });
}

const packageSchema = z.object({
  dependencies: z.record(z.string(), z.string()),
  scripts: z.record(z.string(), z.string()),
});

/** Words by which the document tells a default; `undefined` is that of a key that may be left out and then says nothing. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  '{}': ['none', 'all default'],
  undefined: ['none'],
};

/** A schema as `z.toJSONSchema` writes it, as far as keys and defaults go. */
const jsonSchema = z.object({
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  required: z.array(z.string()).optional(),
  default: z.unknown().optional(),
});

/** Every key of a plan file by its path (`plans.*.rank`), with its default; `required` where it has none. */
function keysOf(schema: unknown, path: string): ReadonlyMap<string, string> {
  const read = jsonSchema.safeParse(schema);
  if (!read.success) return new Map();
  const { properties = {}, additionalProperties, required = [] } = read.data;
  const named = Object.entries(properties).flatMap(([key, value]) => {
    const fallback = jsonSchema.safeParse(value).data?.default;
    const told = required.includes(key) ? 'required' : textOf(fallback);
    return [[`${path}${key}`, told] as const, ...keysOf(value, `${path}${key}.`)];
  });
  const each = keysOf(additionalProperties, `${path}*.`);
  return new Map([...named, ...each]);
}

function textOf(fallback: unknown): string {
  return typeof fallback === 'string' ? fallback : String(JSON.stringify(fallback));
}

/** The rows of a document's tables whose first cell is code: that, and the second cell without backticks. */
function rowsOf(document: string): ReadonlyMap<string, string> {
  const rows = read(document)
    .split('\n')
    .flatMap((line) => {
      const [, key, fallback] = /^\| `([^`]+)` *\| ([^|]*?) *\|/.exec(line) ?? [];
      return key === undefined || fallback === undefined
        ? []
        : [[key, fallback.replaceAll('`', '')] as const];
    });
  return new Map(rows);
}

/** Names of all settings; those of the stores are picked out of the same list once more. */
const settings = [
  ...new Set(
    [...read('src/config/environment.ts').matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name = '']) => name),
  ),
].sort();

describe('The documents', () => {
  it('have a section for every one of docs/DESIGN.md that the code cites, with the name it is cited by', () => {
    const sections = sectionsOf(read('docs/DESIGN.md'));
    const citations = code.flatMap(citationsIn);
    expect(citations.length).toBeGreaterThan(50);
    const lost = citations.filter(({ section, name }) => {
      const names = sections.get(section);
      return names === undefined || (name !== null && !names.has(name));
    });
    expect(lost).toEqual([]);
  });

  it('name only files and folders that exist', () => {
    const missing = documents.flatMap((document) =>
      mentionsIn(document)
        .filter((mention) => isPath(mention) && !exists(mention, document))
        .map((mention) => `${document}: ${mention}`),
    );
    expect(missing).toEqual([]);
  });

  it('tell of every setting there is, and of no other', () => {
    const chapter = /^## 14\. [\s\S]*?(?=^## )/m.exec(read('docs/DESIGN.md'))?.[0] ?? '';
    const rows = chapter.split('\n').filter((line) => line.startsWith('| `'));
    const told = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)]);
    expect(told.map(([, name]) => name).sort()).toEqual(settings);
  });

  it('tell of every key of the plan file, and of its default', () => {
    const keys = keysOf(z.toJSONSchema(planCatalogSchema, { io: 'input' }), '');
    const told = rowsOf('docs/PLANS.md');
    const meant = [...told].map(([key, text]) => {
      const fallback = keys.get(key) ?? '';
      return [key, WORDS[fallback]?.includes(text) ? fallback : text];
    });
    expect(Object.fromEntries(meant)).toEqual(Object.fromEntries(keys));
  });

  it('tell of every Stripe event that is recorded, and of no other', () => {
    const told = [...rowsOf('docs/STRIPE.md').keys()].filter((key) => /^[a-z_]+\.[a-z_.]+$/.test(key));
    expect(told.sort()).toEqual([...HANDLED_TYPES].sort());
    const configured = /tenure_types = \[([^\]]*)\]/.exec(read('docs/STRIPE.md'))?.[1] ?? '';
    const types = [...configured.matchAll(/"([^"]+)"/g)].map(([, type]) => type);
    expect(types.sort()).toEqual([...HANDLED_TYPES].sort());
  });

  it('name every event type of the log where its streams are told, and no other', () => {
    const chapter = /^## 4\. [\s\S]*?(?=^## )/m.exec(read('docs/DESIGN.md'))?.[0] ?? '';
    const table = chapter.split('\n').filter((line) => line.startsWith('| '));
    const told = [...table.join('\n').matchAll(/`([A-Z]\w+)`/g)].map(([, name]) => name);
    expect(told.sort()).toEqual(Object.keys(EVENT_TYPES).sort());
  });

  it('say why the service needs each of its packages', () => {
    const text = read('docs/ARCHITECTURE.md').split('## Dependencies')[1] ?? '';
    const told = [...text.matchAll(/`([@a-z][\w@/.*-]*)`/g)].map(
      ([, name = '']) => new RegExp(`^${name.replaceAll('*', '.*')}$`),
    );
    const needed = Object.keys(packageSchema.parse(JSON.parse(read('package.json'))).dependencies);
    expect(needed.filter((name) => !told.some((each) => each.test(name)))).toEqual([]);
  });

  it('hold the reasons of the access policy as the code has them (npm run docs:policy)', () => {
    expect(read('docs/POLICY.md')).toBe(policyDocument());
  });

  it('run only scripts that package.json has', () => {
    const { scripts } = packageSchema.parse(JSON.parse(read('package.json')));
    const run = documents.flatMap((document) =>
      [...read(document).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)].map(([, name = '']) => name),
    );
    expect([...new Set(run)].filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});

describe('The help of the service', () => {
  it('tells of every setting there is, and of no other', () => {
    const help = /Settings \(environment\):\n([^`]*)`/.exec(read('src/main.ts'))?.[1] ?? '';
    const names = help
      .split('\n')
      .flatMap((line) => /^ {2}([A-Z_, ]+?) {2}/.exec(line)?.[1]?.split(', ') ?? [line]);
    expect(names.sort()).toEqual(settings);
  });
});
