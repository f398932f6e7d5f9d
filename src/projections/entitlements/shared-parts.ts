/**
 * Lets a fact that was just parsed use the parts of the fact before it that are equal: of one subscription most are, from
 * its ids to its items, so it takes half the memory. Nobody else may keep parts of `fresh`; both have their keys in one
 * order, as they were parsed by one schema. Answers `fresh`, or `before` where all of it is equal.
 */
export function withSharedParts<T>(before: T | undefined, fresh: T): T;
export function withSharedParts(before: unknown, fresh: unknown): unknown {
  if (before === fresh) return before; // of two equal texts the older one
  if (!isObject(before) || !isObject(fresh)) return fresh;
  return Array.isArray(before) === Array.isArray(fresh) ? shared(before, fresh) : fresh;
}

type Parts = Record<number | string, unknown>;

/** Lists have their parts by index. */
function shared(before: Parts, fresh: Parts): unknown {
  let differing = 0;
  let count = 0;
  for (const key in fresh) {
    count += 1;
    const part = fresh[key];
    const known = Object.hasOwn(before, key) ? before[key] : undefined;
    const same = withSharedParts(known, part);
    if (same !== known || key === '__proto__') differing += 1;
    else if (typeof part === 'string' || isObject(part)) fresh[key] = same;
  }
  return differing === 0 && count === Object.keys(before).length ? before : fresh;
}

/** Bytes of a list or an object, of each of its parts, and of a text besides its characters: about, as V8 has them. */
const OBJECT_BYTES = 32;
const PART_BYTES = 8;
const TEXT_BYTES = 24;

/** Bytes that a fact takes beside the one before it, of which it uses what is equal (`withSharedParts`). */
export function bytesBeside(before: unknown, fact: unknown): number {
  if (before === fact) return 0;
  if (typeof fact === 'string') return TEXT_BYTES + fact.length;
  if (!isObject(fact)) return 0;
  const known: Parts = isObject(before) && Array.isArray(before) === Array.isArray(fact) ? before : NOTHING;
  let bytes = OBJECT_BYTES;
  for (const key in fact) bytes += PART_BYTES + bytesBeside(known[key], fact[key]);
  return bytes;
}

const NOTHING: Parts = {};

function isObject(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null;
}
