import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';

/** How tokens are signed: Ed25519 (RFC 8037), or ECDSA on P-256 (RFC 7518, 3.4). */
export const TOKEN_ALGORITHMS = ['EdDSA', 'ES256'] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** The most seconds that a token may live (DESIGN 14, `TOKEN_SECONDS`). */
export const MOST_TOKEN_SECONDS = 3_600;

/** A key that signs tokens. Times are Unix ms. */
export interface TokenKey {
  /** Its thumbprint (RFC 7638). */
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  /** The public half as it is published (RFC 7517). */
  readonly publicKey: JWK;
  readonly createdAt: number;
  readonly signsFrom: number;
}

/** What a key is for at some moment: it `waits` to sign, `signs`, or is `kept` until the last token it signed has ended. */
export type TokenKeyState = 'waits' | 'signs' | 'kept' | 'gone';

/** A key with its end, Unix ms: `signsUntil` is when another took its place, `null` of one that has no successor yet. */
export interface TimedTokenKey extends TokenKey {
  readonly signsUntil: number | null;
  readonly publishedUntil: number | null;
}

/**
 * How long a key may still sign once it has a successor: for an instance that has not looked since, whose clock is late, or
 * that cannot open the successor.
 */
const LATE_MS = 300_000;
/** How long a key stays published once another signs: until the last token that it may have signed has ended. */
const KEPT_MS = MOST_TOKEN_SECONDS * 1_000 + LATE_MS;

/**
 * Keys with their ends, in the order in which they sign. A successor is of the same algorithm: instances that are set to
 * different ones, as during a deployment, sign side by side.
 */
export function timed<Key extends TokenKey>(keys: readonly Key[]): readonly (Key & TimedTokenKey)[] {
  const ordered = [...keys].sort((a, b) => a.signsFrom - b.signsFrom || (a.kid < b.kid ? -1 : 1));
  return ordered.map((key, index) => {
    const next = ordered.slice(index + 1).find(({ algorithm }) => algorithm === key.algorithm);
    const signsUntil = next?.signsFrom ?? null;
    return { ...key, signsUntil, publishedUntil: signsUntil === null ? null : signsUntil + KEPT_MS };
  });
}

export function stateAt(key: TimedTokenKey, now: number): TokenKeyState {
  if (now < key.signsFrom) return 'waits';
  if (key.signsUntil === null || now < key.signsUntil) return 'signs';
  return key.publishedUntil === null || now < key.publishedUntil ? 'kept' : 'gone';
}

/** Whether what a key signs at `now` can be verified until it ends. */
export function maySign({ signsFrom, signsUntil }: TimedTokenKey, now: number): boolean {
  return now >= signsFrom && (signsUntil === null || now < signsUntil + LATE_MS);
}

/** A new pair: the public half as it is published, the private one as JSON, for nobody but `SealedSecrets`. */
export async function makePair(
  algorithm: TokenAlgorithm,
): Promise<Pick<TokenKey, 'kid' | 'publicKey'> & { readonly privateKey: string }> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const half = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(half);
  const publicKey = { ...half, kid, alg: algorithm, use: 'sig' };
  return { kid, publicKey, privateKey: JSON.stringify(await exportJWK(pair.privateKey)) };
}
