import { type Alias, type Document, visit, type YAMLError } from 'yaml';
import { z } from 'zod';
import { planCatalogSchema } from '../events/catalog.events.js';

/** Where something stands in a plan file: keys of maps and places of lists, from the outside in. */
export type Path = readonly PropertyKey[];

/** One fault of a plan file: where it is, and in words what is wrong and what would be right. */
export interface PlanFault {
  readonly path: Path;
  readonly words: string;
}

/** A fault of the YAML itself, at an offset of the text. */
export interface SyntaxFault {
  readonly offset: number;
  readonly words: string;
}

type Issue = z.core.$ZodIssue;

/** What a plan file should have where zod expects a type. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
};

/** What the schema refuses in a file, an unknown key each by itself. `value` is the file as it was read. */
export function schemaFaults(issues: readonly Issue[], value: unknown): readonly PlanFault[] {
  return issues.flatMap((issue): readonly PlanFault[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey([...issue.path, key]))
      : [
          {
            path: issue.path,
            words: `${nameOf(issue.path)}: ${rightWords(issue, valueAt(value, issue.path))}`,
          },
        ],
  );
}

/** What the parser found, without the place, which is told before it. */
export function syntaxFaults(document: Document, text: string): readonly SyntaxFault[] {
  const faults = document.errors.map(({ pos, code, message }) => ({
    offset: pos[0],
    words: syntaxWords(code, message, text.slice(pos[0])),
  }));
  return faults.length > 0 ? faults : unknownAliases(document);
}

/** The name of a path, as a person would say it. */
export function nameOf(path: Path): string {
  return path.length === 0 ? 'the file' : path.map(String).join('.');
}

function unknownKey(path: Path): PlanFault {
  const parent = path.slice(0, -1);
  const known = Object.keys(schemaAt(parent)?.properties ?? {});
  const of = parent.length === 0 ? 'of the file' : `of ${nameOf(parent)}`;
  return { path, words: `${nameOf(path)}: no key ${of}; its keys are ${known.join(', ')}` };
}

function rightWords(issue: Issue, found: unknown): string {
  const right = `must be ${rightFor(issue)}`;
  if (found === undefined) return `missing, ${right}`;
  return found === null ? `empty, ${right}` : `${right}${insteadOf(issue, found)}`;
}

function rightFor(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[schemaAt(issue.path)?.type ?? ''] ?? TYPES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map(String).join(' or ');
    case 'too_small':
      if (issue.origin === 'array') return 'a list of one entry at least';
      return issue.origin === 'string' ? 'text of one character at least' : `${issue.minimum} at least`;
    case 'too_big':
      return issue.origin === 'string'
        ? `text of ${issue.maximum} characters at most`
        : `${issue.maximum} at most`;
    case 'invalid_key':
      return 'named with 1 to 100 characters';
    default:
      return issue.message;
  }
}

/** What stands there, where its kind is wrong. */
function insteadOf({ code }: Issue, found: unknown): string {
  if (code !== 'invalid_type' && code !== 'invalid_union' && code !== 'invalid_value') return '';
  if (Array.isArray(found)) return ', not a list';
  if (typeof found === 'object') return ', not a map of keys';
  return typeof found === 'string' ? `, not the text "${found.slice(0, 100)}"` : `, not ${String(found)}`;
}

function syntaxWords(code: YAMLError['code'], message: string, rest: string): string {
  if (code === 'DUPLICATE_KEY') return `the key ${/^[^\s:]*/.exec(rest)?.[0] ?? ''} stands twice in one map`;
  if (code === 'MULTIPLE_DOCS') return 'a second document begins (---); a plan file is one';
  const [first = message] = message.split('\n');
  return first.replace(/ at line \d+, column \d+:?$/, '');
}

/** `*name` where no `&name` stands before it: the parser notices when it is read, and does not say where. */
function unknownAliases(document: Document): readonly SyntaxFault[] {
  const faults: SyntaxFault[] = [];
  visit(document, {
    Alias: (_, alias: Alias) => {
      if (alias.resolve(document) !== undefined) return;
      faults.push({
        offset: alias.range?.[0] ?? 0,
        words: `*${alias.source} stands for nothing: there is no &${alias.source} before it`,
      });
    },
  });
  return faults;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined,
    value,
  );
}

const jsonSchema = z.object({
  type: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
});

const SCHEMA = z.toJSONSchema(planCatalogSchema, { io: 'input' });

/** What the schema says of a path, as JSON Schema does; `undefined` where it has no such place. */
function schemaAt(path: Path): z.infer<typeof jsonSchema> | undefined {
  let here: unknown = SCHEMA;
  for (const key of path) {
    const { properties, additionalProperties } = jsonSchema.safeParse(here).data ?? {};
    here = properties?.[String(key)] ?? additionalProperties;
  }
  return jsonSchema.safeParse(here).data;
}
