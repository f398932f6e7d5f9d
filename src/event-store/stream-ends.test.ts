import fc from 'fast-check';
import { sha256Hex } from '../events/canonical-json.js';
import { StreamEnds } from './stream-ends.js';

describe('Where streams end', () => {
  it('is known of each by its last event, and by no other', () => {
    const put = fc.tuple(fc.constantFrom('a', 'b', 'tenure.customer-cus_1', 'ü'), fc.nat(9), fc.nat(3));
    fc.assert(
      fc.property(fc.array(put), (puts) => {
        const [ends, last] = [new StreamEnds(4), new Map<string, { revision: number; hash: string }>()];
        for (const [stream, revision, text] of puts) {
          const end = { revision, hash: sha256Hex(`${text}`) };
          ends.put(stream, end);
          last.set(stream, end);
        }
        for (const [stream, end] of last) {
          expect(ends.isAt(stream, end)).toBe(true);
          expect(ends.isAt(stream, { ...end, revision: end.revision + 1 })).toBe(false);
          expect(ends.isAt(stream, { ...end, hash: sha256Hex('another') })).toBe(false);
          expect(ends.isAt(`${stream}x`, end)).toBe(false);
        }
      }),
    );
  });

  it('is told by every digit of the hash as it is spelled', () => {
    const anyHash = fc.stringMatching(/^[0-9a-f]{64}$/);
    fc.assert(
      fc.property(anyHash, fc.nat(63), fc.stringMatching(/^[ -~]$/), (hash, at, digit) => {
        const ends = new StreamEnds(4);
        ends.put('a', { revision: 3, hash });
        const isAt = (said: string): boolean => ends.isAt('a', { revision: 3, hash: said });
        const other = hash.slice(0, at) + digit + hash.slice(at + 1);
        expect(isAt(hash)).toBe(true);
        expect(isAt(other)).toBe(other === hash);
        expect([isAt(hash.slice(0, at)), isAt(`${hash}0`), isAt(hash.replace(/[0-9a-f]/, 'é'))]).toEqual([
          false,
          false,
          false,
        ]);
      }),
    );
  });

  it('is forgotten of some where there are more streams than room, and never told wrong', () => {
    const ends = new StreamEnds(64);
    const end = (n: number) => ({ revision: n, hash: sha256Hex(`${n}`) });
    for (let n = 0; n < 1_000; n += 1) ends.put(`stream ${n}`, end(n));
    const known = Array.from({ length: 1_000 }, (_, n) => n).filter((n) => ends.isAt(`stream ${n}`, end(n)));
    expect(known.length).toBeGreaterThan(32);
    expect(known.length).toBeLessThanOrEqual(64);
    for (const n of known) expect(ends.isAt(`stream ${n}`, end(n + 1))).toBe(false);
  });
});
