import { ProblemError } from '../problem.js';
import { canonicalPath, idempotencyKeyOf, stableId } from './request-key.js';

const asked = { caller: 'key:key_1', path: '/v1/users/u/grants', key: 'k' };

describe('The id of what a request makes', () => {
  it('is the same for every repeat, and as it was written down here', () => {
    expect(stableId(asked)).toBe(stableId({ ...asked }));
    expect(stableId(asked)).toBe('fc3cfac7-7e23-5017-b1c1-7a3043228e6e');
  });

  it.each([
    ['another caller', { ...asked, caller: 'key:key_2' }],
    ['another path', { ...asked, path: '/v1/users/v/grants' }],
    ['another key', { ...asked, key: 'l' }],
    ['the same letters parted otherwise', { ...asked, caller: 'key:key_', path: '1/v1/users/u/grants' }],
  ])('is another one for %s', (_, other) => {
    expect(stableId(other)).not.toBe(stableId(asked));
  });

  it('is its own without a key', () => {
    const keyless = { ...asked, key: null };
    expect(stableId(keyless)).not.toBe(stableId(keyless));
  });
});

describe('An Idempotency-Key', () => {
  it.each(['k', '"8e03978e-40d5-43dd-bc93-6894a57f9324"', 'x'.repeat(255)])('is %s as it came', (key) => {
    expect(idempotencyKeyOf({ headers: { 'idempotency-key': key } })).toBe(key);
  });

  it('may be left out', () => {
    expect(idempotencyKeyOf({ headers: {} })).toBeNull();
  });

  it.each(['', 'a b', 'one, two', 'x'.repeat(256), 'é'])('is not %j', (key) => {
    expect(() => idempotencyKeyOf({ headers: { 'idempotency-key': key } })).toThrow(ProblemError);
  });
});

describe('The canonical path of a request', () => {
  it('has what its parameters say, in one spelling', () => {
    const request = { route: { path: '/v1/users/:userId/grants' }, params: { userId: 'a/b é' } };
    expect(canonicalPath(request)).toBe('/v1/users/a%2Fb%20%C3%A9/grants');
  });
});
