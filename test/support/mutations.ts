/** JSON as it is parsed, to be bent. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Numbers at and beyond what Stripe, JSON, a calendar and a database can mean by them. */
const NUMBERS: readonly number[] = [
  0,
  -0,
  -1,
  1,
  1.5,
  0.1,
  -0.000001,
  2 ** 31,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  999_999_999,
  1_000_000_000,
  4_102_444_800,
  4_102_444_801,
  253_402_300_799,
  253_402_300_800,
  8.64e12,
  8.64e15,
  1e18,
  1e300,
  1e308,
  -1e308,
  5e-324,
];

const TEXTS: readonly string[] = [
  '',
  ' ',
  'simmering',
  'active',
  'past_due',
  'canceled',
  'paid',
  'void',
  'unlimited',
  'null',
  '0',
  '1e308',
  '9'.repeat(400),
  'x'.repeat(256),
  'x'.repeat(70_000),
  '\0',
  'a\0b',
  '\ud83d',
  '\ude00\ud83d',
  '🙂',
  '__proto__',
  'constructor',
  'toString',
  "'; drop table tenure.user_role; --",
  '2026-11-28T00:00:00Z',
  '{"a":1}',
];

const KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  '',
  '\0',
  '\ud83d',
  'status',
  'items',
  'length',
];

/** Chooses by a source of numbers in [0, 1), so that one seed gives one course of events. */
export class Choice {
  constructor(private readonly random: () => number) {}

  below(count: number): number {
    return Math.floor(this.random() * count);
  }

  of<T>(all: readonly T[]): T {
    const chosen = all[this.below(all.length)];
    if (chosen === undefined) throw new RangeError('nothing to choose from');
    return chosen;
  }
}

/**
 * The value with one to four places bent: other types, sizes and times, nulls, lists too long or too short, keys taken away
 * or put in, parts moved into others, and nesting. The value itself is left as it is.
 */
export function mutated(value: Json, choice: Choice): Json {
  const bent = structuredClone(value);
  const box: { [key: string]: Json } = { bent };
  for (let count = 1 + choice.below(4); count > 0; count -= 1) {
    const places = placesOf(box);
    if (places.length === 0) break; // all of it was taken away
    bend(choice.of(places), choice, places);
  }
  return box.bent ?? null;
}

/** Somewhere in a JSON value: what holds it, and under which key. */
interface Place {
  readonly holder: Json[] | { [key: string]: Json };
  readonly key: string | number;
}

/** No more than so many places are looked at: what a mutation has blown up is not to be walked for ever. */
const MOST_PLACES = 2_000;

function placesOf(root: { [key: string]: Json }): readonly Place[] {
  const places: Place[] = [];
  const open: (Json[] | { [key: string]: Json })[] = [root];
  for (let holder = open.pop(); holder !== undefined && places.length < MOST_PLACES; holder = open.pop()) {
    const keys = Array.isArray(holder) ? [...holder.keys()].slice(0, 50) : Object.keys(holder);
    for (const key of keys) {
      places.push({ holder, key });
      const inner = at({ holder, key });
      if (typeof inner === 'object' && inner !== null) open.push(inner);
    }
  }
  return places;
}

function at({ holder, key }: Place): Json {
  const found: unknown = Reflect.getOwnPropertyDescriptor(holder, key)?.value;
  return found as Json;
}

/** Defines, so that a key `__proto__` becomes a property as it does in a body that is parsed. */
function put({ holder, key }: Place, value: Json): void {
  Object.defineProperty(holder, key, { value, configurable: true, enumerable: true, writable: true });
}

function bend(place: Place, choice: Choice, places: readonly Place[]): void {
  const value = at(place);
  switch (choice.below(12)) {
    case 0:
      put(place, null);
      return;
    case 1:
      if (Array.isArray(place.holder)) place.holder.splice(Number(place.key), 1);
      else Reflect.deleteProperty(place.holder, place.key);
      return;
    case 2:
    case 3:
      put(place, choice.of(NUMBERS));
      return;
    case 4:
      put(place, choice.of(TEXTS));
      return;
    case 5:
      put(place, choice.below(2) === 0);
      return;
    case 6:
      put(place, choice.of<Json>([[], {}, [value], { data: value }, { id: value }, [null], [[]]]));
      return;
    case 7:
      put(place, nested(value, 1 + choice.below(400), choice.below(2) === 0));
      return;
    case 8:
      put(place, Array.from({ length: choice.of([2, 20, 300, 3_000]) }, copies(value)));
      return;
    case 9:
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        put({ holder: value, key: choice.of(KEYS) }, choice.of<Json>([1, 'x', null, {}, { x: 1 }, []]));
      } else put(place, choice.of(NUMBERS));
      return;
    case 10:
      put(place, copies(at(choice.of(places)))());
      return;
    default:
      put(place, typeof value === 'number' ? value * choice.of([-1, 1_000, 1e6, 0.5]) : choice.of(NUMBERS));
  }
}

function nested(value: Json, depth: number, inLists: boolean): Json {
  let made = value;
  for (let count = 0; count < depth; count += 1) made = inLists ? [made] : { a: made };
  return made;
}

/** Makes copies that are safe to repeat: what is large is cut to a word, and measured once, as it may be megabytes by now. */
function copies(value: Json): () => Json {
  const text = JSON.stringify(value) ?? 'null';
  return text.length > 2_000 ? () => 'large' : () => JSON.parse(text) as Json;
}
