import type { Request, Response } from 'express';
import { checkAddresses } from './said-edge.js';

const ADDRESS = 'ada@b.example';

/** What the edge says of a request: the code of its refusal, `null` where it passes. */
function answerOf(inUserIds: 'taken' | 'refused', originalUrl: string, body: unknown): unknown {
  let said: unknown = null;
  checkAddresses(inUserIds)({ originalUrl, body } as Request, {} as Response, (error: unknown) => {
    said = error === undefined ? null : Reflect.get(Object(error), 'code');
  });
  return said;
}

const subject = { type: 'user', id: ADDRESS };

describe('Where user ids are kept as they are, an address of an e-mail', () => {
  it.each([
    ['of a path', `/v1/users/${encodeURIComponent(ADDRESS)}/usage/members`, { value: 1 }],
    ['of a path before a query', `/v1/users/${ADDRESS}/grants?limit=1`, undefined],
    ['of a body', '/v1/checkout/sessions', { userId: ADDRESS }],
    ['of a list', '/v1/entitlements/batch', { userIds: ['u', ADDRESS] }],
    ['of links in bulk', '/v1/ops/links', { links: [{ userId: 'u' }, { userId: ADDRESS }] }],
    ['of OFREP', '/ofrep/v1/evaluate/flags/api', { context: { targetingKey: ADDRESS } }],
    ['of AuthZEN', '/access/v1/evaluation', { subject }],
    ['of one of several evaluations', '/access/v1/evaluations', { evaluations: [{}, { subject }] }],
  ])('%s is refused as a user id with USER_ID_EMAIL=refuse, and taken otherwise', (_, url, body) => {
    expect(answerOf('refused', url, body)).toBe('invalid_user_id');
    expect(answerOf('taken', url, body)).toBeNull();
  });

  it.each(['taken', 'refused'] as const)('in a reason is refused where user ids with one are %s', (ids) => {
    expect(answerOf(ids, '/v1/users/u/grants', { reason: `as ${ADDRESS} says` })).toBe('unfit_text');
    expect(answerOf(ids, `/v1/users/u/overrides/api?reason=${ADDRESS}`, undefined)).toBe('unfit_text');
    expect(answerOf(ids, '/v1/users/u/grants', { reason: 'as u says' })).toBeNull();
  });
});
