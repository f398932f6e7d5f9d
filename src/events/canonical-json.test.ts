import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson, NotCanonicalError } from './canonical-json.js';

/** Any JSON value, of any well-formed text. */
const json = (): fc.Arbitrary<fc.JsonValue> => fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 });

/** The same value with the keys of every object the other way round. */
function turned(value: fc.JsonValue): fc.JsonValue {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, turned(inner ?? null)]),
  );
}

/** An array in an array, `levels` deep in all. */
function nested(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level += 1) value = [value];
  return value;
}

describe('canonical JSON', () => {
  it('is what the canonicalize package writes', () => {
    fc.assert(
      fc.property(json(), (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
      { numRuns: 500 },
    );
  });

  it('reads back as the value it was, and is then written the same', () => {
    fc.assert(
      fc.property(json(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(json(), (value) => {
        expect(canonicalJson(turned(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('is the same for keys met again as for those that are met first, in whatever order, number and length', () => {
    const orders = [3, 64, 65].flatMap((size) => {
      const keys = Array.from({ length: size }, (_, nr) => `k${nr}${'x'.repeat(size === 64 ? 40 : 0)}`);
      return Array.from({ length: 12 }, (_, from) => [...keys.slice(from), ...keys.slice(0, from)]);
    });
    const others = ['k0', 'k1', 'k2'].map((key) => ['k9', key, 'k"']);
    for (const keys of [...orders, ...orders, ...others, ...others]) {
      const value = Object.fromEntries(keys.map((key, nr) => [key, nr]));
      expect(canonicalJson(value)).toBe(canonicalize(value));
    }
  });

  it.each<[string, string, string]>([
    [
      'the sample of RFC 8785, 3.2.2',
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    ],
    [
      'keys by UTF-16 code units (RFC 8785, 3.2.3)',
      String.raw`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`,
      `{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}`,
    ],
    ['minus zero', '[-0,-0.0]', '[0,0]'],
    [
      'numbers that look like no integers',
      '[1e21,1e-7,100000000000000000000]',
      '[1e+21,1e-7,100000000000000000000]',
    ],
    ['U+0000 and DEL', String.raw`"\u0000\u007f"`, `"\\u0000\u007f"`],
    ['a key that reaches prototypes elsewhere', '{"b":1,"__proto__":{"a":1}}', '{"__proto__":{"a":1},"b":1}'],
  ])('writes %s', (_, text, expected) => {
    expect(canonicalJson(JSON.parse(text))).toBe(expected);
  });

  it('leaves out what is undefined in an object', () => {
    expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a hole in an array', new Array(1)],
    ['a function', { f: () => 1 }],
    ['a symbol', [Symbol('s')]],
    ['a bigint', 1n],
    ['NaN', [Number.NaN]],
    ['infinity', { a: Number.NEGATIVE_INFINITY }],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['a boxed string', new String('a')],
    ['a lone surrogate', 'a\ud800'],
    ['a lone surrogate in a key', { '\udc00': 1 }],
    ['surrogates the wrong way round', '\ude00\ud83d'],
    ['more than 200 levels', nested(201)],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(NotCanonicalError);
  });

  it('refuses what holds itself', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(() => canonicalJson(circle)).toThrow(NotCanonicalError);
  });

  it('takes 200 levels', () => {
    expect(canonicalJson(nested(200))).toBe('['.repeat(200) + ']'.repeat(200));
  });
});
