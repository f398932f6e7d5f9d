/** Longest user id, in UTF-16 code units. */
export const USER_ID_MAX_LENGTH = 255;

/** C0, DEL and C1 (general category Cc), and lone surrogates: with the `u` flag a proper pair does not match. */
const FORBIDDEN_IN_USER_ID = /[\p{Cc}\p{Surrogate}]/u;

/**
 * Says whether `value` is a user id (DESIGN 3): a string of 1 to 255 UTF-16 code units, well-formed, with no control
 * character. Taken exactly as it is: white space counts, nothing is trimmed or folded.
 */
export function isUserId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= USER_ID_MAX_LENGTH &&
    !FORBIDDEN_IN_USER_ID.test(value)
  );
}

/** A pseudonym as a whole: all that is a claim where user ids are kept as pseudonyms (DESIGN 4). */
export const PSEUDONYM = /^psn_[0-9a-f]{32}$/;

/** How the user ids of a log are kept: as they come, or as pseudonyms (DESIGN 4). */
export type KeptUserIds = 'as_they_are' | 'pseudonyms';

/** Texts that look like the address of an e-mail, somewhere in them. */
const ADDRESS = /[^\s@<>"',;:]+@[^\s@<>"',;:]+\.[\p{L}\p{N}-]{2,}/u;

/** Whether a text holds what looks like the address of an e-mail. */
export function holdsAddress(text: string): boolean {
  return text.includes('@') && ADDRESS.test(text);
}

/** A pattern that also refuses what holds such an address; `pattern` left out: anything else is taken. */
export function withoutAddresses(pattern: RegExp | undefined): RegExp {
  return new RegExp(`^(?![^]*(?:${ADDRESS.source}))(?:${pattern?.source ?? '[^]*'})$`, 'u');
}

/** A pattern that also refuses what looks like a pseudonym, or like what stands for an erased id. */
export function withoutPseudonyms(pattern: RegExp | null): RegExp {
  return new RegExp(`^(?!ps[nx]_[0-9a-f]{32}$)(?:${pattern?.source ?? '[^]*'})$`, 'u');
}

/** How claims are read: the metadata key that carries our user id, and what an id must match as a whole (`null`: anything). */
export interface ClaimReading {
  readonly userIdMetadataKey: string;
  readonly userIdPattern: RegExp | null;
}

/** The value as a claim: a valid user id that fits the pattern, else `null` (DESIGN 6). */
export function claimOf(value: unknown, { userIdPattern }: ClaimReading): string | null {
  return isUserId(value) && (userIdPattern === null || userIdPattern.test(value)) ? value : null;
}
