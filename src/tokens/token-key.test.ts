import { maySign, stateAt, type TimedTokenKey, type TokenAlgorithm, timed } from './token-key.js';

const MINUTE = 60_000;

function key(kid: string, signsFrom: number, algorithm: TokenAlgorithm = 'EdDSA') {
  return { kid, algorithm, publicKey: { kty: 'OKP' }, createdAt: signsFrom, signsFrom };
}

function statesAt(keys: readonly TimedTokenKey[], minute: number): Readonly<Record<string, string>> {
  return Object.fromEntries(keys.map((each) => [each.kid, stateAt(each, minute * MINUTE)]));
}

describe('The keys of entitlement tokens', () => {
  const keys = timed([key('new', 10 * MINUTE), key('old', 0)]);

  it('sign one after the other, and one that has signed is kept until its last token has ended', () => {
    expect(statesAt(keys, 9)).toEqual({ old: 'signs', new: 'waits' });
    expect(statesAt(keys, 10)).toEqual({ old: 'kept', new: 'signs' });
    expect(statesAt(keys, 74)).toEqual({ old: 'kept', new: 'signs' });
    expect(statesAt(keys, 75)).toEqual({ old: 'gone', new: 'signs' });
  });

  it('sign for as long as the longest token that they sign then is still published', () => {
    const [old] = keys;
    const lastSigned = Array.from({ length: 80 }, (_, minute) => minute)
      .filter((minute) => old !== undefined && maySign(old, minute * MINUTE))
      .at(-1);
    expect(lastSigned).toBe(14);
    expect(old?.publishedUntil).toBe((15 + 60) * MINUTE);
  });

  it('of another algorithm have no successor in it: instances of both sign side by side', () => {
    const both = timed([key('a', 0), key('b', MINUTE, 'ES256')]);
    expect(statesAt(both, 10_000)).toEqual({ a: 'signs', b: 'signs' });
  });
});
