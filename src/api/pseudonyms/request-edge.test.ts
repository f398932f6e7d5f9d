import type { Request, Response } from 'express';
import { requireKey } from '../../auth/require-key.js';
import { RequestEdge } from './request-edge.js';

const STORED = `psn_${'0'.repeat(32)}`;

const OF_TICKET = { kind: 'user', actor: `user:${STORED}`, userId: STORED, expiresAt: 0 };
const OF_KEY = { kind: 'key', actor: 'key:1', scopes: new Set() };

/** What the edge says of a request of somebody, where these pairs are known: the code of its refusal, `null` where it passes. */
async function answerOf(
  principal: object,
  { method = 'GET', originalUrl }: { readonly method?: string; readonly originalUrl: string },
  pairs: ReadonlyMap<string, string>,
): Promise<unknown> {
  const request = { method, headers: {}, socket: {}, originalUrl } as unknown as Request;
  await requireKey({ admit: () => principal } as never)(request, {} as Response, () => undefined);
  const pseudonyms = {
    userIdsOf: async () => pairs,
    storedOf: async (userIds: readonly string[]) => new Map(userIds.map((userId) => [userId, STORED])),
    isUserId: () => true,
  };
  let said: unknown = null;
  await new RequestEdge(pseudonyms as never).middleware(request, {} as Response, (error: unknown) => {
    said = error === undefined ? null : Reflect.get(Object(error), 'code');
  });
  return said;
}

it('A ticket, which has the pseudonym of its user, opens nothing once that user is erased', async () => {
  const stream = { originalUrl: '/ofrep/v1/event-stream?ticket=t' };
  expect(await answerOf(OF_TICKET, stream, new Map([[STORED, 'ada']]))).toBeNull();
  expect(await answerOf(OF_TICKET, stream, new Map())).toBe('user_erased');
});

it.each([
  ['the user id of the path', 'as%20ada-42%20asked', 'unfit_text'],
  ['an address of an e-mail', 'a@b.example%20says', 'unfit_text'],
  ['neither', 'as%20promised', null],
])('A reason in the query of a request that holds %s is answered accordingly', async (_, reason, code) => {
  const originalUrl = `/v1/users/ada-42/overrides/api?reason=${reason}`;
  expect(await answerOf(OF_KEY, { method: 'DELETE', originalUrl }, new Map())).toBe(code);
});
