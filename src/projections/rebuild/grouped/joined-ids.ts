import { JoinedNumbers } from '../joined-numbers.js';

/** Slots of the table at first: a power of two. */
const FIRST_SLOTS = 1 << 12;
/** Part of the slots that may be taken before there are twice as many. */
const FULL = 0.7;

/**
 * Which ids belong together, because they were given together or each with a third (union–find). Ids are kept as 64 bits that
 * are made of them, in 25 bytes each, whatever their length: two that share these bits count as one, by which more is joined
 * than has to be, and never less.
 */
export class JoinedIds {
  #slots = new Slots(FIRST_SLOTS);
  readonly #numbers = new JoinedNumbers();

  /** How many ids it knows. */
  get size(): number {
    return this.#numbers.size;
  }

  /** Joins ids, one at least, and all that they were joined with before; returns the number of the first. */
  join([first, ...others]: readonly [string, ...string[]]): number {
    const number = this.#numberOf(first);
    for (const id of others) this.#numbers.join(number, this.#numberOf(id));
    return number;
  }

  /** What all ids that belong together with the one of this number have in common, and no other. */
  rootOf(number: number): number {
    return this.#numbers.rootOf(number);
  }

  #numberOf(id: string): number {
    const found = this.#slots.find(id, this.size);
    if (found < this.size) return found;
    const number = this.#numbers.add();
    if (this.size > this.#slots.count * FULL) this.#slots = this.#slots.doubled();
    return number;
  }
}

/** A table of numbers by 64 bits, with open addressing. */
class Slots {
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  /** The number at a slot and one more; 0 where it is free. */
  readonly #numbers: Uint32Array;

  constructor(readonly count: number) {
    this.#high = new Uint32Array(count);
    this.#low = new Uint32Array(count);
    this.#numbers = new Uint32Array(count);
  }

  /** The number of an id; of one that is not known this, which it has from now on. */
  find(id: string, otherwise: number): number {
    let high = 0x2c1b3c6d;
    let low = 0x297a2d39;
    for (let at = 0; at < id.length; at += 1) {
      const code = id.charCodeAt(at);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low + code, 0x5bd1e995);
      low ^= low >>> 15;
    }
    return this.#take(mixed(high ^ (low >>> 7)), mixed(low), otherwise);
  }

  /** The same in twice as many slots. */
  doubled(): Slots {
    const larger = new Slots(this.count * 2);
    for (let slot = 0; slot < this.count; slot += 1) {
      const number = this.#numbers[slot] ?? 0;
      if (number > 0) larger.#take(this.#high[slot] ?? 0, this.#low[slot] ?? 0, number - 1);
    }
    return larger;
  }

  #take(high: number, low: number, otherwise: number): number {
    const mask = this.count - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const number = this.#numbers[slot] ?? 0;
      if (number === 0) {
        this.#high[slot] = high;
        this.#low[slot] = low;
        this.#numbers[slot] = otherwise + 1;
        return otherwise;
      }
      if (this.#high[slot] === high && this.#low[slot] === low) return number - 1;
    }
  }
}

/** Spreads what differs in any bit over all 32, as an unsigned number. */
function mixed(bits: number): number {
  let at = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  at = Math.imul(at ^ (at >>> 15), 0x846ca68b);
  return (at ^ (at >>> 16)) >>> 0;
}
