import { FalseProofError } from './errors.js';
import { EMPTY_ROOT, nodeHash, splitOf } from './tree-hash.js';

/** The leaves from `from` up to, and not including, `to`: a subtree of RFC 6962, of which a proof gives the root. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** A tree of which the size and root are known. */
export interface TreeHead {
  readonly size: number;
  readonly root: Buffer;
}

/** Subtrees whose roots prove that a tree of `size` leaves has the one at `index` (RFC 6962, 2.1.1), the leaf's sibling first. */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  return stepsTo(index, size).map(({ range }) => range);
}

/** Subtrees whose roots prove that a tree of `second` leaves begins with that of `first` (RFC 6962, 2.1.2), in the order of the proof. */
export function consistencyRanges(first: number, second: number): readonly LeafRange[] {
  if (first === 0 || first === second) return [];
  const ranges: LeafRange[] = [];
  let [from, to] = [0, second];
  while (to - from > first - from && first < to) {
    const middle = from + splitOf(to - from);
    if (first <= middle) {
      ranges.unshift({ from: middle, to });
      to = middle;
    } else {
      ranges.unshift({ from, to: middle });
      from = middle;
    }
  }
  return from === 0 ? ranges : [{ from, to }, ...ranges];
}

/**
 * Checks that `leaf` is the hash at `index` of a tree.
 * @throws FalseProofError where the proof leads elsewhere, or is of another length
 */
export function checkInclusion(
  { size, root }: TreeHead,
  index: number,
  leaf: Buffer,
  proof: readonly Buffer[],
): void {
  if (index >= size) throw new FalseProofError(`a tree of ${size} leaves has none at index ${index}`);
  const steps = stepsTo(index, size);
  if (steps.length !== proof.length) throw wrongLength('inclusion', steps.length, proof.length);
  let hash = leaf;
  for (const [at, { side }] of steps.entries()) {
    const sibling = hashAt(proof, at);
    hash = side === 'left' ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  }
  if (!hash.equals(root)) throw new FalseProofError(`the leaf is not at index ${index} of the tree`);
}

/**
 * Checks that the tree `second` begins with the leaves of the tree `first`.
 * @throws FalseProofError where it does not, by this proof
 */
export function checkConsistency(first: TreeHead, second: TreeHead, proof: readonly Buffer[]): void {
  if (first.size > second.size) throw new FalseProofError('the tree that should be older has more leaves');
  const wanted = consistencyRanges(first.size, second.size).length;
  if (wanted !== proof.length) throw wrongLength('consistency', wanted, proof.length);
  const roots = first.size === 0 ? emptyTo(second) : rootsOf(first, second.size, proof);
  if (!roots.first.equals(first.root) || !roots.second.equals(second.root)) {
    throw new FalseProofError('the newer tree does not begin with the older one');
  }
}

interface Step {
  readonly range: LeafRange;
  readonly side: 'left' | 'right';
}

/** The siblings on the way from a leaf to the root. */
function stepsTo(index: number, size: number): readonly Step[] {
  const steps: Step[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      steps.unshift({ range: { from: middle, to }, side: 'right' });
      to = middle;
    } else {
      steps.unshift({ range: { from, to: middle }, side: 'left' });
      from = middle;
    }
  }
  return steps;
}

interface Roots {
  readonly first: Buffer;
  readonly second: Buffer;
}

/** The roots of the older and the newer tree, as a proof puts them together from the innermost subtree outwards. */
function rootsOf(first: TreeHead, size: number, proof: readonly Buffer[]): Roots {
  let used = 0;
  const next = (): Buffer => hashAt(proof, used++);
  const within = (part: number, whole: number, isFromStart: 'from start' | 'later'): Roots => {
    if (part === whole) {
      const hash = isFromStart === 'from start' ? first.root : next();
      return { first: hash, second: hash };
    }
    const split = splitOf(whole);
    if (part <= split) {
      const inner = within(part, split, isFromStart);
      return { first: inner.first, second: nodeHash(inner.second, next()) };
    }
    const inner = within(part - split, whole - split, 'later');
    const left = next();
    return { first: nodeHash(left, inner.first), second: nodeHash(left, inner.second) };
  };
  return within(first.size, size, 'from start');
}

/** Nothing is a beginning of everything. */
function emptyTo(second: TreeHead): Roots {
  return { first: EMPTY_ROOT, second: second.size === 0 ? EMPTY_ROOT : second.root };
}

function hashAt(proof: readonly Buffer[], index: number): Buffer {
  const hash = proof[index];
  if (hash === undefined) throw new FalseProofError('the proof ends too soon');
  return hash;
}

function wrongLength(kind: string, wanted: number, given: number): FalseProofError {
  return new FalseProofError(`a proof of this ${kind} has ${wanted} hashes, and this one ${given}`);
}
