import { z } from 'zod';

/**
 * A user was erased, or taken in again (DESIGN 4, "Pseudonyms"). `user` is the keyed hash of the user's own id (HMAC-SHA-256,
 * hex), and all that is kept of it: it tells the same id again, to whoever has the key.
 */
export const erasureSchema = z.strictObject({
  user: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ErasureData = z.infer<typeof erasureSchema>;
