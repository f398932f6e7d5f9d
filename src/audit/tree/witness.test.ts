import { generateKeyPairSync } from 'node:crypto';
import { TestWitness } from '../../../test/support/test-witness.js';
import { checkpointText } from '../merkle/checkpoint.js';
import { growTiles } from '../merkle/grow-tiles.js';
import { leafOf } from '../merkle/leaf.js';
import { isSignedBy, publicBytesOf, signText, verifierKey } from '../merkle/note-keys.js';
import { formatNote, parseNote } from '../merkle/signed-note.js';
import { TileTree } from '../merkle/tile-tree.js';
import { cosignatureOf, parseWitness } from './witness.js';

const log = generateKeyPairSync('ed25519').privateKey;
const logKey = verifierKey('example.com/log', 'ed25519', publicBytesOf(log));

const LEAVES = Array.from({ length: 700 }, (_, at) =>
  leafOf(at, { id: '9dddd3f5-9d66-4c3b-a780-ff1065c30129', hash: `${at}`.padStart(64, '0') }),
);

function treeOf(size: number): TileTree {
  const tiles = growTiles(0, new Map(), LEAVES.slice(0, size));
  return new TileTree(size, async ({ level, index }) => {
    const tile = tiles.find((each) => each.level === level && each.index === index);
    return tile?.hashes ?? Buffer.of();
  });
}

async function noteOf(tree: TileTree): Promise<string> {
  const text = checkpointText({ origin: logKey.name, size: tree.size, root: await tree.root(tree.size) });
  const { name, id } = logKey;
  return formatNote({ text, signatures: [{ name, id, signature: signText(text, log) }] });
}

describe('A witness of checkpoints', () => {
  let witness: TestWitness;
  beforeAll(async () => {
    witness = await TestWitness.start();
  });
  afterAll(() => witness.close());

  const ours = () => parseWitness(witness.setting);

  it('signs the first that it sees, later ones by a proof from what it knows, and the same again', async () => {
    for (const size of [3, 256, 257, 700, 700]) {
      const tree = treeOf(size);
      const note = await noteOf(tree);
      const { signature } = await cosignatureOf(ours(), note, tree);
      expect(isSignedBy(witness.key, parseNote(note).text, signature)).toBe(true);
      expect(witness.known.size).toBe(size);
    }
  });

  it('that knows another log of that size disagrees', async () => {
    const tree = treeOf(700);
    witness.known = { size: 699, root: leafOf(0, { id: '', hash: '' }) };
    const note = await noteOf(tree);
    await expect(cosignatureOf(ours(), note, tree)).rejects.toMatchObject({
      code: 'audit_witness_disagrees',
    });
    witness.known = { size: 700, root: await tree.root(700) };
  });

  it('that knows more than the log has, signs with another key or is not there says nothing', async () => {
    const tree = treeOf(699);
    const note = await noteOf(tree);
    await expect(cosignatureOf(ours(), note, tree)).rejects.toMatchObject({
      code: 'audit_witness_disagrees',
    });
    witness.signs = log;
    const whole = treeOf(700);
    await expect(cosignatureOf(ours(), await noteOf(whole), whole)).rejects.toMatchObject({
      code: 'false_proof',
    });
    const nobody = { ...ours(), url: 'http://127.0.0.1:1' };
    await expect(cosignatureOf(nobody, note, tree)).rejects.toMatchObject({
      code: 'audit_witness_unavailable',
    });
  });
});
