import { z } from 'zod';
import { pageParameters, textParameter } from '../../http/validation.js';

/** Lines of the revocation feed, in order. */
export const revocationsResponse = z.strictObject({
  revocations: z.array(
    z.strictObject({
      kind: z.literal('user').describe('a reader refuses what is of a kind it does not know'),
      id: z.string(),
      version: z.number().int().describe('tokens of this user with a lower `ver` count no longer'),
      cursor: z.string(),
    }),
  ),
  cursor: z.string().describe('`after` of the next page'),
  hasMore: z.boolean().describe('whether that has lines already'),
});

const after = textParameter('after', 'a `cursor` of the feed');
export const revocationsQuery = z.strictObject({ after, limit: pageParameters.limit });
export type RevocationsQuery = z.infer<typeof revocationsQuery>;
export const revocationStreamQuery = z.strictObject({ after });
export type RevocationStreamQuery = z.infer<typeof revocationStreamQuery>;

const LINE = { kind: 'user', id: 'user_42', version: 4, cursor: '5f2b8c1e9a7d4036.1843' } as const;
export const REVOCATIONS_EXAMPLES = {
  Revocations: { revocations: [LINE], cursor: LINE.cursor, hasMore: false },
};
export const REVOCATION_STREAM_EXAMPLE =
  `event: revocation\nid: ${LINE.cursor}\ndata: ${JSON.stringify(LINE)}\n\n` +
  `event: heartbeat\nid: ${LINE.cursor}\ndata: ${JSON.stringify({ cursor: LINE.cursor })}\n\n`;
