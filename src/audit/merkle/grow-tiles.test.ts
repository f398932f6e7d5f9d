import fc from 'fast-check';
import { edgeOf, growTiles } from './grow-tiles.js';
import { TileTree } from './tile-tree.js';
import { TILE_WIDTH } from './tiles.js';
import { leafHash, nodeHash, splitOf } from './tree-hash.js';

const LEAVES = Array.from({ length: 66_100 }, (_, at) => leafHash(Buffer.from(`${at}`)));

function naiveRoot(from: number, to: number): Buffer {
  if (to - from === 1) return LEAVES[from] ?? Buffer.of();
  const middle = from + splitOf(to - from);
  return nodeHash(naiveRoot(from, middle), naiveRoot(middle, to));
}

/** Grows a tree in steps, out of its edge alone, and counts what is written. */
class Grown {
  readonly tiles = new Map<string, Buffer>();
  size = 0;
  rewritten = 0;

  add(count: number): void {
    const edge = new Map(edgeOf(this.size).map(({ level, index }) => [level, this.tile(level, index)]));
    for (const { level, index, hashes } of growTiles(
      this.size,
      edge,
      LEAVES.slice(this.size, this.size + count),
    )) {
      const before = this.tiles.get(`${level}/${index}`);
      if (before !== undefined) this.rewritten += 1;
      if (before !== undefined) expect(hashes.subarray(0, before.length)).toEqual(before);
      this.tiles.set(`${level}/${index}`, hashes);
    }
    this.size += count;
  }

  tile(level: number, index: number): Buffer {
    return this.tiles.get(`${level}/${index}`) ?? Buffer.of();
  }

  root(size: number): Promise<Buffer> {
    return new TileTree(this.size, async ({ level, index }) => this.tile(level, index)).root(size);
  }
}

describe('Tiles of a tree that grows', () => {
  it('are those of the whole tree, whatever the steps, and only ever longer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
        async (steps) => {
          const grown = new Grown();
          for (const step of steps) grown.add(step);
          expect(await grown.root(grown.size)).toEqual(naiveRoot(0, grown.size));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('reach over three levels, and a step writes what is new and one tile of each level', async () => {
    const grown = new Grown();
    grown.add(65_500);
    grown.add(600);
    expect(grown.rewritten).toBe(2);
    expect([0, 1, 2, 3].map((level) => grown.tile(level, 0).length / 32)).toEqual([256, 256, 1, 0]);
    expect(await grown.root(66_100)).toEqual(naiveRoot(0, 66_100));
    expect(await grown.root(65_500)).toEqual(naiveRoot(0, 65_500));
  });

  it('that are not as wide as the tree makes them are refused', () => {
    expect(() => growTiles(3, new Map(), LEAVES.slice(0, 1))).toThrow('not as wide');
    expect(() => growTiles(TILE_WIDTH, new Map([[0, Buffer.alloc(32)]]), LEAVES.slice(0, 1))).toThrow(
      'not as wide',
    );
  });
});
