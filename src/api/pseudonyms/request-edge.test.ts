import type { Request, Response } from 'express';
import { requireKey } from '../../auth/require-key.js';
import { RequestEdge } from './request-edge.js';

const STORED = `psn_${'0'.repeat(32)}`;

/** What the edge says of the holder of a ticket: the code of its refusal, `null` where it passes. */
async function answerOf(pairs: ReadonlyMap<string, string>): Promise<unknown> {
  const request = {
    headers: {},
    socket: {},
    originalUrl: '/ofrep/v1/event-stream?ticket=t',
  } as unknown as Request;
  const holder = { kind: 'user', actor: `user:${STORED}`, userId: STORED, expiresAt: 0 };
  await requireKey({ admit: () => holder } as never)(request, {} as Response, () => undefined);
  const pseudonyms = { userIdsOf: async () => pairs, storedOf: async () => new Map() };
  let said: unknown = null;
  await new RequestEdge(pseudonyms as never).middleware(request, {} as Response, (error: unknown) => {
    said = error === undefined ? null : Reflect.get(Object(error), 'code');
  });
  return said;
}

it('A ticket, which has the pseudonym of its user, opens nothing once that user is erased', async () => {
  expect(await answerOf(new Map([[STORED, 'ada']]))).toBeNull();
  expect(await answerOf(new Map())).toBe('user_erased');
});
