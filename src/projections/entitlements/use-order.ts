import { isKept } from '../../policy/growing-list.js';
import type { Keepable } from './kept-rows.js';
import { bytesBeside } from './shared-parts.js';

/** Something in memory whose facts only grow in number; `rest` is what else it takes, in bytes. */
export interface Kept {
  readonly facts: readonly (readonly object[])[];
  readonly rest: number;
}

/** What is in memory by a kind and an id, and what it took when it was last weighed. */
interface Place {
  readonly kind: Keepable;
  readonly id: string;
  /** Since it was last weighed. */
  isUsed: boolean;
  bytes: number;
  /** Of the facts alone. */
  factBytes: number;
  /** How many facts of each list are in `factBytes`. */
  counted: readonly number[];
}

/** What a row takes without its facts, with its places in the indices and in this order; bytes, measured: 850 to 1,100. */
const ROW_BYTES = 1_000;

/** What a fact takes in what is kept of a long list, such as its order; bytes, measured: 250 to 290. */
const KEPT_BYTES = 300;

const NOTHING_COUNTED: readonly number[] = [];

/**
 * How much what is in memory takes, in bytes, reckoned from its parts, and in which order it was last used. Each fact is
 * weighed once, beside the one before it, and what is kept of them with them.
 */
export class UseOrder {
  readonly #places: Readonly<Record<Keepable, Map<string, Place>>> = {
    subscription: new Map(),
    customer: new Map(),
    checkout: new Map(),
    payment: new Map(),
    invoice: new Map(),
    user: new Map(),
  };
  /** What was weighed, least recently used first. */
  readonly #weighed = new Set<Place>();
  /** Of each its first use since the last time all was weighed tells its place in the order. */
  #used: Place[] = [];
  #bytes = 0;

  /** As of the last `weigh`. */
  get bytes(): number {
    return this.#bytes;
  }

  use(kind: Keepable, id: string): void {
    const places = this.#places[kind];
    let place = places.get(id);
    if (place === undefined) {
      place = { kind, id, isUsed: false, bytes: 0, factBytes: 0, counted: NOTHING_COUNTED };
      places.set(id, place);
    }
    if (place.isUsed) return;
    place.isUsed = true;
    this.#used.push(place);
  }

  /** Weighs what was used since the last time. `kept` gives what is there by a kind and an id; `undefined` when it is gone. */
  weigh(kept: (kind: Keepable, id: string) => Kept | undefined): void {
    const used = this.#used;
    this.#used = [];
    for (const place of used) {
      place.isUsed = false;
      const found = kept(place.kind, place.id);
      if (found === undefined) {
        this.forget(place.kind, place.id);
        continue;
      }
      const before = place.bytes;
      weighPlace(place, found);
      this.#bytes += place.bytes - before;
      this.#weighed.delete(place);
      this.#weighed.add(place);
    }
  }

  /** The one that was not used for the longest time, as of the last `weigh`. */
  get oldest(): { readonly kind: Keepable; readonly id: string } | undefined {
    return this.#weighed.values().next().value;
  }

  forget(kind: Keepable, id: string): void {
    const place = this.#places[kind].get(id);
    if (place === undefined) return;
    this.#places[kind].delete(id);
    this.#weighed.delete(place);
    this.#bytes -= place.bytes;
  }

  clear(): void {
    for (const places of Object.values(this.#places)) places.clear();
    this.#weighed.clear();
    this.#used = [];
    this.#bytes = 0;
  }
}

function weighPlace(place: Place, { facts, rest }: Kept): void {
  const before = place.counted;
  // A list that became shorter is another one: it is weighed anew.
  const isGrown = before.length > 0 && facts.every((list, n) => (before[n] ?? 0) <= list.length);
  if (!isGrown) place.factBytes = 0;
  let bytes = ROW_BYTES + rest;
  facts.forEach((list, n) => {
    for (let nth = isGrown ? (before[n] ?? 0) : 0; nth < list.length; nth += 1) {
      place.factBytes += bytesBeside(list[nth - 1], list[nth]);
    }
    if (isKept(list)) bytes += list.length * KEPT_BYTES;
  });
  if (facts.length > 0) place.counted = facts.map((list) => list.length);
  place.bytes = bytes + place.factBytes;
}
