import fc from 'fast-check';
import { RevocationMemory } from './revocation-memory.js';

const HOUR_MS = 3_600_000;
const at = (steady: number) => ({ wall: 1_700_000_000_000 + steady, steady });
const user = (id: string, version: number) => ({ kind: 'user', id, version });

describe('What a guard keeps of revocations', () => {
  it('is the greatest version of each user, in whatever order and however often lines come', () => {
    const line = fc.record({ id: fc.constantFrom('a', 'b', 'c'), version: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const memory = new RevocationMemory(at(0));
        memory.take(
          lines.map(({ id, version }) => user(id, version)),
          at(1),
        );
        for (const id of ['a', 'b', 'c']) {
          const versions = lines.filter((each) => each.id === id).map(({ version }) => version);
          expect(memory.leastVersionOf(id)).toBe(Math.max(0, ...versions));
        }
      }),
    );
  });

  it('outlasts every token, and is then forgotten', () => {
    const memory = new RevocationMemory(at(0));
    memory.take([user('a', 4)], at(0));
    memory.take([user('b', 1)], at(2 * HOUR_MS));
    expect(memory.leastVersionOf('a')).toBe(4);
    memory.take([user('b', 2)], at(4 * HOUR_MS));
    expect(memory.leastVersionOf('a')).toBe(0);
    expect(memory.leastVersionOf('b')).toBe(2);
  });

  it('is never lowered by a line that comes late', () => {
    const memory = new RevocationMemory(at(0));
    memory.take([user('a', 4)], at(0));
    memory.take([user('a', 3)], at(2 * HOUR_MS));
    expect(memory.leastVersionOf('a')).toBe(4);
  });
});
