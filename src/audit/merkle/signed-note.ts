import { FalseProofError, MalformedProofError } from './errors.js';
import { isSignedBy, KEY_NAME, type VerifierKey } from './note-keys.js';

/** A signature line of a note: the key that it names, and what follows the key's id. */
export interface NoteSignature {
  readonly name: string;
  readonly id: Buffer;
  readonly signature: Buffer;
}

/** A text, ending in a newline, and who signed it (C2SP signed-note). */
export interface SignedNote {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** More signatures are refused. */
const MOST_SIGNATURES = 100;
const ID_BYTES = 4;

/** The note as it is kept and sent. */
export function formatNote({ text, signatures }: SignedNote): string {
  return `${text}\n${signatures.map(formatSignature).join('')}`;
}

/** One line, with its newline. */
export function formatSignature({ name, id, signature }: NoteSignature): string {
  return `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}

/** @throws MalformedProofError where the text is no signed note */
export function parseNote(note: string): SignedNote {
  const split = note.lastIndexOf('\n\n');
  if (split === -1 || hasControlCharacter(note)) throw new MalformedProofError('this is no signed note');
  return { text: note.slice(0, split + 1), signatures: parseSignatures(note.slice(split + 2)) };
}

/** Reads signature lines alone, as a witness answers them. @throws MalformedProofError */
export function parseSignatures(lines: string): readonly NoteSignature[] {
  if (!lines.endsWith('\n')) throw new MalformedProofError('a line of signatures ends in a newline');
  const signatures = lines.slice(0, -1).split('\n').map(parseSignature);
  if (signatures.length > MOST_SIGNATURES) throw new MalformedProofError('the note has too many signatures');
  return signatures;
}

function parseSignature(line: string): NoteSignature {
  const [dash, name = '', base64 = '', ...more] = line.split(' ');
  const bytes = Buffer.from(base64, 'base64');
  const isOne = dash === '—' && KEY_NAME.test(name) && more.length === 0 && bytes.length > ID_BYTES;
  if (!isOne || bytes.toString('base64') !== base64) {
    throw new MalformedProofError('this is no line of a signature');
  }
  return { name, id: bytes.subarray(0, ID_BYTES), signature: bytes.subarray(ID_BYTES) };
}

/** A signature that holds, with the key that made it. */
export interface HeldSignature extends NoteSignature {
  readonly key: VerifierKey;
}

/**
 * The signatures of a note that these keys made. Those of other keys are passed over.
 * @throws FalseProofError where one of a known key does not hold, or none is of a known key
 */
export function heldSignatures(note: SignedNote, keys: readonly VerifierKey[]): readonly HeldSignature[] {
  const held = note.signatures.flatMap((signature) => {
    const key = keys.find(({ name, id }) => name === signature.name && id.equals(signature.id));
    if (key === undefined) return [];
    if (!isSignedBy(key, note.text, signature.signature)) {
      throw new FalseProofError(`the signature of ${key.name} does not hold`);
    }
    return [{ ...signature, key }];
  });
  if (held.length === 0) throw new FalseProofError('the note is signed by no key that is known');
  return held;
}

/** Control characters other than the newline have no place in a note, nor does what is no Unicode. */
function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return text.includes('\uFFFD') || !text.isWellFormed();
}
