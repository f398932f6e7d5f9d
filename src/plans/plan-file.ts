import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { canonicalJson, sha256Hex } from '../events/canonical-json.js';
import { type PlanCatalog, planCatalogSchema, pricesOfLabel } from '../events/catalog.events.js';
import { NamedError } from '../observability/named-error.js';
import { nameOf, type Path, type PlanFault, schemaFaults, syntaxFaults } from './plan-faults.js';

/** A catalogue with the SHA-256 of its canonical JSON (RFC 8785), defaults filled in: equal hashes mean the same. */
export interface LoadedCatalog {
  readonly catalog: PlanCatalog;
  readonly hash: string;
}

/** The plan file cannot be used. `lines` name every fault with its line, as `plans.yaml:14: …`. */
export class InvalidPlanFileError extends NamedError {
  readonly code = 'invalid_plan_file';
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** There is no such file, or it cannot be read. */
export class UnreadablePlanFileError extends InvalidPlanFileError {
  constructor(path: string, error: unknown) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    super([reason === 'ENOENT' ? `${path}: there is no such file` : `${path}: cannot be read (${reason})`]);
  }
}

/** Says where a path of the catalogue is, before what is wrong with it. */
type PlaceOf = (path: Path) => string;

/** Faults that are named; whoever mended a hundred looks again. */
const MOST_FAULTS = 100;
/** Values that a catalogue sent as JSON may have: of five hundred plans, each with a score of features, limits and prices. */
const MOST_VALUES = 10_000;

/**
 * Reads and validates the catalogue at `path`.
 * @throws InvalidPlanFileError with all faults at once, an UnreadablePlanFileError where there is no file to read
 */
export async function loadPlanFile(path: string): Promise<LoadedCatalog> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UnreadablePlanFileError(path, error);
  }
  return parsePlanFile(text, basename(path));
}

/**
 * Parses and validates the text of a plan file (DESIGN 7).
 * @throws InvalidPlanFileError with its faults at once, up to a hundred, each with the line at fault
 */
export function parsePlanFile(text: string, fileName: string): LoadedCatalog {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: true });
  const faults = syntaxFaults(document, text);
  if (faults.length > 0) {
    throw invalid(faults, ({ offset, words }) => `${fileName}:${lineCounter.linePos(offset).line}: ${words}`);
  }
  return catalogOf(document.toJS(), (path) => `${fileName}:${lineOf(document, lineCounter, path)}`);
}

/**
 * Validates a plan file that was sent as JSON and parsed; the same rules as of one on the disk.
 * @throws InvalidPlanFileError with its faults, and for one that is larger than any catalogue before it is looked at
 */
export function parsePlanBody(body: unknown): LoadedCatalog {
  if (!hasAtMost(body, MOST_VALUES)) {
    throw new InvalidPlanFileError([`body: it has more than ${MOST_VALUES} values`]);
  }
  return catalogOf(body, () => 'body');
}

function catalogOf(value: unknown, placeOf: PlaceOf): LoadedCatalog {
  const parsed = planCatalogSchema.safeParse(value);
  const inWords = ({ path, words }: PlanFault): string => `${placeOf(path)}: ${words}`;
  if (!parsed.success) throw invalid(schemaFaults(parsed.error.issues, value), inWords);
  const faults = meaningFaults(parsed.data);
  if (faults.length > 0) throw invalid(faults, inWords);
  return { catalog: parsed.data, hash: catalogHash(parsed.data) };
}

/** The first faults in words, and how many there are beside them: to find a line takes a while. */
function invalid<Fault>(faults: readonly Fault[], inWords: (fault: Fault) => string): InvalidPlanFileError {
  const lines = faults.slice(0, MOST_FAULTS).map(inWords);
  const more = faults.length - lines.length;
  return new InvalidPlanFileError(more === 0 ? lines : [...lines, `and ${more} more`]);
}

/** Whether a JSON value consists of no more than so many values, itself included. */
function hasAtMost(value: unknown, most: number): boolean {
  const open: unknown[] = [value];
  for (let seen = 1; open.length > 0; ) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null) continue;
    const inner: readonly unknown[] = Object.values(next);
    seen += inner.length;
    if (seen > most) return false;
    for (const each of inner) open.push(each);
  }
  return true;
}

/** SHA-256 (hex) of the canonical JSON of a catalogue. */
export function catalogHash(catalog: PlanCatalog): string {
  return sha256Hex(canonicalJson(catalog));
}

/** What PostgreSQL keeps in no row: U+0000, and a surrogate without its other half. */
const UNKEPT = /[\0\p{Surrogate}]/gu;

/** Keys and texts that no row can keep. Such a catalogue would be appended for good, and the projection would stop at it. */
function unkeptTexts(value: unknown, path: Path): readonly PlanFault[] {
  const isUnkept = (text: unknown): boolean => typeof text === 'string' && text.search(UNKEPT) >= 0;
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const name = nameOf(path).replace(UNKEPT, '\ufffd');
  const isFault = isUnkept(value) || isUnkept(path.at(-1));
  return [
    ...(isFault ? [{ path, words: `${name}: holds U+0000 or half a character, which no row can keep` }] : []),
    ...inner.flatMap(([key, each]) => unkeptTexts(each, [...path, Array.isArray(value) ? Number(key) : key])),
  ];
}

/** What no schema of single values can say: texts that can be kept, references, and what must be there once. */
function meaningFaults(catalog: PlanCatalog): readonly PlanFault[] {
  const faults = [...unkeptTexts(catalog, [])];
  if (!Object.hasOwn(catalog.plans, catalog.default)) {
    const plans = Object.keys(catalog.plans).join(', ');
    faults.push({
      path: ['default'],
      words: `default: must name a plan, and there is no plan "${catalog.default}"; plans are ${plans || 'none'}`,
    });
  }
  const given = new Set(
    [...Object.values(catalog.plans), ...Object.values(catalog.addons)].flatMap(({ features }) => features),
  );
  for (const [index, { feature }] of (catalog.routes ?? []).entries()) {
    if (given.has(feature)) continue;
    const words = `routes.${index}.feature: no plan and no add-on gives the feature "${feature}"`;
    faults.push({ path: ['routes', index, 'feature'], words });
  }
  const owners = new Map<string, Path>();
  for (const { price, path } of listedPrices(catalog)) {
    const other = owners.get(price);
    if (other === undefined) owners.set(price, path);
    else faults.push({ path, words: `price "${price}" stands in ${nameOf(other)} already; list it once` });
  }
  return faults;
}

/** Every price that a catalogue lists, with where it does. */
function listedPrices({
  plans,
  addons,
}: PlanCatalog): readonly { readonly price: string; readonly path: Path }[] {
  return [
    ...Object.entries(plans).flatMap(([name, plan]) =>
      Object.entries(plan.prices).flatMap(([label, named]) =>
        pricesOfLabel(named).map((price, index) => ({
          price,
          path: ['plans', name, 'prices', label, ...(typeof named === 'string' ? [] : [index])],
        })),
      ),
    ),
    ...Object.entries(addons).flatMap(([name, addon]) =>
      addon.prices.map((price, index) => ({ price, path: ['addons', name, 'prices', index] })),
    ),
  ];
}

/** The line of the innermost part of a path that the file has. */
function lineOf(document: Document, lineCounter: LineCounter, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== null) return lineCounter.linePos(offset).line;
  }
  return 1;
}

function offsetOf(document: Document, path: Path): number | null {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isNode(key) && String(key) === String(path.at(-1)));
    return pair !== undefined && isNode(pair.key) ? (pair.key.range?.[0] ?? null) : null;
  }
  const node: unknown = document.getIn([...path], true);
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}
