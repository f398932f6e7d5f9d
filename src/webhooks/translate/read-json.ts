/** A JSON object of unknown shape. */
export type JsonObject = Readonly<Record<string, unknown>>;

const ID = /^[^\p{Cc}\p{Surrogate}\s]{1,255}$/u;

/** The value as an object, or `null` for anything else, arrays included. */
export function object(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** An own property of an object; `undefined` where there is no object or no such property. */
export function field(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    const at = object(current);
    if (at === null || !Object.hasOwn(at, key)) return undefined;
    current = at[key];
  }
  return current;
}

/** Items of an array; none for anything else. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A number JSON can hold. Its -0 is 0: canonical JSON stores it as that. */
export function finite(value: unknown): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  return value === 0 ? 0 : value;
}

/** A whole number that is exact, such as Unix seconds. */
export function whole(value: unknown): number | null {
  const number = finite(value);
  return Number.isSafeInteger(number) ? number : null;
}

/** A Stripe id: 1 to 255 characters, no white space, no control characters (Stripe: object ids take up to 255). */
export function id(value: unknown): string | null {
  return typeof value === 'string' && ID.test(value) ? value : null;
}

/** The id of what may be an id or the (expanded, or deleted) object itself. */
export function idOf(value: unknown): string | null {
  return id(value) ?? id(field(value, 'id'));
}
