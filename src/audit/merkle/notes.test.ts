import { generateKeyPairSync, sign } from 'node:crypto';
import { checkpointText, parseCheckpointText } from './checkpoint.js';
import { FalseProofError, MalformedProofError } from './errors.js';
import { bundleOf, entryOf, leafOf, packMark, unpackMarks } from './leaf.js';
import {
  cosignText,
  formatVerifierKey,
  isSignedBy,
  parseVerifierKey,
  privateKeyOf,
  publicBytesOf,
  signText,
  timeOfCosignature,
  verifierKey,
} from './note-keys.js';
import { formatNote, heldSignatures, parseNote } from './signed-note.js';
import { checkTlogProof, formatTlogProof, parseTlogProof } from './tlog-proof.js';
import { leafHash, nodeHash } from './tree-hash.js';

/** Keys, text and note of the tests of golang.org/x/mod/sumdb/note. */
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const ENOCH = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop';
const PETERS_SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETERS_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCHS_LINE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';

/** The example of C2SP tlog-checkpoint and tlog-cosignature. */
const CHECKPOINT = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

const ID = '9dddd3f5-9d66-4c3b-a780-ff1065c30129';
const { privateKey } = generateKeyPairSync('ed25519');
const key = verifierKey('example.com/log', 'ed25519', publicBytesOf(privateKey));

describe('Signed notes', () => {
  it('are, byte for byte, those of Go’s package note', () => {
    const peter = parseVerifierKey(PETER);
    const seed = privateKeyOf(PETERS_SEED);
    expect(formatVerifierKey(verifierKey('PeterNeumann', 'ed25519', publicBytesOf(seed)))).toBe(PETER);
    const signed = formatNote({
      text: TEXT,
      signatures: [{ name: peter.name, id: peter.id, signature: signText(TEXT, seed) }],
    });
    expect(signed).toBe(`${TEXT}\n${PETERS_LINE}`);
  });

  it('hold by the keys that are known, and pass the others over', () => {
    const note = parseNote(`${TEXT}\n${PETERS_LINE}${ENOCHS_LINE}`);
    const [peter, enoch] = [parseVerifierKey(PETER), parseVerifierKey(ENOCH)];
    expect(heldSignatures(note, [enoch]).map(({ name }) => name)).toEqual(['EnochRoot']);
    expect(heldSignatures(note, [peter, enoch])).toHaveLength(2);
    expect(() => heldSignatures(note, [])).toThrow(FalseProofError);
    const other = parseNote(`${TEXT.replace('answer', 'Answer')}\n${PETERS_LINE}`);
    expect(() => heldSignatures(other, [peter])).toThrow(FalseProofError);
  });

  it.each([
    ['no signature', TEXT],
    ['an empty line and no signature', `${TEXT}\n`],
    ['no last newline', `${TEXT}\n${PETERS_LINE.slice(0, -1)}`],
    ['a control character', `\x01${TEXT}\n${PETERS_LINE}`],
    ['what is no UTF-8', `\uFFFD${TEXT}\n${PETERS_LINE}`],
    ['a name with a space', `${TEXT}\n${PETERS_LINE.replace('PeterNeumann', 'Bad Name')}`],
    ['another line', `${TEXT}\n${PETERS_LINE}Unexpected line.\n`],
    ['more signatures than anyone needs', `${TEXT}\n${PETERS_LINE.repeat(101)}`],
  ])('are refused with %s', (_, note) => {
    expect(() => parseNote(note)).toThrow(MalformedProofError);
  });

  it('are checked with verifier keys that are whole and say their own id', () => {
    for (let at = 1; at < PETER.length; at += 1) {
      expect(() => parseVerifierKey(PETER.slice(0, at))).toThrow(MalformedProofError);
      expect(() => parseVerifierKey(`${PETER.slice(0, at)}!${PETER.slice(at + 1)}`)).toThrow(
        MalformedProofError,
      );
    }
    const unknown = 'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    expect(() => parseVerifierKey(unknown)).toThrow(MalformedProofError);
  });
});

describe('Cosignatures', () => {
  it('sign the time and the text, in the form of C2SP tlog-cosignature', () => {
    const text = checkpointText({ origin: 'example.com/log', size: 3, root: leafHash(Buffer.of()) });
    const cosigner = verifierKey('example.com/log', 'cosignature', key.publicKey);
    const signature = cosignText(text, privateKey, 1_679_315_147);
    expect(timeOfCosignature(signature)).toBe(1_679_315_147);
    const message = Buffer.from(`cosignature/v1\ntime 1679315147\n${text}`);
    expect(signature.subarray(8)).toEqual(sign(null, message, privateKey));
    expect(isSignedBy(cosigner, text, signature)).toBe(true);
    signature[7] = 0;
    expect(isSignedBy(cosigner, text, signature)).toBe(false);
    expect(isSignedBy(cosigner, text, Buffer.alloc(3))).toBe(false);
  });

  it('have the keys and say the times that witnesses in use have', () => {
    const remora = parseVerifierKey('remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2');
    expect(remora.kind).toBe('cosignature');
    const line =
      '— remora.n621.de ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gxEHWWOworDcFiEBYJXORmnFBOBA==\n';
    const [signature] = parseNote(`text\n\n${line}`).signatures;
    expect(timeOfCosignature(signature?.signature ?? Buffer.alloc(8))).toBe(1_727_964_367);
  });
});

describe('Checkpoints', () => {
  it('are read as the example of C2SP tlog-checkpoint, and written the same', () => {
    const note = parseNote(CHECKPOINT);
    const checkpoint = parseCheckpointText(note.text);
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    expect(formatNote({ text: checkpointText(checkpoint), signatures: note.signatures })).toBe(CHECKPOINT);
    const witness = note.signatures[1]?.signature ?? Buffer.alloc(8);
    expect(timeOfCosignature(witness)).toBe(1_679_315_147);
    expect(parseCheckpointText(`${note.text}an extension\n`)).toEqual(checkpoint);
  });

  it.each([
    ['no origin', '\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'],
    ['a size with a zero before it', 'a\n03\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'],
    ['a size in hexadecimal', 'a\n0x3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'],
    ['a root that is too long', 'a\n3\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBTOOBIG=\n'],
    ['no last newline', 'a\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='],
    ['an empty extension', 'a\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n'],
  ])('are refused with %s', (_, text) => {
    expect(() => parseCheckpointText(text)).toThrow(MalformedProofError);
  });
});

describe('Proofs in the form of C2SP tlog-proof', () => {
  const leaves = [0, 1].map((index) => leafOf(index, { id: ID, hash: 'ab'.repeat(32) }));
  const [left = Buffer.of(), right = Buffer.of()] = leaves;
  const text = checkpointText({ origin: key.name, size: 2, root: nodeHash(left, right) });
  const checkpoint = formatNote({
    text,
    signatures: [{ name: key.name, id: key.id, signature: signText(text, privateKey) }],
  });
  const proof = formatTlogProof({ index: 1, hashes: [left], checkpoint });

  it('are written as the specification has them, and hold', () => {
    expect(proof).toBe(
      `c2sp.org/tlog-proof@v1\nindex 1\n${left.toString('base64')}\n\n${text}\n${checkpoint.slice(text.length + 1)}`,
    );
    const proven = checkTlogProof(parseTlogProof(proof), right, [key]);
    expect(proven.checkpoint).toMatchObject({ origin: 'example.com/log', size: 2 });
    const extra = proof.replace('\nindex', '\nextra YWdl\nindex');
    expect(parseTlogProof(extra)).toEqual(parseTlogProof(proof));
  });

  it('hold of no other leaf, index or key', () => {
    expect(() => checkTlogProof(parseTlogProof(proof), left, [key])).toThrow(FalseProofError);
    const moved = proof.replace('index 1', 'index 0');
    expect(() => checkTlogProof(parseTlogProof(moved), right, [key])).toThrow(FalseProofError);
    expect(() => checkTlogProof(parseTlogProof(proof), right, [parseVerifierKey(PETER)])).toThrow(
      FalseProofError,
    );
  });

  it.each([
    ['another header', (text: string) => text.replace('@v1', '@v2')],
    ['no index', (text: string) => text.replace('index 1\n', '')],
    ['no checkpoint', (text: string) => text.slice(0, text.indexOf('\n\n'))],
    ['a hash that is none', (text: string) => text.replace('=\n\n', '\n\n')],
  ])('are refused with %s', (_, broken) => {
    expect(() => parseTlogProof(broken(proof))).toThrow(MalformedProofError);
  });
});

describe('The leaf of an event', () => {
  it('is of its index, its id and its own hash, in the form of docs/AUDIT.md', () => {
    const hash = '0123456789abcdef'.repeat(4);
    const entry = `tenure-event/v1\n41\n${ID}\n${hash}\n`;
    const mark = { id: ID, hash };
    expect(entryOf(41, mark).toString()).toBe(entry);
    expect(leafOf(41, mark)).toEqual(leafHash(Buffer.from(entry)));
    expect(leafOf(42, mark)).not.toEqual(leafOf(41, mark));
    const bundle = bundleOf([entryOf(41, mark), entryOf(100, mark)]);
    expect(bundle.toString('latin1')).toBe(`\x00\x79${entry}\x00\x7a${entry.replace('41', '100')}`);
    expect(unpackMarks(Buffer.concat([packMark(mark), packMark(mark)]))).toEqual([mark, mark]);
  });
});
