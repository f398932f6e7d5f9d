import { isKept } from '../../policy/growing-list.js';
import { bytesBeside } from './shared-parts.js';

/** Something in memory whose facts only grow in number; `rest` is what else it takes, in bytes. */
export interface Kept {
  readonly facts: readonly (readonly object[])[];
  readonly rest: number;
}

interface Weighed {
  readonly bytes: number;
  /** Of the facts alone. */
  readonly factBytes: number;
  /** How many facts of each list are in `factBytes`. */
  readonly counted: readonly number[];
}

/** What a row takes without its facts, with its places in the indices and in this order; bytes, measured: 850 to 1,100. */
const ROW_BYTES = 1_000;

/** What a fact takes in what is kept of a long list, such as its order; bytes, measured: 250 to 290. */
const KEPT_BYTES = 300;

/**
 * How much what is in memory takes, in bytes, reckoned from its parts, and in which order it was last used. Each fact is
 * weighed once, beside the one before it, and what is kept of them with them.
 */
export class UseOrder {
  /** Least recently used first. */
  readonly #weighed = new Map<string, Weighed>();
  readonly #used = new Set<string>();
  #bytes = 0;

  /** As of the last `weigh`. */
  get bytes(): number {
    return this.#bytes;
  }

  use(key: string): void {
    this.#used.delete(key);
    this.#used.add(key);
  }

  /** Weighs what was used since the last time. `kept` gives what a key stands for; `undefined` when it is gone. */
  weigh(kept: (key: string) => Kept | undefined): void {
    for (const key of this.#used) {
      const before = this.#weighed.get(key);
      this.forget(key);
      const found = kept(key);
      if (found === undefined) continue;
      const counted = found.facts.map((list) => list.length);
      // A list that became shorter is another one: it is weighed anew.
      const isGrown = before?.counted.every((count, n) => count <= (counted[n] ?? 0)) ?? false;
      let factBytes = isGrown ? (before?.factBytes ?? 0) : 0;
      let bytes = ROW_BYTES + found.rest;
      found.facts.forEach((list, n) => {
        for (let nth = isGrown ? (before?.counted[n] ?? 0) : 0; nth < list.length; nth += 1) {
          factBytes += bytesBeside(list[nth - 1], list[nth]);
        }
        if (isKept(list)) bytes += list.length * KEPT_BYTES;
      });
      bytes += factBytes;
      this.#weighed.set(key, { bytes, factBytes, counted });
      this.#bytes += bytes;
    }
    this.#used.clear();
  }

  /** The one that was not used for the longest time, as of the last `weigh`. */
  get oldest(): string | undefined {
    return this.#weighed.keys().next().value;
  }

  forget(key: string): void {
    this.#bytes -= this.#weighed.get(key)?.bytes ?? 0;
    this.#weighed.delete(key);
  }

  clear(): void {
    this.#weighed.clear();
    this.#used.clear();
    this.#bytes = 0;
  }
}
