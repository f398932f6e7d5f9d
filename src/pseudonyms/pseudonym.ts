import { randomBytes } from 'node:crypto';
import { PSEUDONYM } from '../events/user-id.js';

/** Bytes of chance in a pseudonym: two never meet. */
const BYTES = 16;

/** What stands for an id that was erased, as a whole. */
const WHOLE_ERASED = /^psx_[0-9a-f]{32}$/;

/** Pseudonyms, and what stands for erased ids, wherever they are in a text. */
export function storedIdsIn(text: string): readonly string[] {
  return text.match(/ps[nx]_[0-9a-f]{32}/g) ?? [];
}

/** Replaces each of them, by `of`; what it answers `undefined` for stays. */
export function replaceStoredIds(text: string, of: (stored: string) => string | undefined): string {
  return text.replace(/ps[nx]_[0-9a-f]{32}/g, (stored) => of(stored) ?? stored);
}

/** A pseudonym that nobody has. */
export function newPseudonym(): string {
  return `psn_${randomBytes(BYTES).toString('hex')}`;
}

export function isPseudonym(text: string): boolean {
  return PSEUDONYM.test(text);
}

/**
 * What stands for an erased id inside a request, so that each entry of a batch can say so. It is made of the keyed hash of
 * the id, is never stored, and is nobody's user.
 */
export function erasedMarkOf(hash: string): string {
  return `psx_${hash.slice(0, 2 * BYTES)}`;
}

/** Whether this stands for an id that was erased. */
export function isErasedMark(text: string): boolean {
  return WHOLE_ERASED.test(text);
}
