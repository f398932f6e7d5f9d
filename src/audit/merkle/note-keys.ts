import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { MalformedProofError } from './errors.js';

/**
 * What a key signs (C2SP signed-note, "Signature types"): `ed25519` the text of a note; `cosignature` a time and the text
 * (C2SP tlog-cosignature, "Ed25519 signed message").
 */
export type NoteKeyKind = 'ed25519' | 'cosignature';

const TYPE_BYTE: Readonly<Record<NoteKeyKind, number>> = { ed25519: 1, cosignature: 4 };

/** A key that signatures of notes are checked with. */
export interface VerifierKey {
  readonly name: string;
  readonly kind: NoteKeyKind;
  /** Four bytes that, with the name, say which key signed. */
  readonly id: Buffer;
  /** 32 bytes (RFC 8032). */
  readonly publicKey: Buffer;
}

/** The name must be free of spaces and plus signs, as C2SP signed-note has it. */
export const KEY_NAME = /^[^\s+\p{Z}\p{Cc}]+$/u;

const KEY_BYTES = 32;
const TIME_BYTES = 8;
/** What stands before a seed in PKCS #8, and before a public key in SPKI (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** @throws MalformedProofError where the name or the key cannot be one */
export function verifierKey(name: string, kind: NoteKeyKind, publicKey: Buffer): VerifierKey {
  if (!KEY_NAME.test(name)) throw new MalformedProofError('a key has a name without spaces and plus signs');
  if (publicKey.length !== KEY_BYTES) throw new MalformedProofError('an Ed25519 key has 32 bytes');
  const typed = Buffer.concat([Buffer.of(TYPE_BYTE[kind]), publicKey]);
  const id = createHash('sha256').update(`${name}\n`).update(typed).digest().subarray(0, 4);
  return { name, kind, id, publicKey };
}

/** A key in the form that verifiers of notes read: `{name}+{id}+{type and key}` (C2SP signed-note, "Verifier keys"). */
export function formatVerifierKey({ name, kind, id, publicKey }: VerifierKey): string {
  const typed = Buffer.concat([Buffer.of(TYPE_BYTE[kind]), publicKey]);
  return `${name}+${id.toString('hex')}+${typed.toString('base64')}`;
}

/** @throws MalformedProofError where the text is no verifier key of a kind that is known */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name = '', id, base64 = ''] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  const typed = Buffer.from(base64, 'base64');
  const kind = typed[0] === TYPE_BYTE.ed25519 ? 'ed25519' : 'cosignature';
  if (typed[0] !== TYPE_BYTE[kind]) throw new MalformedProofError('this is no verifier key of a known kind');
  const key = verifierKey(name, kind, typed.subarray(1));
  if (key.id.toString('hex') !== id || formatVerifierKey(key) !== text) {
    throw new MalformedProofError('the verifier key does not have the id that it says');
  }
  return key;
}

/** The private half of an Ed25519 key, of its seed of 32 bytes (RFC 8032). */
export function privateKeyOf(seed: Buffer): KeyObject {
  if (seed.length !== KEY_BYTES) throw new MalformedProofError('the seed of an Ed25519 key has 32 bytes');
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

/** The 32 bytes of the public half. */
export function publicBytesOf(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

/** Signs the text of a note; the signature as a line of the note has it, without the key's id. */
export function signText(text: string, privateKey: KeyObject): Buffer {
  return sign(null, Buffer.from(text), privateKey);
}

/** Signs that a text was seen at a time (Unix seconds), in the form of a cosignature. */
export function cosignText(text: string, privateKey: KeyObject, time: number): Buffer {
  const stamp = Buffer.alloc(TIME_BYTES);
  stamp.writeBigUInt64BE(BigInt(time));
  return Buffer.concat([stamp, sign(null, Buffer.from(cosigned(text, BigInt(time))), privateKey)]);
}

/** Whether a signature (without the key's id) is one of this key over this text. */
export function isSignedBy(key: VerifierKey, text: string, signature: Buffer): boolean {
  const publicKey = createPublicKey({
    key: Buffer.concat([SPKI_PREFIX, key.publicKey]),
    format: 'der',
    type: 'spki',
  });
  if (key.kind === 'ed25519') return verify(null, Buffer.from(text), publicKey, signature);
  if (signature.length <= TIME_BYTES) return false;
  const message = cosigned(text, signature.readBigUInt64BE());
  return verify(null, Buffer.from(message), publicKey, signature.subarray(TIME_BYTES));
}

/** When a cosignature says that it was made, Unix seconds. */
export function timeOfCosignature(signature: Buffer): number {
  return Number(signature.readBigUInt64BE());
}

function cosigned(text: string, time: bigint): string {
  return `cosignature/v1\ntime ${time}\n${text}`;
}
