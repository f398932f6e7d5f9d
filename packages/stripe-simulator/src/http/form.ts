/** What a form or a query says, nested as its names are. */
export type FormValue = string | readonly FormValue[] | FormFields;
export interface FormFields {
  readonly [name: string]: FormValue;
}

interface Branch {
  [name: string]: string | Branch;
}

/**
 * Reads `items[0][price]=price_1&expand[]=customer` into objects and arrays, as Stripe's v1 takes its parameters. Names are
 * own properties of objects without a prototype, so `__proto__` is a name like any other.
 */
export function decodeForm(text: string): FormFields {
  const root = branch();
  for (const [name, value] of new URLSearchParams(text)) put(root, keysOf(name), value);
  return hash(root);
}

function branch(): Branch {
  return Object.create(null) as Branch;
}

/** `items[0][price]` is `items`, `0`, `price`; an empty pair of brackets is the next place of a list. */
function keysOf(name: string): readonly string[] {
  const [first = ''] = name.split('[', 1);
  return [first, ...[...name.slice(first.length).matchAll(/\[([^\]]*)\]/g)].map(([, key = '']) => key)];
}

function put(root: Branch, keys: readonly string[], value: string): void {
  let at = root;
  keys.forEach((key, index) => {
    const name = key === '' ? String(Object.keys(at).length) : key;
    if (index === keys.length - 1) {
      at[name] = value;
      return;
    }
    const known = at[name];
    const next = known === undefined || typeof known === 'string' ? branch() : known;
    at[name] = next;
    at = next;
  });
}

function hash(from: Branch): FormFields {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, leaf(value)]));
}

/** Keys that count up from 0 make an array. */
function leaf(value: string | Branch): FormValue {
  if (typeof value === 'string') return value;
  const names = Object.keys(value);
  const isList = names.length > 0 && names.every((name) => /^\d+$/.test(name));
  return isList ? Object.values(value).map(leaf) : hash(value);
}
