import fc from 'fast-check';
import { JoinedIds } from './joined-ids.js';

/** Which ids belong together, as slowly as it can be done. */
class Naively {
  readonly groups: Set<string>[] = [];

  join(ids: readonly string[]): void {
    const isMet = (group: ReadonlySet<string>): boolean => ids.some((id) => group.has(id));
    const met = this.groups.filter(isMet);
    const others = this.groups.filter((group) => !isMet(group));
    this.groups.splice(
      0,
      Number.POSITIVE_INFINITY,
      ...others,
      new Set([...ids, ...met.flatMap((group) => [...group])]),
    );
  }

  areTogether(one: string, other: string): boolean {
    return this.groups.some((group) => group.has(one) && group.has(other));
  }
}

/** Ids that meet often. */
const id = fc.nat(40).map((n) => `user ${n}`);
const joins = fc.array(fc.tuple(id, fc.array(id, { maxLength: 3 })), { maxLength: 60 });

describe('Joined ids', () => {
  it('belong together exactly where they were given together, or each with a third, in whatever order', () => {
    fc.assert(
      fc.property(joins, (given) => {
        const [joined, naive] = [new JoinedIds(), new Naively()];
        const numbers = new Map<string, number>();
        for (const [first, others] of given) {
          const number = joined.join([first, ...others]);
          naive.join([first, ...others]);
          expect(numbers.get(first) ?? number).toBe(number);
          numbers.set(first, number);
        }
        const known = [...numbers];
        for (const [one, a] of known) {
          for (const [other, b] of known) {
            expect(joined.rootOf(a) === joined.rootOf(b)).toBe(naive.areTogether(one, other));
          }
        }
        expect(joined.size).toBe(new Set(given.flat(2)).size);
      }),
      { numRuns: 60 },
    );
  });

  it('are told apart, and keep their numbers and what they were joined with, when there are many more than at first', () => {
    const joined = new JoinedIds();
    const count = 20_000;
    const name = (n: number): string => `subscription sub_${n}`;
    const numbers = Array.from({ length: count }, (_, n) =>
      joined.join([name(n), `customer cus_${n % 100}`]),
    );
    expect(joined.size).toBe(count + 100);
    expect(new Set(numbers).size).toBe(count);
    expect(Array.from({ length: count }, (_, n) => joined.join([name(n)]))).toEqual(numbers);
    const roots = numbers.map((number) => joined.rootOf(number));
    expect(new Set(roots).size).toBe(100);
    expect(roots.every((root, n) => root === roots[n % 100])).toBe(true);
  });

  it('are told apart by every character and its place', () => {
    const joined = new JoinedIds();
    const ids = ['ab', 'ba', 'a', 'b', '', 'aa', 'ab ', 'äb', 'a\0b', 'a\u{1f600}', 'a\u{1f601}', 'AB'];
    expect(new Set(ids.map((each) => joined.rootOf(joined.join([each])))).size).toBe(ids.length);
  });
});
