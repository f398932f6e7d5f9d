import { z } from 'zod';

const next = z.string().nullable();

export const erasedClaimsResponse = z.strictObject({
  items: z.array(
    z.strictObject({ object: z.string(), times: z.number(), firstAt: z.string(), lastAt: z.string() }),
  ),
  next,
});

export const missingPseudonymsResponse = z.strictObject({
  items: z.array(z.strictObject({ pseudonym: z.string() })),
  next,
});
