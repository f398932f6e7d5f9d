import { formatVerifierKey, type VerifierKey, verifierKey } from '../merkle/note-keys.js';

/** How long a key that has a successor still signs beside it, in milliseconds. */
const BESIDE_MS = 30 * 24 * 3_600_000;

/** A key that signs checkpoints. Times are Unix ms. */
export interface AuditKey {
  readonly id: string;
  /** 32 bytes (RFC 8032). */
  readonly publicKey: Buffer;
  readonly createdAt: number;
  /** When another took its place; `null` of the one that signs. */
  readonly retiredAt: number | null;
}

/** `signs`; or `beside` its successor, for thirty days; or `retired`: it signs no more, and what it signed still holds. */
export type AuditKeyState = 'signs' | 'beside' | 'retired';

export function stateOf({ retiredAt }: Pick<AuditKey, 'retiredAt'>, now: number): AuditKeyState {
  if (retiredAt === null) return 'signs';
  return now < retiredAt + BESIDE_MS ? 'beside' : 'retired';
}

/** When a key that has a successor signs for the last time, Unix ms. */
export function signsUntil({ retiredAt }: Pick<AuditKey, 'retiredAt'>): number | null {
  return retiredAt === null ? null : retiredAt + BESIDE_MS;
}

/** A key under the name of a tree, which signs its checkpoints twice: as the log, and as a cosigner who says the time. */
export function verifierKeysOf(
  { publicKey }: Pick<AuditKey, 'publicKey'>,
  origin: string,
): readonly [log: VerifierKey, timed: VerifierKey] {
  return [verifierKey(origin, 'ed25519', publicKey), verifierKey(origin, 'cosignature', publicKey)];
}

/** The same as verifiers are given them (C2SP signed-note). */
export function verifierTextsOf(key: Pick<AuditKey, 'publicKey'>, origin: string): readonly string[] {
  return verifierKeysOf(key, origin).map(formatVerifierKey);
}
