import { z } from 'zod';

const next = z.string().nullable();
/** How user ids are kept here; where they are kept as they are, nothing is ever listed. */
const userIds = z.enum(['pseudonyms', 'as_they_are']);

export const erasedClaimsResponse = z.strictObject({
  items: z.array(
    z.strictObject({ object: z.string(), times: z.number(), firstAt: z.string(), lastAt: z.string() }),
  ),
  next,
  userIds,
});

export const missingPseudonymsResponse = z.strictObject({
  items: z.array(z.strictObject({ pseudonym: z.string() })),
  next,
  userIds,
});
