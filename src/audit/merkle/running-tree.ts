import { EMPTY_ROOT, nodeHash } from './tree-hash.js';

/** A tree to which leaves are added one by one, in memory of log n hashes. */
export class RunningTree {
  #size = 0;
  /** Roots of the greatest complete subtrees, from the left: one for each bit of the size. */
  readonly #roots: Buffer[] = [];

  get size(): number {
    return this.#size;
  }

  add(leaf: Buffer): void {
    let hash = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      hash = nodeHash(this.#roots.pop() ?? hash, hash);
    }
    this.#roots.push(hash);
    this.#size += 1;
  }

  root(): Buffer {
    return this.#size === 0 ? EMPTY_ROOT : this.#roots.reduceRight((right, left) => nodeHash(left, right));
  }
}
