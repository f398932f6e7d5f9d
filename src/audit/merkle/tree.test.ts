import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { FalseProofError } from './errors.js';
import { checkConsistency, checkInclusion } from './proofs.js';
import { TileTree } from './tile-tree.js';
import { TILE_WIDTH, type Tile } from './tiles.js';
import { EMPTY_ROOT, leafHash, nodeHash } from './tree-hash.js';

/** Responses of the log Google Argon 2020 to get-sth, get-entries, get-proof-by-hash and get-sth-consistency. */
const ARGON: {
  treeSize: number;
  root: string;
  leafIndex: number;
  leafInput: string;
  auditPath: string[];
  olderSize: number;
  olderRoot: string;
  consistency: string[];
} = JSON.parse(readFileSync(new URL('../../../test/fixtures/tlog/argon2020.json', import.meta.url), 'utf8'));

/** Entries and roots that implementations of Certificate Transparency share as test data. */
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const base64 = (text: string) => Buffer.from(text, 'base64');

/** The tree of RFC 6962, 2.1, written down as it stands there. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return createHash('sha256').digest();
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}

/** Tiles of leaves, cut out of the whole tree, which counts what is read. */
function tilesOf(leaves: readonly Buffer[]) {
  const read: string[] = [];
  const readTile = async ({ level, index, width }: Tile): Promise<Buffer> => {
    read.push(`${level}/${index}`);
    const span = TILE_WIDTH ** level;
    return Buffer.concat(
      Array.from({ length: width }, (_, at) => {
        const from = (index * TILE_WIDTH + at) * span;
        return naiveRoot(leaves.slice(from, from + span));
      }),
    );
  };
  return { readTile, read };
}

const LEAVES = Array.from({ length: 700 }, (_, at) => leafHash(Buffer.from(`entry ${at}`)));
const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 250, max: 700 }));

describe('The Merkle tree of RFC 6962', () => {
  it('has the roots that Certificate Transparency gives for its test data', async () => {
    const leaves = ENTRIES.map((entry) => leafHash(Buffer.from(entry, 'hex')));
    const tree = new TileTree(leaves.length, tilesOf(leaves).readTile);
    const roots = await Promise.all(ROOTS.map((_, at) => tree.root(at + 1)));
    expect(roots.map((root) => root.toString('hex'))).toEqual(ROOTS);
    expect(EMPTY_ROOT.toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('takes the proofs that a public log of 961,984,013 certificates answered', () => {
    const head = { size: ARGON.treeSize, root: base64(ARGON.root) };
    const leaf = leafHash(base64(ARGON.leafInput));
    checkInclusion(head, ARGON.leafIndex, leaf, ARGON.auditPath.map(base64));
    const older = { size: ARGON.olderSize, root: base64(ARGON.olderRoot) };
    checkConsistency(older, head, ARGON.consistency.map(base64));
    expect(() => checkInclusion(head, ARGON.leafIndex + 1, leaf, ARGON.auditPath.map(base64))).toThrow(
      FalseProofError,
    );
    expect(() =>
      checkConsistency({ ...older, size: older.size + 2 }, head, ARGON.consistency.map(base64)),
    ).toThrow(FalseProofError);
  });

  it('has, of tiles, the root and proofs of the tree written down naively, for any size', async () => {
    await fc.assert(
      fc.asyncProperty(size, size, fc.nat(), async (a, b, at) => {
        const [older, newer] = [Math.min(a, b), Math.max(a, b)];
        const leaves = LEAVES.slice(0, newer);
        const tree = new TileTree(newer, tilesOf(leaves).readTile);
        const heads = [older, newer].map((count) => ({
          size: count,
          root: naiveRoot(LEAVES.slice(0, count)),
        }));
        const [first = { size: 0, root: EMPTY_ROOT }, second = first] = heads;
        expect(await tree.root(older)).toEqual(first.root);
        expect(await tree.root(newer)).toEqual(second.root);
        const index = at % newer;
        checkInclusion(second, index, await tree.leaf(index), await tree.inclusion(index));
        checkConsistency(first, second, await tree.consistency(older));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses a proof of which any hash is another, is missing or is one too many', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), async (count, seed, broken) => {
        const tree = new TileTree(count, tilesOf(LEAVES.slice(0, count)).readTile);
        const second = { size: count, root: await tree.root(count) };
        const index = seed % count;
        const first = { size: 1 + (seed % (count - 1)), root: await tree.root(1 + (seed % (count - 1))) };
        const leaf = await tree.leaf(index);
        for (const [proof, check] of [
          [
            await tree.inclusion(index),
            (proof: readonly Buffer[]) => checkInclusion(second, index, leaf, proof),
          ],
          [
            await tree.consistency(first.size),
            (proof: readonly Buffer[]) => checkConsistency(first, second, proof),
          ],
        ] as const) {
          const other = proof.map((hash, at) => (at === broken % proof.length ? leafHash(hash) : hash));
          for (const false_ of [other, proof.slice(1), proof.slice(0, -1), [...proof, leaf]]) {
            expect(() => check(false_)).toThrow(FalseProofError);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('takes no older tree of another root, whatever its size', async () => {
    for (const size of [1, 2, 3, 100, 256, 299]) {
      const tree = new TileTree(300, tilesOf(LEAVES.slice(0, 300)).readTile);
      const second = { size: 300, root: await tree.root(300) };
      const first = { size, root: leafHash(await tree.root(size)) };
      const proof = await tree.consistency(size);
      expect(() => checkConsistency(first, second, proof)).toThrow(FalseProofError);
    }
  });

  it('reads no more than two tiles of a level for a proof', async () => {
    const { readTile, read } = tilesOf(LEAVES);
    await new TileTree(LEAVES.length, readTile).inclusion(300);
    expect(read.filter((tile) => tile.startsWith('0/')).length).toBeLessThanOrEqual(2);
    expect(new Set(read).size).toBe(read.length);
  });
});
