import type { Pair } from './pairs.repository.js';
import { isPseudonym, storedIdsIn } from './pseudonym.js';
import type { Pseudonyms } from './pseudonyms.js';

/** Longest `client_reference_id` that Stripe takes; the metadata names the user in any case. */
const LONGEST_REFERENCE = 200;

/** Deeper than this no object of Stripe's has anything that is read, and a body may nest without end. */
const DEEPEST = 32;

/** A JSON object. */
type Json = Readonly<Record<string, unknown>>;

export interface StripeIdsOptions {
  readonly pseudonyms: Pseudonyms;
  /** The key of `metadata` that carries the user id. */
  readonly userIdKey: string;
  /** Hears of objects, by id, that claimed for users who are erased. */
  readonly onErasedClaims: (objects: readonly string[]) => void;
}

/** A claim on its way in: the id, the object that makes it and when that was created (Unix seconds, `null`: not told). */
interface Claim {
  readonly userId: string;
  readonly object: string;
  readonly created: number | null;
}

/**
 * The way of user ids to and from Stripe (DESIGN 4, "Pseudonyms"). Inwards the two places where Stripe's objects carry one,
 * `metadata` and `client_reference_id`, get the pseudonym, before anything is translated; a claim for an erased user, or of an
 * object from before the user was taken in again, is left out. Outwards pseudonyms become user ids.
 */
export class StripeIds {
  constructor(private readonly options: StripeIdsOptions) {}

  /** A JSON value as Stripe sent it, with what stands for user ids inside. */
  async inwards<Value>(value: Value): Promise<Value> {
    const { pseudonyms, onErasedClaims } = this.options;
    const claims: Claim[] = [];
    const without = this.#map(value, ROOT, (claim) => {
      claims.push(claim);
      return claim.userId;
    });
    const userIds = claims.map(({ userId }) => userId).filter((userId) => pseudonyms.isUserId(userId));
    if (claims.length === 0) return without as Value;
    const pairs = await pseudonyms.pairsOf(userIds);
    const left = new Set<string>();
    const inside = this.#map(value, ROOT, (claim) => {
      const pair = pairs.get(claim.userId);
      if (pair === undefined) return null;
      if (pair !== null && counts(claim, pair)) return pair.pseudonym;
      left.add(claim.object);
      return null;
    });
    if (left.size > 0) onErasedClaims([...left]);
    return inside as Value;
  }

  /** What is sent to Stripe, with user ids. */
  async outwards<Value>(value: Value): Promise<Value> {
    const text = JSON.stringify(value);
    if (text === undefined || storedIdsIn(text).length === 0) return value;
    const own: Value = JSON.parse(await this.options.pseudonyms.reveal(text, inJson));
    if (!isObject(own) || String(own.client_reference_id ?? '').length <= LONGEST_REFERENCE) return own;
    const { client_reference_id: _, ...rest } = own;
    return rest as Value;
  }

  /** A path and its query, with user ids. */
  path(path: string): Promise<string> {
    return this.options.pseudonyms.reveal(path, encodeURIComponent);
  }

  /** The value with each claim as `of` says; `null` leaves it out. */
  #map(value: unknown, within: Within, of: (claim: Claim) => string | null, depth = 0): unknown {
    if (depth > DEEPEST) return value;
    if (Array.isArray(value)) return value.map((each: unknown) => this.#map(each, within, of, depth + 1));
    if (!isObject(value)) return value;
    const here = withinOf(value, within);
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, member]) => {
        if (name === 'client_reference_id') return entry(name, member, here, of);
        if (name !== 'metadata' || !isObject(member)) return [[name, this.#map(member, here, of, depth + 1)]];
        const { userIdKey } = this.options;
        const metadata = Object.entries(member).flatMap(([key, text]) =>
          key === userIdKey ? entry(key, text, here, of) : [[key, text] as const],
        );
        return [[name, Object.fromEntries(metadata)]];
      }),
    );
  }
}

/** The object in which something stands: what is nested and tells nothing of itself is of the same. */
interface Within {
  readonly object: string;
  readonly created: number | null;
}
const ROOT: Within = { object: '', created: null };

function withinOf(value: Json, within: Within): Within {
  const { id, created } = value;
  // The envelope of an event, `data.object` in it, and what a list holds.
  const about =
    'data' in value && isObject(value.data) && isObject(value.data.object) ? value.data.object : value;
  const at = about === value ? created : about.created;
  return {
    object: typeof about.id === 'string' ? about.id : typeof id === 'string' ? id : within.object,
    created: typeof at === 'number' ? at : within.created,
  };
}

function entry(
  name: string,
  value: unknown,
  within: Within,
  of: (claim: Claim) => string | null,
): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'string' || isPseudonym(value))
    return typeof value === 'string' ? [] : [[name, value]];
  const stored = of({ userId: value, ...within });
  return stored === null ? [] : [[name, stored]];
}

/** Objects from before a user was taken in again are nobody's claim. */
function counts({ created }: Claim, { claimsFrom }: Pair): boolean {
  return claimsFrom === 0 || (created !== null && created >= claimsFrom);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inJson(userId: string): string {
  return JSON.stringify(userId).slice(1, -1);
}
