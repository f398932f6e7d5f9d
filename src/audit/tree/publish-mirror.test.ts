import { type MirrorFate, TestMirror } from '../../../test/support/test-mirror.js';
import { checkpointText } from '../merkle/checkpoint.js';
import { growTiles } from '../merkle/grow-tiles.js';
import { bundleOf, type EventMark, entryOf, leafOf } from '../merkle/leaf.js';
import { RunningTree } from '../merkle/running-tree.js';
import { TILE_WIDTH } from '../merkle/tiles.js';
import { openMirror } from './mirror.js';
import { publishTo } from './publish-mirror.js';
import { TreeCopy } from './tree-copy.js';

const MARKS = Array.from(
  { length: 700 },
  (_, at): EventMark => ({
    id: `9dddd3f5-9d66-4c3b-a780-${`${at}`.padStart(12, '0')}`,
    hash: `${at}`.padStart(64, '0'),
  }),
);

/** The tree of these marks, as a service publishes it. */
function published(marks: readonly EventMark[]): Parameters<typeof publishTo>[1] {
  const leaves = marks.map((mark, at) => leafOf(at, mark));
  const tiles = growTiles(0, new Map(), leaves);
  const tree = new RunningTree();
  for (const leaf of leaves) tree.add(leaf);
  const text = checkpointText({ origin: 'example.com/log', size: tree.size, root: tree.root() });
  const note = `${text}\n— example.com/log ${Buffer.alloc(68).toString('base64')}\n`;
  return {
    checkpoint: async () => note,
    tile: async (_, { level, index, width }) => {
      const from = index * TILE_WIDTH;
      if (level === 'entries') {
        return bundleOf(marks.slice(from, from + width).map((mark, at) => entryOf(from + at, mark)));
      }
      return tiles.find((tile) => tile.level === level && tile.index === index)?.hashes ?? null;
    },
  };
}

describe('A mirror that takes PUT', () => {
  let place: TestMirror;
  beforeEach(async () => {
    place = await TestMirror.start();
  });
  afterEach(() => place.close());

  const publish = (events: number) =>
    publishTo(openMirror(`${place.url}/`), published(MARKS.slice(0, events)), 1);
  const copy = () => TreeCopy.open(openMirror(place.url));

  it('is brought level with a tree that grows, full tiles once, and read back whole', async () => {
    await publish(300);
    await publish(700);
    const read = await copy();
    expect(read?.size).toBe(700);
    for (const index of [0, 255, 256, 511, 512, 699]) expect(await read?.mark(index)).toEqual(MARKS[index]);
    const times = (path: string) => place.asked.filter((asked) => asked === `PUT /${path}`).length;
    expect([times('tile/0/000'), times('tile/entries/000'), times('tile/0/001')]).toEqual([1, 1, 1]);
    expect(await publish(700)).toBe(0);
  });

  it.each<MirrorFate>(['refused', 'cut before', 'cut after'])(
    'of which any one request is %s says at no time more than it has, and is brought level by the next round',
    async (fate) => {
      await publish(300);
      const [files, began] = [new Map(place.files), place.asked.length];
      await publish(700);
      const whole = new Map(place.files);
      const requests = place.asked.length - began;
      expect(requests).toBeGreaterThan(6);
      for (let failing = 0; failing < requests; failing += 1) {
        place.files.clear();
        for (const [path, bytes] of files) place.files.set(path, bytes);
        place.fate = (before) => (before === first + failing ? fate : 'done');
        const first = place.asked.length;
        await expect(publish(700)).rejects.toMatchObject({ code: 'audit_mirror_unavailable' });
        place.fate = () => 'done';
        expect([300, 700]).toContain((await copy())?.size);
        await publish(700);
        const missing = [...whole].filter(([path, bytes]) => !place.files.get(path)?.equals(bytes));
        expect(missing).toEqual([]);
      }
    },
  );

  it('of another tree is left as it is, but for one to which another instance has copied more meanwhile', async () => {
    await publish(700);
    const before = new Map(place.files);
    await expect(publish(300)).rejects.toMatchObject({ code: 'audit_mirror_disagrees' });
    const others = published(MARKS.toReversed());
    await expect(publishTo(openMirror(place.url), others, 1)).rejects.toMatchObject({
      code: 'audit_mirror_disagrees',
    });
    expect(place.files).toEqual(before);
    const notes = [300, 700].map((events) => published(MARKS.slice(0, events)).checkpoint(1));
    const later = { ...published(MARKS), checkpoint: async () => (await notes.shift()) ?? last };
    const last = await published(MARKS).checkpoint(1);
    expect(await publishTo(openMirror(place.url), later, 1)).toBe(0);
  });
});
