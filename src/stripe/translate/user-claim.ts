import { type ClaimReading, isUserId } from '../../events/user-id.js';
import { field, type JsonObject } from './read-json.js';

/** The value as a claim: a valid user id that fits the pattern, else `null` (DESIGN 6). */
export function claimOf(value: unknown, { userIdPattern }: ClaimReading): string | null {
  return isUserId(value) && (userIdPattern === null || userIdPattern.test(value)) ? value : null;
}

/** The claim in the metadata of a Stripe object. */
export function claimInMetadata(value: JsonObject, claims: ClaimReading): string | null {
  return claimOf(field(value, 'metadata', claims.userIdMetadataKey), claims);
}
