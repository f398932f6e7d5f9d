/** Room for numbers at first. */
const FIRST_LENGTH = 1 << 12;

/** Which numbers belong together, because they were joined or each with a third (union–find); 4 bytes each. */
export class JoinedNumbers {
  #parents = new Uint32Array(FIRST_LENGTH);
  #size = 0;

  /** How many numbers there are. */
  get size(): number {
    return this.#size;
  }

  /** The next number, from 0 on, which belongs to no other. */
  add(): number {
    const number = this.#size;
    if (number === this.#parents.length) {
      const larger = new Uint32Array(number * 2);
      larger.set(this.#parents);
      this.#parents = larger;
    }
    this.#parents[number] = number;
    this.#size += 1;
    return number;
  }

  /** Joins two numbers, and all that either was joined with before. */
  join(one: number, other: number): void {
    const [a, b] = [this.rootOf(one), this.rootOf(other)];
    // The older of two is the root, so that numbers given early change least.
    this.#parents[Math.max(a, b)] = Math.min(a, b);
  }

  /** What all numbers that belong together with this one have in common, and no other. */
  rootOf(number: number): number {
    const parents = this.#parents;
    let at = number;
    for (;;) {
      const parent = parents[at] ?? at;
      if (parent === at) return at;
      const above = parents[parent] ?? parent;
      parents[at] = above;
      at = above;
    }
  }
}
