import fc from 'fast-check';
import { SeenKeys } from './seen-keys.js';

const keys = fc.constantFrom(...'abcdefgh');

describe('Seen keys', () => {
  it('are the set that a copied Set would be, also when an earlier one is extended again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), keys), { maxLength: 30 }), (steps) => {
        const made: { seen: SeenKeys; copied: ReadonlySet<string> }[] = [
          { seen: SeenKeys.none, copied: new Set() },
        ];
        for (const [which, key] of steps) {
          const from = made[which % made.length];
          if (from === undefined) throw new Error('nothing to extend');
          made.push({ seen: from.seen.with(key), copied: new Set(from.copied).add(key) });
        }
        for (const { seen, copied } of made) {
          expect(seen.size).toBe(copied.size);
          for (const key of 'abcdefgh') expect(seen.has(key)).toBe(copied.has(key));
        }
      }),
    );
  });
});
