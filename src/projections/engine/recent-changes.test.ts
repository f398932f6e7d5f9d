import { changedBetween, type RecentChange, withChange } from './recent-changes.js';

function commits(
  ...given: readonly (readonly [number, readonly string[] | 'all'])[]
): readonly RecentChange[] {
  return given.reduce<readonly RecentChange[]>(
    (listed, [revision, users]) => withChange(listed, revision, users),
    [],
  );
}

describe('Whom the last commits changed', () => {
  it('lists the users of every commit since one that is known, each user once', () => {
    const recent = commits([7, ['ann']], [8, []], [9, ['bob', 'ann']]);
    expect(changedBetween(recent, 6, 9)).toEqual(['ann', 'bob']);
    expect(changedBetween(recent, 8, 9)).toEqual(['bob', 'ann']);
    expect(changedBetween(recent, 9, 9)).toEqual([]);
  });

  it.each<[string, readonly RecentChange[], number, number]>([
    ['a commit is older than the list', commits([7, ['ann']]), 5, 7],
    ['a commit is newer than the list', commits([7, ['ann']]), 6, 8],
    ['somebody else moved the checkpoint between', commits([7, ['ann']], [9, ['bob']]), 6, 9],
    ['a commit changed everyone', commits([7, ['ann']], [8, 'all']), 6, 8],
    ['a commit changed too many', commits([7, Array.from({ length: 1_001 }, (_, n) => `u${n}`)]), 6, 7],
  ])('is everyone when %s', (_, recent, known, revision) => {
    expect(changedBetween(recent, known, revision)).toBe('all');
  });

  it('is bounded in users and commits: the oldest are left out', () => {
    const many = (from: number): readonly string[] => Array.from({ length: 600 }, (_, n) => `u${from + n}`);
    expect(commits([1, many(0)], [2, many(600)]).map(({ revision }) => revision)).toEqual([2]);
    const all = Array.from({ length: 80 }, (_, n) => [n + 1, ['ann']] as const);
    expect(commits(...all).map(({ revision }) => revision)).toEqual(all.slice(30).map(([each]) => each));
  });
});
